// People: they register orchestrators, queue operations, and do to them and to their Jobs whatever the plan says, in FiftyOne's
// and Kubernetes' own ways. Knows the contract; nothing of daemons.
import { DATABASE_ANNOTATION, LABELS } from "../../src/clusters/observation.ts";
import { generatedName } from "../../src/templates/naming.ts";
import { queued } from "../operations/documents.ts";
import { IMPOSTOR, isLive, jobsOf, podsOf } from "./checks/scene.ts";
import { textOf } from "./kubernetes/objects.ts";
import type { Author } from "./mongo/server.ts";
import type { Doc } from "./mongo/values.ts";
import {
  type Act,
  type ActKind,
  type Oddity,
  type OperationPlan,
  type OrchestratorPlan,
  operatorOf,
  type Storm,
} from "./plan.ts";
import { imageOf } from "./storms.ts";
import { BEGINNING } from "./time.ts";
import { OPERATIONS, startWorker } from "./worker.ts";
import { idOf, instanceOf, objectIdOf, serverOf, type World } from "./world.ts";

const USER: Author = { kind: "user", name: "user" };
/** Who cannot reach the primary tries again (ms). */
const RETRY = 250;

/** The variables in which the daemons find the clusters' kubeconfigs. */
export const kubeconfigs = ({ plan }: World): Record<string, string> =>
  Object.fromEntries(plan.clusterSkewMs.map((_, nth) => [secretOf(nth), kubeconfig(nth)]));

const secretOf = (cluster: number): string => `KUBE_${cluster}`;

/** JSON is YAML. */
const kubeconfig = (cluster: number): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: serverOf(cluster), "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "simulated" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });

/** A template as a team could write it. */
function templateOf({ ttl, image }: OrchestratorPlan): string {
  const manifest = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "{{ _name }}" },
    spec: {
      backoffLimit: 0,
      ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }),
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "worker", image: imageOf(image), command: ["{{ _command }}"] }],
        },
      },
    },
  };
  const text = JSON.stringify(manifest, undefined, 1);
  return `data:text/yaml;base64,${Buffer.from(text).toString("base64")}`;
}

/** Sets the scene and lets people act by the plan. */
export function letPeopleAct(world: World): void {
  const { plan, time, server } = world;
  plan.orchestrators.forEach((orchestrator, nth) => {
    const { cluster, namespace } = orchestrator;
    server.insert(USER, "orchestrators", {
      _id: `record-${nth}`,
      instance_id: instanceOf(nth),
      environment: "kubernetes",
      config: { kubernetes: { executionTmplUri: templateOf(orchestrator), namespace } },
      secrets: { kube_config: secretOf(cluster) },
      updated_at: new Date(BEGINNING),
    });
  });
  server.insert(USER, "orchestrators", { _id: "other", instance_id: "elsewhere", environment: "databricks" });
  plan.operations.forEach((operation, nth) => {
    if (operation.at >= 0) time.after(operation.at, () => whenWritable(world, () => queue(world, operation, nth)));
  });
  for (const storm of plan.storms ?? []) if (storm.kind === "secret") loseSecret(world, storm);
  for (const act of plan.acts) {
    // What is to happen at a call that comes only after the plan's end does not happen.
    const does = (): void =>
      world.time.elapsed > plan.horizonMs ? undefined : whenWritable(world, () => perform(world, act));
    if (typeof act.at === "number") time.after(act.at, does);
    else world.moments.at(act.at, undefined, does);
  }
}

/** An orchestrator's record names a secret that does not exist, for a while. */
function loseSecret(world: World, { from, ms, orchestrator }: Storm): void {
  const { plan, time, server } = world;
  const name = (secret: string) => () =>
    whenWritable(world, () => {
      const update = { $set: { secrets: { kube_config: secret }, updated_at: new Date(time.now) } };
      const filter = { _id: `record-${orchestrator}` };
      server.write(USER, "orchestrators", { filter, update, many: false, majority: true });
    });
  time.after(from, name("GONE"));
  time.after(from + ms, name(secretOf(plan.orchestrators[orchestrator]?.cluster ?? 0)));
}

function whenWritable(world: World, act: () => void): void {
  if (world.server.isolated) world.time.after(RETRY, () => whenWritable(world, act));
  else act();
}

const ODDITIES: Readonly<Record<Oddity, Doc>> = {
  "no-target": { delegation_target: null },
  "unknown-target": { delegation_target: "nobody" },
  "other-environment": { delegation_target: "elsewhere" },
  archived: { archived: true },
  scheduled: { run_state: "scheduled", queued_at: null },
  running: { run_state: "running" },
  "no-date": { queued_at: null },
};

function queue({ server, time, trace }: World, operation: OperationPlan, nth: number): void {
  const { orchestrator, oddity } = operation;
  const now = new Date(time.now);
  const plain = { _id: objectIdOf(nth), operator: operatorOf(operation), delegation_target: instanceOf(orchestrator) };
  const fields = { ...plain, queued_at: now, updated_at: now, dataset_id: null, context: null, metadata: null };
  trace.note(`user queues ${idOf(nth).slice(-4)}${oddity ? ` (${oddity})` : ""}`);
  server.insert(USER, OPERATIONS, queued({ ...fields, ...(oddity && ODDITIES[oddity]) }));
}

function perform(world: World, { kind, operation }: Act): void {
  world.trace.note(`user does ${kind} to ${idOf(operation).slice(-4)}`);
  ACTS[kind](world, operation);
}

