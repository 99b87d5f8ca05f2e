// `opjob render`: a template, with made-up values or an operation's, to stdout: the manifest as it would be created.
import { Command } from "commander";
import { MongoClient } from "mongodb";
import { stringify } from "yaml";
import { readConfig, readSettings } from "../config.ts";
import { OpjobError } from "../errors.ts";
import { openOperations } from "../operations/mongo.ts";
import type { OperationDocument } from "../operations/operation.ts";

import { SETTINGS } from "../settings.ts";
import { parseLocation } from "../templates/location.ts";
import { generatedName } from "../templates/naming.ts";
import { compileTemplate } from "../templates/render.ts";
import { stampJob } from "../templates/stamp.ts";
import { openStorage } from "../templates/storage.ts";
import type { Host } from "./host.ts";
import { renderLines } from "./render-lines.ts";

type RenderHost = Pick<Host, "environment" | "stdin" | "stdout">;
type Options = {
  readonly operation?: string;
  readonly operator: string;
  readonly image: string;
  readonly namespace: string;
  readonly orchestrator: string;
  readonly command: string;
  readonly arg?: string[];
  readonly raw?: boolean;
  readonly jsonl?: boolean;
};

const MADE_UP_ID = "0123456789abcdef01234567";

export const renderCommand = (host: RenderHost): Command =>
  new Command("render")
    .description("Renders a Job template to stdout, as it would be sent to the cluster.")
    .argument("[template]", "path or URI of the template")
    .option("--operation <id>", "an operation of the database; without it, made-up values are used")
    .option("--operator <uri>", "the made-up operation's operator", "@example/plugin/operator")
    .option("--orchestrator <id>", "instance_id of the orchestrator", "example")
    .option("--image <name>", "value of {{ _image }}", "example/fiftyone:latest")
    .option("--namespace <name>", "namespace where the template names none", "default")
    .option("--command <program>", "value of {{ _command }}", SETTINGS.workerCommand.default)
    .option("--arg <text...>", 'values of {{ _args }}; "{operation}" stands for the id (default: the worker\'s)')
    .option("--raw", "only what Jinja2 gives, before it is read as a Job")
    .option("--jsonl", 'answers each line {"template", "context"} of stdin with a line {"output"} or {"error", "line"}')
    .action((template: string | undefined, options: Options) => runRender(host, template, options));

async function runRender(host: RenderHost, uri: string | undefined, options: Options): Promise<void> {
  const { templateTrimBlocks: trimBlocks, templateLstripBlocks: lstripBlocks } = readSettings(host.environment);
  if (options.jsonl) return renderLines(host, { trimBlocks, lstripBlocks });
  if (uri === undefined) throw new OpjobError("SETTING_INVALID", "Name a template, or --jsonl.");
  const { id, operator, attempt } = await subject(host, options);
  const location = parseLocation(uri);
  const { text } = await openStorage({ environment: host.environment, allowHttp: allowsHttp(host) }).load(location);
  const template = compileTemplate(text, location.name, { trimBlocks, lstripBlocks });
  const values = {
    _id: id,
    _name: generatedName(operator, id, attempt),
    _image: options.image,
    _command: options.command,
    _args: (options.arg ?? SETTINGS.workerArgs.default).map((arg) => arg.replaceAll("{operation}", id)),
  };
  if (options.raw) {
    host.stdout.write(template.render(values));
    return;
  }
  const { namespace, orchestrator } = options;
  const stamp = { operation: id, operator, orchestrator, attempt, database: "example", namespace };
  host.stdout.write(stringify(stampJob(template.manifest(values), stamp).manifest, { version: "1.1", lineWidth: 0 }));
}

/** By itself: a template can be rendered without a database. */
const allowsHttp = ({ environment }: RenderHost): boolean =>
  ["true", "1"].includes(environment[SETTINGS.allowHttpTemplates.env] ?? "");

async function subject({ environment }: RenderHost, { operation: id, operator }: Options) {
  if (id === undefined) return { id: MADE_UP_ID, operator, attempt: 1 };
  if (!/^[0-9a-f]{24}$/i.test(id))
    throw new OpjobError("SETTING_INVALID", `"${id}" is not an operation's id: 24 hexadecimal digits.`);
  const config = readConfig(environment);
  const client = new MongoClient(config.databaseUri, { serverSelectionTimeoutMS: 5_000 });
  try {
    const collection = client.db(config.databaseName).collection<OperationDocument>("delegated_ops");
    const found = await openOperations(collection).read(id);
    if (found === undefined)
      throw new OpjobError("SETTING_INVALID", `There is no operation ${id} in "${config.databaseName}".`);
    return { id: found.id, operator: found.operator, attempt: found.claim?.attempt ?? 1 };
  } finally {
    await client.close();
  }
}
