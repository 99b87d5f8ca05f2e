// What a daemon may ask of a cluster: to create what was claimed, once for each attempt, and to delete what is not needed, by its
// uid and after a live look. Judged when a call is sent, and at the instant at which it is done. Knows the contract.
import type { Line } from "../calls.ts";
import { type Request, targetOf } from "../kubernetes/api.ts";
import { type KubeObject, keyOf } from "../kubernetes/objects.ts";
import type { Done } from "../kubernetes/speaker.ts";
import type { Plan } from "../plan.ts";
import { OPERATIONS } from "../worker.ts";
import { whyNotDelete, whyNotTidy } from "./failures.ts";
import {
  attemptIn,
  attemptOf,
  documentOf,
  inFlight,
  isEnded,
  isLive,
  isOurs,
  jobsOf,
  mayRunTwice,
  operationOf,
  type Scene,
  type Violate,
} from "./scene.ts";

export type CallJudge = {
  readonly claimed: (operation: string, attempt: number) => void;
  /** When a life asked for a Job last, by its name; undefined: never. */
  readonly askedFor: (life: string, job: KubeObject) => number | undefined;
  readonly sent: (server: string, by: Line, request: Request) => void;
  readonly done: (server: string, done: Done) => void;
  /** A Job of ours came into being. */
  readonly added: (job: KubeObject) => void;
};

type List = { readonly items: readonly KubeObject[] };
type DeleteOptions = { preconditions?: { uid?: string }; propagationPolicy?: string };

/** Whether a container of a Pod had begun when its list was given. */
const hasBegun = ({ status }: KubeObject): boolean =>
  ((status?.["containerStatuses"] ?? []) as { state: { waiting?: unknown } }[]).some(({ state }) => !state.waiting);

/** Of which Job's Pods a list is asked for. */
const jobNamed = ({ query }: Request): string | undefined =>
  /^batch\.kubernetes\.io\/job-name=(.*)$/.exec(String(query?.["labelSelector"]))?.[1];