type Does = (world: World, operation: number) => void;

/** @param states in which it is done; undefined: in any */
const set =
  (fields: (now: Date) => Doc, states?: readonly string[]): Does =>
  ({ server, time }, operation) => {
    const filter = { _id: objectIdOf(operation), ...(states && { run_state: { $in: states } }) };
    const now = new Date(time.now);
    const update = { $set: { ...fields(now), updated_at: now } };
    server.write(USER, OPERATIONS, { filter, update, many: false, majority: true });
  };

const deleteJobs =
  (foreground: boolean): Does =>
  (world, operation) => {
    for (const job of jobsOf(world.checks.scene(), idOf(operation)))
      for (const { api, store } of world.clusters)
        if (isLive(job) && store.byUid("jobs", job.metadata.uid) === job) api.delete("jobs", job, foreground);
  };

/** `kubectl replace --force` with a Job of one's own under the same name. */
const replaceJob: Does = (world, operation) => {
  const { name = "", namespace = "" } = jobsOf(world.checks.scene(), idOf(operation))[0]?.metadata ?? {};
  if (name === "") return;
  deleteJobs(false)(world, operation);
  for (const { store } of world.clusters)
    if (!store.get("jobs", `${namespace}/${name}`)) store.create("jobs", { metadata: { name, namespace }, spec: {} });
};

const deletePods: Does = (world, operation) => {
  const scene = world.checks.scene();
  const pods = jobsOf(scene, idOf(operation)).flatMap((job) => podsOf(scene, job));
  for (const { api, store } of world.clusters)
    for (const pod of pods) if (store.byUid("pods", pod.metadata.uid) === pod) api.delete("pods", pod, false);
};

/** Somebody has a Job with the very name that the operation's will have: a copy, or a clash of names. */
const impostor: Does = ({ plan, clusters, draw, server }, operation) => {
  const id = idOf(operation);
  const { orchestrator } = plan.operations[operation] ?? { orchestrator: 0 };
  const { cluster, namespace } = plan.orchestrators[orchestrator] ?? { cluster: 0, namespace: "team-a" };
  const { pick } = draw(`impostor ${operation}`);
  // A copy with our fingerprint can only be made of a Job that there was.
  const attempt = server.get(OPERATIONS, id)?.["opjob"] === undefined ? "1" : pick(["1", "7"]);
  const labels = pick([{}, { [LABELS.operation]: id, [LABELS.attempt]: attempt }]);
  const annotations = { [IMPOSTOR]: "", [DATABASE_ANNOTATION]: attempt === "7" ? "simulated" : "another" };
  const name = generatedName(operatorOf(plan.operations[operation]), id, 1);
  const store = clusters[cluster]?.store;
  if (store?.get("jobs", `${namespace}/${name}`)) return;
  store?.create("jobs", { metadata: { name, namespace, labels, annotations }, spec: {} });
};

/** A worker begins on a node that is lost to its cluster: nobody sees its Pod any more, and it still reaches the database. */
const lostWorker: Does = ({ time, server, ledger, trace }, operation) => {
  const claim = server.get(OPERATIONS, idOf(operation))?.["opjob"] as Doc | undefined;
  if (claim?.["uid"] === undefined) return;
  const fate = { bootMs: 0, runMs: 5_000, ends: "completes", lingerMs: 0 } as const;
  const pod = `lost-${idOf(operation).slice(-4)}`;
  trace.note(`${pod} begins`);
  const assignment = { operation: idOf(operation), pod, job: textOf(claim["uid"]), fate, exit: () => undefined };
  startWorker({ time, server, ledger, log: "" }, assignment);
};

/** Whatever a Pod of it waits for is there: somebody has mended it. */
const unblock: Does = (world, operation) => {
  const scene = world.checks.scene();
  const pods = jobsOf(scene, idOf(operation)).flatMap((job) => podsOf(scene, job));
  for (const cluster of world.clusters) for (const { metadata } of pods) cluster.unblock(metadata.uid);
};

const activate =
  (active: boolean): Does =>
  ({ server, time, plan }, operation) => {
    const { orchestrator } = plan.operations[operation] ?? { orchestrator: 0 };
    const at = new Date(time.now);
    const update = active ? { $unset: { deactivated_at: 1 } } : { $set: { deactivated_at: at } };
    const filter = { _id: `record-${orchestrator}` };
    server.write(USER, "orchestrators", { filter, update: { ...update }, many: false, majority: true });
  };

const ACTS: Readonly<Record<ActKind, Does>> = {
  fail: set((now) => ({ run_state: "failed", failed_at: now, result: null }), ["queued", "running"]),
  delete: ({ server }, operation) => server.remove(USER, OPERATIONS, idOf(operation)),
  archive: set(() => ({ archived: true })),
  requeue: set((now) => ({ run_state: "queued", queued_at: now })),
  schedule: set((now) => ({ run_state: "scheduled", scheduled_at: now }), ["queued"]),
  promote: set((now) => ({ run_state: "queued", queued_at: now }), ["scheduled"]),
  "delete-job": deleteJobs(false),
  "delete-job-foreground": deleteJobs(true),
  "delete-pod": deletePods,
  "replace-job": replaceJob,
  impostor,
  "lost-worker": lostWorker,
  unblock,
  deactivate: activate(false),
  reactivate: activate(true),
};
