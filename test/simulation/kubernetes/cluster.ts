// One simulated cluster: its API server, controllers and node, with a clock of its own. What its Jobs and Pods meet is asked
// of whoever knows the plan; a Job's operation is read from its labels, as a worker reads it from its arguments.
import { LABELS } from "../../../src/clusters/observation.ts";
import type { Chance } from "../chance.ts";
import { startWorker, type WorkerFate, type WorkerParts } from "../worker.ts";
import { type Answer, Api, invalid } from "./api.ts";
import { JobController, type JobFate } from "./job-controller.ts";
import { Node, type NodeParts, type PodFate } from "./node.ts";
import type { KubeObject } from "./objects.ts";
import type { Served } from "./speaker.ts";
import { type Fresh, KubeStore } from "./store.ts";
import type { WatchTroubles } from "./watch-body.ts";

export type Fates = { readonly job: JobFate; readonly pod: PodFate; readonly worker: WorkerFate };

export type ClusterOptions = WorkerParts & {
  readonly name: string;
  readonly address: string;
  readonly namespaces: ReadonlySet<string>;
  readonly skewMs: number;
  readonly chance: Chance;
  /** What a Job and its Pods meet, by the operation that its labels name, and by how manieth of its Jobs that is. */
  readonly fatesOf: (operation: string, nth: number) => Fates;
  /** What the API server answers to the creation of a Job of this orchestrator; undefined: it takes it. */
  readonly refusalOf: (orchestrator: string) => Answer | undefined;
  readonly missingFor: NodeParts["missingFor"];
  readonly watches: WatchTroubles;
  readonly onSend: Served["onSend"];
  readonly onCall: Served["onCall"];
};

export type SimulatedCluster = Served & {
  readonly server: string;
  /** What a Pod waits for, if anything, is there now. */
  readonly unblock: (pod: string) => void;
};

export function simulatedCluster(options: ClusterOptions): SimulatedCluster {
  const { time, chance, name, namespaces, skewMs } = options;
  const store = new KubeStore(name, () => time.now + skewMs);
  const nthOf = countJobs(store);
  const fates = ({ metadata: { labels = {} } }: Fresh, uid = ""): Fates => {
    const operation = labels[LABELS.operation] ?? "";
    return options.fatesOf(operation, nthOf(operation, uid));
  };
  const ofPod = (pod: Pick<KubeObject, "metadata">): Fates => fates(pod, pod.metadata.ownerReferences?.[0]?.uid);
  /** What is in a Job is the same whenever its attempt is sent. */
  const isRefused = ({ metadata: { labels = {} } }: Fresh): boolean =>
    options.fatesOf(labels[LABELS.operation] ?? "", Number(labels[LABELS.attempt] ?? 1)).job.refused;
  const refusal = (job: Fresh): Answer | undefined =>
    options.refusalOf(job.metadata.labels?.[LABELS.orchestrator] ?? "") ?? (isRefused(job) ? invalid(job) : undefined);
  const api = new Api(store, namespaces, refusal);
  new JobController({ time, chance, store, api, fateOf: (job) => fates(job, job.metadata.uid).job });
  const node = new Node({
    time,
    store,
    fateOf: (pod) => ofPod(pod).pod,
    missingFor: options.missingFor,
    run: ({ metadata }, exit) => {
      const operation = metadata.labels?.[LABELS.operation] ?? "";
      if (operation === "") return { kill: () => undefined }; // it is none of FiftyOne's
      const job = metadata.ownerReferences?.[0]?.uid ?? "";
      const { worker: fate } = ofPod({ metadata });
      return startWorker(options, { operation, pod: metadata.uid, job, fate, exit });
    },
    evict: (pod) => api.delete("pods", pod, false),
  });
  return {
    api,
    store,
    server: options.address,
    unblock: (pod) => node.unblock(pod),
    watches: options.watches,
    onSend: options.onSend,
    onCall: options.onCall,
  };
}

/** How manieth of an operation's Jobs one is, by its uid. */
function countJobs(store: KubeStore): (operation: string, uid: string) => number {
  const jobs = new Map<string, string[]>();
  store.onEvent(({ type, resource, object: { metadata } }) => {
    if (resource !== "jobs" || type !== "ADDED") return;
    const operation = metadata.labels?.[LABELS.operation] ?? "";
    jobs.set(operation, [...(jobs.get(operation) ?? []), metadata.uid]);
  });
  return (operation, uid) => {
    return (jobs.get(operation) ?? []).indexOf(uid) + 1;
  };
}
