// `opjob apply -f FILE`: makes the records say what a file says, and shows first what would change.
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { asOpjobError, OpjobError } from "../errors.ts";
import { type Declared, parseDeclared } from "../orchestrators/declared.ts";
import { type Declaration, type Plan, planRegistration, type Registering } from "../orchestrators/registration.ts";
import { carryOut } from "../orchestrators/registration-writes.ts";
import { confirmed } from "./ask.ts";
import { endAtSignal, type Opened, withDatabase } from "./database.ts";
import { differenceText } from "./differences.ts";
import type { Host } from "./host.ts";
import { EXIT } from "./outcome.ts";
import { json, painter } from "./print.ts";
import { readText } from "./value.ts";
import { checksOf, embedded, isPath } from "./vet.ts";

type Options = {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly embed?: boolean;
  readonly unchecked?: boolean;
  readonly json?: boolean;
};

const HELP = `
The file holds what \`fom.register_orchestrator\` takes, one YAML document or list item for each orchestrator:

  instance_id: kubernetes-gpu
  description: GPU cluster
  config:
    kubernetes:
      executionTmplUri: /templates/gpu.yaml.j2
      namespace: fiftyone
  secrets:
    kubernetes:
      kubeConfig: EXISTING_SECRET        # or kubeConfigFile: ./kubeconfig, or nothing

Orchestrators that it does not name are left alone; fields that it does not name are taken away.
Exit code 3 with --dry-run: there are differences.`;

export const applyCommand = (host: Host): Command =>
  new Command("apply")
    .description("Registers and updates orchestrators from a file; shows the differences first.")
    .requiredOption("-f, --file <path>", "YAML; paths in it count from where it lies")
    .option("--embed", "keep the text of templates that are paths in the records")
    .option("--dry-run", "only show what would change")
    .option("--yes", "do not ask")
    .option("--unchecked", "do not check templates, kubeconfigs and secrets")
    .option("--json", "for programs")
    .addHelpText("after", HELP)
    .action((options: Options) => apply(host, options));

async function apply(host: Host, options: Options): Promise<void> {
  endAtSignal(host);
  const declarations = await declarationsOf(options);
  await withDatabase(host, async (opened) => {
    const parts = { ...opened, checks: checksOf(host, options.unchecked === true), now: () => new Date() };
    const plans: Plan[] = [];
    // All of them first: a fault in the last one must be told before the first is written.
    for (const declaration of declarations) plans.push(await planRegistration(parts, declaration));
    const differing = plans.filter(({ kind }) => kind !== "same");
    show(host, plans, options);
    if (differing.length === 0) return;
    if (options.dryRun) return host.endWith(EXIT.notWell);
    if (!(await confirmed(host, `write ${differing.length} to ${opened.config.databaseName}`, options.yes === true))) {
      host.endWith(EXIT.failed);
      return;
    }
    await writeAll(host, parts, differing);
  });
}

function show(host: Host, plans: readonly Plan[], { json: asJson }: Options): void {
  const bare = plans.map(({ id, kind, differences }) => ({ id, kind, differences }));
  host.stdout.write(asJson ? json(bare) : plans.map((plan) => differenceText(plan, painter(host))).join(""));
}

async function writeAll({ stderr }: Host, parts: Registering & Opened, plans: readonly Plan[]): Promise<void> {
  for (const [done, plan] of plans.entries()) {
    try {
      await carryOut(parts, plan);
    } catch (error) {
      const { code, message, remedy } = asOpjobError(error);
      const rest = `${done} of ${plans.length} were written before "${plan.id}": run it again for the rest.`;
      throw code === "INTERNAL" ? error : new OpjobError(code, `${message} ${rest}`, { remedy, cause: error });
    }
  }
  stderr.write(`${plans.length} written\n`);
}

async function declarationsOf({ file, embed = false }: Options): Promise<Declaration[]> {
  const folder = dirname(file);
  const declared = parseDeclared(await readText(file), file);
  return Promise.all(declared.map((one) => located(one, folder, embed)));
}

/** What the declaration names by a path is read from where the file lies. */
async function located({ id, fields, kubeconfig }: Declared, folder: string, embed: boolean): Promise<Declaration> {
  const template = async (uri: string | undefined): Promise<string | undefined> =>
    embed && uri !== undefined && isPath(uri) ? embedded(resolve(folder, uri)) : uri;
  const { executionTemplate, registrationTemplate } = fields;
  const [execution, registration] = await Promise.all([template(executionTemplate), template(registrationTemplate)]);
  return {
    id,
    fields: { ...fields, executionTemplate: execution, registrationTemplate: registration },
    kubeconfig: kubeconfig.kind === "file" ? await kubeconfigFile(resolve(folder, kubeconfig.path)) : kubeconfig,
  };
}

const kubeconfigFile = async (path: string): Promise<Declaration["kubeconfig"]> => ({
  kind: "text",
  text: await readText(path),
  from: `the file ${path}`,
});
