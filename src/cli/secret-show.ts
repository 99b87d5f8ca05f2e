// `opjob secret show NAME`: what is known of a secret. Its value only if it is asked for twice: by --reveal, and once more.
import { Command } from "commander";
import { tokenTime } from "../orchestrators/fernet.ts";
import { openToken } from "../orchestrators/keys.ts";
import { openedBy } from "../orchestrators/secret-key-check.ts";
import { usersOf } from "../orchestrators/secret-users.ts";
import { confirmed } from "./ask.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { json, moment, printable } from "./print.ts";
import { requireSecret } from "./secret-found.ts";
import { dateOf } from "./secret-list.ts";

type Options = { readonly json?: boolean; readonly reveal?: boolean; readonly yes?: boolean };

export const secretShowCommand = (host: Host): Command =>
  new Command("show")
    .description("Shows what is known of a secret, and its value only with --reveal.")
    .argument("<name>")
    .option("--reveal", "print the value, and nothing else; asks once more")
    .option("--yes", "with --reveal: do not ask")
    .option("--json", "for programs")
    .action((name: string, options: Options) =>
      options.reveal ? reveal(host, name, options) : show(host, name, options),
    );

async function show(host: Host, given: string, options: Options): Promise<void> {
  endAtSignal(host);
  const shown = await withDatabase(host, async ({ secrets, registry, keys }) => {
    const secret = await requireSecret(secrets, given);
    return {
      name: secret.name,
      description: secret.description,
      created: secret.createdAt,
      written: dateOf(tokenTime(secret.token)),
      key: KEYS[openedBy(await keys.read(), secret)],
      orchestrators: usersOf(await registry.list(), secret.name),
    };
  });
  if (options.json) {
    host.stdout.write(json(shown));
    return;
  }
  const lines = {
    Name: shown.name,
    Description: shown.description ?? "",
    Created: moment(shown.created),
    "Value of": moment(shown.written),
    "Opened by": shown.key,
    Orchestrators: shown.orchestrators.join(", "),
  };
  const text = Object.entries(lines).map(([title, value]) => `${`${title}:`.padEnd(15)}${printable(value)}`.trimEnd());
  host.stdout.write(`${text.join("\n")}\n`);
}

export const KEYS = { current: "this key", old: "the old key", neither: "another key, or it is damaged" } as const;

async function reveal(host: Host, given: string, { yes = false }: Options): Promise<void> {
  if (!(await confirmed(host, `print the value of the secret ${printable(given)} in clear`, yes))) {
    host.endWith(EXIT.failed);
    return;
  }
  const value = await withDatabase(host, async ({ secrets, keys }) => {
    const { token, name } = await requireSecret(secrets, given);
    return openToken(await keys.read(), token, name).bytes;
  });
  host.stdout.write(value);
}
