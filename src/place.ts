// Place: from an orchestrator's name to everything that a launch needs: its cluster, its template, its namespace, its worker.
// Sees three rooms (orchestrators, templates, clusters); does nothing with what it finds.

import { type Access, accessFromText, defaultAccess } from "./clusters/kubeconfig.ts";
import type { Cluster } from "./clusters/kubernetes.ts";
import type { Pool } from "./clusters/pool.ts";
import type { Config } from "./config.ts";
import { OpjobError } from "./errors.ts";
import type { Directory } from "./orchestrators/directory.ts";
import type { Orchestrator } from "./orchestrators/orchestrator.ts";
import { parseLocation } from "./templates/location.ts";
import { compileTemplate, type JobTemplate } from "./templates/render.ts";
import type { openStorage } from "./templates/storage.ts";

/** What opjob's own surroundings offer: main.ts looks once. */
export type Surroundings = { readonly inCluster: boolean; readonly serviceAccountNamespace: string | undefined };

export type Placement = {
  readonly orchestrator: Orchestrator;
  readonly cluster: Cluster;
  /** Where the template names no namespace: the orchestrator's, else the kubeconfig's or the service account's. */
  readonly namespace: string;
  readonly template: JobTemplate;
  readonly worker: { readonly command: string; readonly args: readonly string[] };
};

export type PlacerOptions = {
  readonly directory: Pick<Directory, "get" | "kubeconfig">;
  readonly pool: Pick<Pool, "cluster">;
  readonly storage: ReturnType<typeof openStorage>;
  readonly config: Config;
  readonly surroundings: Surroundings;
};

export type Placer = {
  /** @throws OpjobError of the record, the secret, the kubeconfig or the template */
  place(orchestrator: string): Promise<Placement>;
  /** Forgets all other orchestrators; returns the keys of the accesses that are still in use. */
  retain(orchestrators: readonly string[]): ReadonlySet<string>;
};

type Known<T> = { readonly from: string; readonly made: T };

export function createPlacer({ directory, pool, storage, config, surroundings }: PlacerOptions): Placer {
  const accesses = new Map<string, Known<Access>>();
  const templates = new Map<string, Known<JobTemplate>>();

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

  const templateOf = async ({ id, executionTemplate: uri }: Orchestrator): Promise<JobTemplate> => {
    if (uri === undefined) {
      throw new OpjobError(
        "TEMPLATE_URI_MISSING",
        `The orchestrator "${id}" names no Job template (executionTmplUri).`,
      );
    }
    const location = parseLocation(uri);
    const { text, version } = await storage.load(location);
    const { templateTrimBlocks: trimBlocks, templateLstripBlocks: lstripBlocks } = config;
    return keep(templates, id, `${uri} ${version}`, () =>
      compileTemplate(text, location.name, { trimBlocks, lstripBlocks }),
    );
  };

  return {
    async place(id) {
      const orchestrator = directory.get(id);
      const [access, template] = await Promise.all([accessOf(orchestrator), templateOf(orchestrator)]);
      const own = config.workers[id];
      return {
        orchestrator,
        cluster: pool.cluster(access),
        namespace: orchestrator.namespace ?? access.namespace ?? "default",
        template,
        worker: { command: own?.command ?? config.workerCommand, args: own?.args ?? config.workerArgs },
      };
    },
    retain(orchestrators) {
      for (const kept of [accesses, templates]) {
        for (const id of kept.keys()) if (!orchestrators.includes(id)) kept.delete(id);
      }
      return new Set([...accesses.values()].map(({ made }) => made.key));
    },
  };
}

function keep<T>(kept: Map<string, Known<T>>, id: string, from: string, make: () => T): T {
  const known = kept.get(id);
  if (known?.from === from) return known.made;
  const made = make();
  kept.set(id, { from, made });
  return made;
}
