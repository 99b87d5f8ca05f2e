// `opjob secret set NAME`: makes a secret, or gives it another value. The value comes from a file or standard input.
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import { type Keys, openToken, sealToken } from "../orchestrators/keys.ts";
import type { StoredSecret } from "../orchestrators/mongo-secrets.ts";
import { openedBy, requireFittingKey } from "../orchestrators/secret-key-check.ts";
import { endAtSignal, type Opened, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { namedBy, spelledName } from "./secret-found.ts";
import { readValue } from "./value.ts";

type Options = { readonly file?: string; readonly description?: string };

export const secretSetCommand = (host: Host): Command =>
  new Command("set")
    .description("Makes a secret, or gives it another value. The value is read from standard input or --file.")
    .argument("<name>", "as FiftyOne spells it: words in capitals, joined by _")
    .option("--file <path>", "where the value stands; - for standard input")
    .option("--description <text>", "what the secret is for")
    .addHelpText(
      "after",
      "\nFor the kubeconfig of an orchestrator, `opjob secret rotate` also tries the new value first.",
    )
    .action((name: string, options: Options) => setSecret(host, name, options));

async function setSecret(host: Host, given: string, { file, description }: Options): Promise<void> {
  endAtSignal(host);
  const name = spelledName(given);
  const value = await readValue(host, file);
  const { did, users } = await withDatabase(host, async (opened) => {
    const keys = await opened.keys.read();
    const token = sealToken(keys, value, Date.now());
    const all = await opened.secrets.list();
    requireFittingKey(keys, all);
    const stored = await opened.secrets.find(name);
    const written = { name, token, value, description, keys };
    return { did: await write(opened, stored, written), users: await namedBy(opened.registry, name) };
  });
  const used = users.length === 0 ? "" : ` (named by ${users.join(", ")})`;
  host.stdout.write(`secret ${name} ${did}${used}\n`);
}

type Written = {
  readonly name: string;
  readonly token: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly keys: Keys;
};

async function write(
  { secrets }: Opened,
  stored: StoredSecret | undefined,
  { name, token, value, description, keys }: Written,
): Promise<string> {
  const meanwhile = () => new OpjobError("CHANGED_MEANWHILE", `The secret "${name}" was changed by somebody else.`);
  if (stored === undefined) {
    if (!(await secrets.insert({ name, token, description }, new Date()))) throw meanwhile();
    return "made";
  }
  if (description !== undefined) await secrets.describe(stored, description);
  const same =
    openedBy(keys, stored) !== "neither" && openToken(keys, stored.token, name).bytes.equals(Buffer.from(value));
  if (same) return "unchanged";
  if (!(await secrets.replace(stored, token))) throw meanwhile();
  return "replaced";
}
