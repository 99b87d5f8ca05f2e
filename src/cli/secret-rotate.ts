// `opjob secret rotate NAME`: another value for a secret that is there. A kubeconfig is tried on its cluster first, with the
// context of every orchestrator that names it: a credential that does not work never takes the place of one that does.
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import { sealToken } from "../orchestrators/keys.ts";
import { requireFittingKey } from "../orchestrators/secret-key-check.ts";
import { namesSecret } from "../orchestrators/secret-users.ts";
import { endAtSignal, type Opened, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";
import { requireSecret } from "./secret-found.ts";
import { type Tried, tryKubeconfig } from "./try-kubeconfig.ts";
import { readValue } from "./value.ts";

type Options = { readonly file?: string; readonly try: boolean };

const HELP = `
opjob's daemon uses the new value within a second (five where MongoDB has no change streams). Let the
old credential end after that.`;

export const secretRotateCommand = (host: Host): Command =>
  new Command("rotate")
    .description("Gives a secret another value; a kubeconfig is tried on its cluster before.")
    .argument("<name>")
    .option("--file <path>", "where the value stands; - for standard input (default)")
    .option("--no-try", "do not try it: the cluster cannot be reached from here")
    .addHelpText("after", HELP)
    .action((name: string, options: Options) => rotate(host, name, options));

async function rotate(host: Host, given: string, { file, try: tries }: Options): Promise<void> {
  endAtSignal(host);
  const value = await readValue(host, file);
  const { name, tried } = await withDatabase(host, async (opened) => {
    const { secrets, keys } = opened;
    const secret = await requireSecret(secrets, given);
    const read = await keys.read();
    const token = sealToken(read, value, Date.now());
    requireFittingKey(read, await secrets.list());
    const tried = tries ? await tryAll(opened, secret.name, value) : [];
    if (!(await secrets.replace(secret, token)))
      throw new OpjobError("CHANGED_MEANWHILE", `The secret "${secret.name}" was changed by somebody else.`);
    return { name: secret.name, tried };
  });
  for (const { id, server, warning } of tried) {
    host.stdout.write(`${id}: ${server} takes it\n`);
    if (warning !== undefined) host.stderr.write(`${id}: ${warning}\n`);
  }
  host.stdout.write(`secret ${name} rotated\n`);
}

/** With the context and in the namespace of each orchestrator on Kubernetes that names the secret. */
async function tryAll({ registry, config }: Opened, name: string, value: string): Promise<Tried[]> {
  const users = (await registry.list()).filter((record) => namesSecret(record, name));
  const ours = users.filter((record) => record["environment"] === "kubernetes");
  const tried: Tried[] = [];
  for (const record of ours) tried.push(await tryKubeconfig(value, record, config));
  return tried;
}
