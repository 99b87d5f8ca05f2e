// Place: from an orchestrator's name to everything that a launch needs: its cluster, its template, its namespace, its worker.
// Sees three rooms (orchestrators, templates, clusters); does nothing with what it finds.
import { type Access, accessFromText, defaultAccess } from "./clusters/kubeconfig.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import type { Pool } from "./clusters/pool.ts";
import type { Config, Environment } from "./config.ts";
import { OpjobError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Directory } from "./orchestrators/directory.ts";
import type { Orchestrator } from "./orchestrators/orchestrator.ts";
import { type Location, parseLocation } from "./templates/location.ts";
import { compileTemplate, type JobTemplate } from "./templates/render.ts";
import { openStorage, type Storage } from "./templates/storage.ts";

/** What opjob's own surroundings offer: main.ts looks once. */
export type Surroundings = { readonly inCluster: boolean; readonly serviceAccountNamespace: string | undefined };

/** Where an orchestrator's Jobs go. */
export type Site = {
  readonly orchestrator: Orchestrator;
  readonly cluster: Cluster;
  /** Where the template names no namespace: the orchestrator's, else the kubeconfig's or the service account's. */
  readonly namespace: string;
};

/** What an orchestrator's Jobs are made of. */
export type Recipe = {
  readonly template: JobTemplate;
  /** What the template was compiled from. */
  readonly source: { readonly name: string; readonly text: string; readonly version: string };
  readonly worker: { readonly command: string; readonly args: readonly string[] };
};

export type Placement = Site & Recipe;

export type PlacerOptions = {
  readonly directory: Pick<Directory, "get" | "kubeconfig">;
  readonly pool: Pick<Pool, "cluster">;
  readonly storage: Pick<Storage, "load" | "retain">;
  readonly config: Config;
  readonly surroundings: Surroundings;
};

export type Placer = {
  /** @throws OpjobError of the record, the secret, the kubeconfig or the template */
  place(orchestrator: string): Promise<Placement>;
  /** The cluster of an orchestrator by its last placement, if it is known. */
  clusterOf(orchestrator: string): string | undefined;
  /** Key of the access of an orchestrator by its last placement, if it is known. */
  accessOf(orchestrator: string): string | undefined;
  /** Without the template, whose store may be slow. @throws OpjobError of the record, the secret or the kubeconfig */
  site(orchestrator: string): Promise<Site>;
  /** @throws OpjobError of the record or the template */
  recipe(orchestrator: string): Promise<Recipe>;
  /** What its registration Jobs are made of: its own template for them, else that of its operations. @throws OpjobError */
  registration(orchestrator: string): Promise<Recipe>;
  /** Forgets all other orchestrators; returns the keys of the accesses that are still in use. */
  retain(orchestrators: readonly string[]): ReadonlySet<string>;
  /** In memory: of known orchestrators only. */
  readonly sizes: { readonly accesses: number; readonly templates: number };
};

/** Where templates are read from, as the settings say. */
export const storageFor = (config: Config, environment: Environment, log: Log): Storage =>
  openStorage({
    environment,
    allowHttp: config.allowHttpTemplates,
    lifeMs: config.templateCacheSeconds * 1_000,
    timeoutMs: config.templateTimeoutSeconds * 1_000,
    log,
  });

type Known<T> = { readonly from: string; readonly made: T };

export function createPlacer({ directory, pool, storage, config, surroundings }: PlacerOptions): Placer {
  const accesses = new Map<string, Known<Access>>();
  const executions = keepTemplates(storage, config);
  const registrations = keepTemplates(storage, config);

  const accessOf = async (orchestrator: Orchestrator): Promise<Access> => {
    const text = await directory.kubeconfig(orchestrator);
    const { context, kubeconfigSecret = "" } = orchestrator;
    const from = JSON.stringify([text, context]);
    return keep(accesses, orchestrator.id, from, () => {
      const options = { context, allowExec: config.allowExecCredentials };
      if (text.trim() !== "") return accessFromText(text, `the secret "${kubeconfigSecret}"`, options);
      return defaultAccess(surroundings.inCluster, surroundings.serviceAccountNamespace, options);
    });
  };

  const recipeOf = async ({ id, executionTemplate: uri }: Orchestrator): Promise<Recipe> => {
    if (uri === undefined) throw templateMissing(id);
    return { ...(await executions.compile(id, uri)), worker: workerOf(config, id) };
  };

  const registrationOf = async (orchestrator: Orchestrator): Promise<Recipe> => {
    const { id, registrationTemplate, executionTemplate: uri = registrationTemplate } = orchestrator;
    if (uri === undefined) throw templateMissing(id);
    const worker = { command: config.registerCommand, args: config.registerArgs };
    return { ...(await registrations.compile(id, registrationTemplate ?? uri)), worker };
  };

  const siteOf = async (orchestrator: Orchestrator): Promise<Site> => {
    const access = await accessOf(orchestrator);
    const namespace = orchestrator.namespace ?? access.namespace ?? "default";
    return { orchestrator, cluster: pool.cluster(access), namespace };
  };

  return {
    get sizes() {
      return { accesses: accesses.size, templates: executions.templates.size + registrations.templates.size };
    },
    async place(id) {
      const orchestrator = directory.get(id);
      const [site, recipe] = await Promise.all([siteOf(orchestrator), recipeOf(orchestrator)]);
      return { ...site, ...recipe };
    },
    clusterOf: (id) => accesses.get(id)?.made.server,
    accessOf: (id) => accesses.get(id)?.made.key,
    site: async (id) => siteOf(directory.get(id)),
    recipe: async (id) => recipeOf(directory.get(id)),
    registration: async (id) => registrationOf(directory.get(id)),
    retain(orchestrators) {
      for (const kept of [accesses, ...executions.maps, ...registrations.maps]) {
        for (const id of kept.keys()) if (!orchestrators.includes(id)) kept.delete(id);
      }
      storage.retain([...executions.locations.values(), ...registrations.locations.values()]);
      return new Set([...accesses.values()].map(({ made }) => made.key));
    },
  };
}

/** Templates by orchestrator, each kept for as long as its text is the same. */
function keepTemplates(storage: PlacerOptions["storage"], config: Config) {
  const { templateTrimBlocks: trimBlocks, templateLstripBlocks: lstripBlocks } = config;
  const templates = new Map<string, Known<JobTemplate>>();
  const locations = new Map<string, Location>();
  const compile = async (id: string, uri: string): Promise<Omit<Recipe, "worker">> => {
    const location = parseLocation(uri);
    locations.set(id, location);
    const { text, version } = await storage.load(location);
    const { name } = location;
    const made = (): JobTemplate => compileTemplate(text, name, { trimBlocks, lstripBlocks });
    const template = keep(templates, id, `${uri} ${version}`, made);
    return { template, source: { name, text, version } };
  };
  return { templates, locations, maps: [templates, locations], compile };
}

/** How the worker of an orchestrator's operations is started. */
export function workerOf({ workers, workerCommand, workerArgs }: Config, orchestrator: string): Recipe["worker"] {
  const own = workers[orchestrator];
  return { command: own?.command ?? workerCommand, args: own?.args ?? workerArgs };
}

const templateMissing = (id: string) =>
  new OpjobError("TEMPLATE_URI_MISSING", `The orchestrator "${id}" names no Job template (executionTmplUri).`);

function keep<T>(kept: Map<string, Known<T>>, id: string, from: string, make: () => T): T {
  const known = kept.get(id);
  if (known?.from === from) return known.made;
  const made = make();
  kept.set(id, { from, made });
  return made;
}