export function createCallJudge(scene: () => Scene, violate: Violate): CallJudge {
  const claims = new Set<string>();
  const names = new Map<string, string>();
  /** Which Job each life saw last under a name, and has not used to delete it. */
  const seen = new Map<string, string>();
  /** Whether a Pod of a Job had begun when each life listed them last, or asked for a list that was empty and should not be. */
  const begun = new Map<string, boolean>();
  /** When each life asked for a Job last. */
  const asked = new Map<string, number>();

  const created = ({ by }: Done, job: KubeObject): void => {
    const attempt = `${operationOf(job)}/${attemptOf(job)}`;
    const key = keyOf(job.metadata);
    if (!claims.has(attempt)) violate("1: only what was claimed is launched", `${by.name} created ${key}`);
    const name = names.get(attempt) ?? key;
    names.set(attempt, name);
    if (name !== key) violate("1: a Job's name is a function of its attempt", `${name} and ${key}`);
  };
  const mayGoTwice = (name: string): boolean =>
    jobsOf(scene()).some((job) => keyOf(job.metadata) === name && mayRunTwice(documentOf(scene(), operationOf(job))));
  const deletes = (key: string, { body }: Request, name: string): void => {
    const { preconditions, propagationPolicy } = (body ?? {}) as DeleteOptions;
    const uid = preconditions?.uid;
    if (uid === undefined) violate("6: a deletion names the uid", key);
    const looked = seen.has(key) && (uid === undefined || seen.get(key) === uid);
    if (!looked) violate("6: a live look comes before a deletion", key);
    seen.delete(key);
    // Only a Job that is to be made again is waited for.
    if (propagationPolicy === "Foreground" && begun.get(key) !== false && !mayGoTwice(name))
      violate("6: no Job is taken back whose worker was seen", key);
  };
  const looked = (where: string, { request, answer }: Pick<Done, "request" | "answer">): void => {
    const of = jobNamed(request);
    if (of !== undefined && answer.status === 200)
      begun.set(`${where}/${of}`, (answer.body as List).items.some(hasBegun));
  };
  const deleted = ({ by, found }: Done): void => {
    if (found === undefined) return;
    const { uid } = found.metadata;
    if (!isOurs(found)) violate("6: only Jobs of ours are deleted", `${by.name} deleted ${uid}`);
    // Somebody's deletion of it is under way: this one does nothing.
    if (found.metadata.deletionTimestamp !== undefined) return;
    const why = isLive(found) ? whyNotDelete(scene(), found) : whyNotTidy(scene(), found);
    if (why) violate("6: no Job is deleted that is needed", `${by.name} deleted ${uid} although ${why}`);
    judgeOpen(found, by);
  };
  /** What a Job is deleted for must be settled. */
  const judgeOpen = (found: KubeObject, by: Line): void => {
    const doc = documentOf(scene(), operationOf(found));
    const present = doc !== undefined && isEnded(doc) && attemptOf(found) === attemptIn(doc);
    if (present && isLive(found) && scene().server.isOpen(OPERATIONS, operationOf(found), "run_state"))
      violate("6: no Job is deleted for what may be taken back", `${by.name} deleted ${found.metadata.uid}`);
  };

  return {
    claimed: (operation, attempt) => void claims.add(`${operation}/${attempt}`),
    askedFor: (life, job) => asked.get(`${life} ${keyOf(job.metadata)}`),
    sent(server, by, request) {
      const { resource, namespace, name } = targetOf(request.path);
      const key = `${by.name} ${server} ${namespace}/${name}`;
      if (resource === "jobs" && request.method === "DELETE") deletes(key, request, `${namespace}/${name}`);
      if (resource === "jobs" && request.method === "GET")
        asked.set(`${by.name} ${namespace}/${name}`, scene().time.now);
      const pods = `${by.name} ${server} ${namespace}/${jobNamed(request)}`;
      if (resource === "pods" && !begun.has(pods)) begun.set(pods, false);
    },
    done(server, done) {
      const { request, answer, by } = done;
      const { resource, namespace, name } = targetOf(request.path);
      if (resource === "pods") looked(`${by.name} ${server} ${namespace}`, done);
      if (resource !== "jobs") return;
      if (request.method === "POST" && answer.status === 201) created(done, answer.body as KubeObject);
      if (request.method === "DELETE" && answer.status === 200) deleted(done);
      if (request.method === "GET" && name !== undefined && answer.status === 200)
        seen.set(`${by.name} ${server} ${namespace}/${name}`, (answer.body as KubeObject).metadata.uid);
    },
    added(job) {
      const live = jobsOf(scene(), operationOf(job)).filter((one) => isLive(one) && attemptOf(one) === attemptOf(job));
      const uids = live.map(({ metadata }) => metadata.uid).join();
      if (live.length > 1) violate("1: at most one live Job for an attempt", uids);
      const { limit = 0 } = scene().plan;
      const all = inFlight(scene());
      if (limit > 0 && all > limit && canBeCounted(scene().plan))
        violate("5: in flight never exceeds the limits", `${all} of ${limit}`);
    },
  };
}

/**
 * Limits are kept by what is observed: not while watches say nothing, or lists and the database have forgotten what there is, and
 * not between two daemons at once that do not agree by a Lease, or cannot.
 */
const canBeCounted = ({ daemons, lease = false, troubles, hints, incidents }: Plan): boolean =>
  (daemons.length === 1 || (lease && !daemons.some(({ pauses }) => pauses.some(({ frozen }) => frozen)))) &&
  !troubles.some(({ kind }) => kind === "empty-list") &&
  !hints.some(({ of }) => of === "watches") &&
  !incidents.some(({ kind }) => ["silence-watches", "failover", "delete-lease"].includes(kind));
