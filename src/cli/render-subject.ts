// What `opjob render` renders: which template, with whose values, and for which cluster. From the command line alone, or with the
// records of the database where an orchestrator or an operation is named. It only reads.
import { defaultAccess } from "../clusters/kubeconfig.ts";
import { Cluster } from "../clusters/kubernetes.ts";
import { readSettings } from "../config.ts";
import { OpjobError } from "../errors.ts";
import type { Desk } from "../inquiries/desk.ts";
import { createLog } from "../log.ts";
import { storageFor, workerOf } from "../place.ts";
import type { Values } from "../templates/blanks.ts";
import { parseLocation } from "../templates/location.ts";
import { generatedName } from "../templates/naming.ts";
import { compileTemplate, type JobTemplate } from "../templates/render.ts";
import type { Stamp } from "../templates/stamp.ts";
import type { Host } from "./host.ts";

export type RenderHost = Pick<
  Host,
  "environment" | "surroundings" | "stdin" | "stdout" | "stderr" | "stopped" | "exit" | "endWith"
>;

export type RenderOptions = {
  readonly orchestrator?: string;
  readonly operation?: string;
  readonly operator: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly command?: string;
  readonly arg?: string[];
  readonly raw?: boolean;
  readonly diff?: string;
  readonly dryRun?: boolean;
  readonly jsonl?: boolean;
};

export type NamedTemplate = { readonly name: string; readonly template: JobTemplate };
type Site = { readonly cluster: Cluster; readonly namespace: string };

export type Subject = NamedTemplate & {
  readonly values: Values;
  readonly stamp: Stamp;
  /** The cluster that would be asked, and the namespace there. @throws OpjobError KUBECONFIG_…, SECRET_… */
  readonly site: () => Promise<Site>;
};

type OneOperation = {
  readonly id: string;
  readonly operator: string;
  readonly attempt: number;
  readonly queuedAt: Date | null;
};

/** Where an operation would run: of an orchestrator's records, or made up. */
type Place = {
  readonly orchestrator: string;
  readonly image: string;
  readonly worker: { readonly command: string; readonly args: readonly string[] };
  readonly namespace: string;
  readonly recipe: (() => Promise<NamedTemplate>) | undefined;
  readonly site: () => Promise<Site>;
};

const MADE_UP = { id: "0123456789abcdef01234567", attempt: 1, queuedAt: null };

/** A template by its path or URI. @throws OpjobError TEMPLATE_… */
export async function loadTemplate({ environment }: Pick<Host, "environment">, uri: string): Promise<NamedTemplate> {
  const config = readSettings(environment);
  const location = parseLocation(uri);
  const { text } = await storageFor(config, environment, createLog({ level: "silent", secrets: [] })).load(location);
  const { templateTrimBlocks: trimBlocks, templateLstripBlocks: lstripBlocks } = config;
  return { name: location.name, template: compileTemplate(text, location.name, { trimBlocks, lstripBlocks }) };
}

/** What is rendered. `desk`: undefined where the command line names nothing of the database. */
export async function findSubject(
  host: RenderHost,
  uri: string | undefined,
  options: RenderOptions,
  means: { readonly desk: Desk | undefined; readonly closers: AsyncDisposableStack },
): Promise<Subject> {
  const { desk, closers } = means;
  const operation = desk ? await operationOf(desk, options) : { ...MADE_UP, operator: options.operator, target: null };
  const id = options.orchestrator ?? (uri === undefined ? operation.target : null);
  const place = desk && id !== null ? await placeOfRecord(desk, id, options) : placeOfLine(host, options, closers);
  return {
    ...(await templateOf(host, uri, place)),
    values: valuesOf(operation, place, options),
    stamp: {
      operation: operation.id,
      operator: operation.operator,
      orchestrator: place.orchestrator,
      attempt: operation.attempt,
      queuedAt: operation.queuedAt,
      database: "example",
      namespace: options.namespace ?? place.namespace,
    },
    site: place.site,
  };
}

async function templateOf(host: RenderHost, uri: string | undefined, { recipe }: Place): Promise<NamedTemplate> {
  if (uri !== undefined) return loadTemplate(host, uri);
  if (recipe) return recipe();
  throw invalid("Name a template, an orchestrator or --jsonl.");
}

/** Without records: the settings say how a worker is started, the default kubeconfig which cluster it is. */
function placeOfLine(
  { environment, surroundings }: RenderHost,
  options: RenderOptions,
  closers: AsyncDisposableStack,
): Place {
  const config = readSettings(environment);
  return {
    orchestrator: "example",
    image: "example/fiftyone:latest",
    worker: { command: config.workerCommand, args: config.workerArgs },
    namespace: "default",
    recipe: undefined,
    site: async () => {
      const { inCluster, serviceAccountNamespace } = surroundings;
      // Whoever types the command trusts their own kubeconfig, as with kubectl.
      const access = defaultAccess(inCluster, serviceAccountNamespace, { context: undefined, allowExec: true });
      const timeoutMs = config.kubernetesTimeoutSeconds * 1_000;
      const cluster = new Cluster(access, { timeoutMs, onCall: () => undefined });
      closers.defer(() => cluster.close());
      return { cluster, namespace: options.namespace ?? access.namespace ?? "default" };
    },
  };
}

async function placeOfRecord(desk: Desk, id: string, options: RenderOptions): Promise<Place> {
  const { config, directory, placer } = desk;
  const orchestrator = directory.get(id);
  return {
    orchestrator: id,
    image: orchestrator.image ?? "",
    worker: workerOf(config, id),
    namespace: options.namespace ?? (await namespaceOf(desk, id)),
    recipe: async () => {
      const { source, template } = await placer.recipe(id);
      return { name: source.name, template };
    },
    site: () => placer.site(id),
  };
}

/** Where its kubeconfig cannot be read here, the namespace that it names is not known: the Job is shown all the same. */
async function namespaceOf({ directory, placer }: Desk, id: string): Promise<string> {
  const known = directory.get(id).namespace;
  if (known !== undefined) return known;
  try {
    return (await placer.site(id)).namespace;
  } catch {
    return "default";
  }
}

async function operationOf(
  { reads, config }: Desk,
  { operation: id, operator }: RenderOptions,
): Promise<OneOperation & { readonly target: string | null }> {
  if (id === undefined) return { ...MADE_UP, operator, target: null };
  if (!/^[0-9a-f]{24}$/i.test(id)) throw invalid(`"${id}" is not an operation's id: 24 hexadecimal digits.`);
  const found = await reads.read(id);
  if (found === undefined) throw invalid(`There is no operation ${id} in "${config.databaseName}".`);
  const { operator: name, queuedAt, target, claim } = found;
  return { id: found.id, operator: name, attempt: claim?.attempt ?? 1, queuedAt, target };
}

const valuesOf = (
  { id, operator, attempt }: OneOperation,
  { image, worker }: Place,
  options: RenderOptions,
): Values => ({
  _id: id,
  _name: generatedName(operator, id, attempt),
  _image: options.image ?? image,
  _command: options.command ?? worker.command,
  _args: (options.arg ?? worker.args).map((arg) => arg.replaceAll("{operation}", id)),
});

export const invalid = (message: string): OpjobError => new OpjobError("INPUT_INVALID", message);
