// `opjob render`: the Job that a template gives, as it would be created; how it differs from another template's; and what the cluster
// says of it. With made-up values, or those of an operation and an orchestrator of the database.
import { Command } from "commander";
import { stringify } from "yaml";
import { readSettings } from "../config.ts";
import type { Desk } from "../inquiries/desk.ts";
import { type StampedJob, stampJob } from "../templates/stamp.ts";
import { atDesk } from "./desk.ts";
import { showDifference } from "./render-difference.ts";
import { renderLines } from "./render-lines.ts";
import {
  findSubject,
  loadTemplate,
  type NamedTemplate,
  type RenderHost,
  type RenderOptions,
  type Subject,
} from "./render-subject.ts";
import { showVerdict } from "./render-verdict.ts";

const HELP = `
Without --orchestrator and --operation no database is needed. A template that is named replaces that of the orchestrator.
Exit code: 0 done; with --dry-run: the cluster would create it, perhaps with warnings; with --diff: there is no difference.
1 it cannot be rendered, or the cluster cannot be asked. 3 the cluster refuses it, or there is a difference.`;

export const renderCommand = (host: RenderHost): Command =>
  new Command("render")
    .description("Prints the Job that a template gives, as it would be sent to the cluster.")
    .argument("[template]", "path or URI of the template (default: the orchestrator's)")
    .option("--orchestrator <id>", "instance_id: its template, image, namespace, worker and cluster, from the database")
    .option("--operation <id>", "an operation of the database; without it, made-up values are used")
    .option("--operator <uri>", "the made-up operation's operator", "@example/plugin/operator")
    .option("--image <name>", "value of {{ _image }}")
    .option("--namespace <name>", "namespace where the template names none")
    .option("--command <program>", "value of {{ _command }} (default: the worker's)")
    .option("--arg <text...>", 'values of {{ _args }}; "{operation}" stands for the id (default: the worker\'s)')
    .option("--diff <template>", "what would change with this template instead")
    .option("--dry-run", "asks the cluster whether it would create the Job; nothing is created")
    .option("--raw", "only what Jinja2 gives, before it is read as a Job")
    .option("--jsonl", 'answers each line {"template", "context"} of stdin with a line {"output"} or {"error", "line"}')
    .addHelpText("after", HELP)
    .action((template: string | undefined, options: RenderOptions) => runRender(host, template, options));

async function runRender(host: RenderHost, uri: string | undefined, options: RenderOptions): Promise<void> {
  if (options.jsonl) {
    const { templateTrimBlocks: trimBlocks, templateLstripBlocks: lstripBlocks } = readSettings(host.environment);
    return renderLines(host, { trimBlocks, lstripBlocks });
  }
  if (options.orchestrator === undefined && options.operation === undefined) return show(host, uri, options, undefined);
  return atDesk(host, (desk) => show(host, uri, options, desk));
}

async function show(
  host: RenderHost,
  uri: string | undefined,
  options: RenderOptions,
  desk: Desk | undefined,
): Promise<void> {
  await using closers = new AsyncDisposableStack();
  const subject = await findSubject(host, uri, options, { desk, closers });
  const other = options.diff === undefined ? undefined : await loadTemplate(host, options.diff);
  const site = options.dryRun ? await subject.site() : undefined;
  const stamp = stampOn(subject, site?.namespace, options.namespace);
  const jobOf = ({ template }: NamedTemplate): StampedJob => stampJob(template.manifest(subject.values), stamp);
  const textOf = (one: NamedTemplate): string =>
    options.raw ? one.template.render(subject.values) : yamlOf(jobOf(one));
  if (other) {
    showDifference(host, { name: subject.name, text: textOf(subject) }, { name: other.name, text: textOf(other) });
  }
  if (site) await showVerdict(host, jobOf(other ?? subject), site.cluster);
  if (!other && !site) host.stdout.write(textOf(subject));
}

/** Said on the command line, or the cluster's own namespace, or the one that the records name. */
function stampOn({ stamp }: Subject, ofCluster: string | undefined, said: string | undefined): Subject["stamp"] {
  return { ...stamp, namespace: said ?? ofCluster ?? stamp.namespace };
}

const yamlOf = ({ manifest }: StampedJob): string => stringify(manifest, { version: "1.1", lineWidth: 0 });
