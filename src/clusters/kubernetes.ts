// The door to a cluster: the few calls of the Kubernetes API that opjob makes, one function each.
// Errors are ours, with the API server's own words. Always batch/v1 and v1 by full path.
import { type Clock, systemClock } from "../clock.ts";
import { OpjobError } from "../errors.ts";
import { isAlreadyThere, isNotFound, isPreconditionFailure, parse, refusal } from "./answers.ts";
import { type Call, type Guard, get, post } from "./call.ts";
import { Connection, type ConnectionOptions, type Reply } from "./connection.ts";
import { type EventQuery, type EventView, fieldsOf, MOST_EVENTS, viewEvents } from "./events.ts";
import type { Access } from "./kubeconfig.ts";
import { type JobView, LABELS, type PodView, viewJob, viewPod } from "./observation.ts";
import type { Right } from "./rights.ts";
import { Traffic, UNLIMITED } from "./traffic.ts";

export type Created =
  | { readonly kind: "created"; readonly job: JobView; readonly warnings: readonly string[] }
  | { readonly kind: "exists" };

/** `how`: with "Foreground" the Job is there until the last of its Pods is gone; else they go after it. */
type Deletion = { readonly guard?: Guard; readonly how?: "Background" | "Foreground" };
export type Resource = "jobs" | "pods";
export type RawObject = Readonly<Record<string, unknown>>;
export type Page = {
  readonly items: RawObject[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
};

/** `follow`: until the container ends. `tailLines`: only so many of the last lines. */
export type LogQuery = { readonly container: string; readonly follow: boolean; readonly tailLines?: number };

export type WatchFrom = { readonly resourceVersion: string; readonly silenceMs?: number };

/** What a cluster is spoken to by: the real one, or one that a simulation answers. */
export type Speaker = Pick<Connection, "call" | "open" | "close"> & Partial<Pick<Connection, "links">>;
export type Connect = (access: Access, options: ConnectionOptions) => Speaker;
export const connect: Connect = (access, options) => new Connection(access, options);

/** An answer that comes piece by piece. */
type Body = Awaited<ReturnType<Speaker["open"]>>["body"];

export type ClusterOptions = Omit<ConnectionOptions, "traffic"> & {
  /** Default: no limit. */
  readonly traffic?: Traffic;
  /** Default: the real one. */
  readonly connect?: Connect;
  /** Default: the system's. */
  readonly clock?: Clock;
};

const PAGE = 500;
/** Bookmarks come about every minute (ms). */
const SILENCE = 120_000;
/** What a node gives with 200 for a log whose file is gone already: these are not the worker's words. */
const NO_LOG =
  /^(unable to retrieve container logs for \S+|failed to try resolving symlinks in path "[^"\n]*": [^\n]*)\s*$/;
/** The API server ends a watch by itself after so many seconds; spread, so that many do not end together. */
const watchSeconds = ({ random }: Clock): number => 270 + Math.floor(random() * 60);

export class Cluster {
  readonly key: string;
  readonly server: string;
  /** The namespace of the kubeconfig's context or of the service account. */
  readonly namespace: string | undefined;
  /** What this API server is spared, shared with the clients of other credentials. */
  readonly traffic: Traffic;
  readonly #connection: Speaker;
  readonly #clock: Clock;

  constructor(access: Access, options: ClusterOptions) {
    this.traffic = options.traffic ?? new Traffic(access.server, UNLIMITED, options.clock);
    this.#connection = (options.connect ?? connect)(access, { ...options, traffic: this.traffic });
    this.#clock = options.clock ?? systemClock;
    this.key = access.key;
    this.server = access.server;
    this.namespace = access.namespace;
  }

  get links(): number {
    return this.#connection.links ?? 0;
  }

  /**
   * Creates a Job. `exists`: a Job of that name is there already.
   * @throws OpjobError JOB_REFUSED, CLUSTER_…; what the guard throws, and then it is not sent (again)
   */
  async createJob(namespace: string, name: string, manifest: unknown, guard?: Guard): Promise<Created> {
    const call = post("jobs", jobs(namespace), `create the Job ${namespace}/${name}`, manifest);
    const reply = await this.#ask({ ...call, guard, query: { fieldValidation: "Warn" } }, isAlreadyThere);
    if (isAlreadyThere(reply)) return { kind: "exists" };
    return { kind: "created", job: viewJob(parse(reply.body, call.act)), warnings: reply.warnings };
  }

  /**
   * Asks the API server to take a Job as if it were created (`dryRun=All`), admission included: nothing is stored.
   * @returns its warnings, such as fields that it does not know
   * @throws OpjobError JOB_REFUSED, CLUSTER_…
   */
  async tryJob(namespace: string, name: string, manifest: unknown): Promise<readonly string[]> {
    const call = post("jobs", jobs(namespace), `try the Job ${namespace}/${name}`, manifest);
    return (await this.#ask({ ...call, query: { dryRun: "All", fieldValidation: "Warn" } })).warnings;
  }

  /** Whether this account may do something in a namespace: every account may ask. @throws OpjobError CLUSTER_… */
  async mayI(namespace: string, { group, resource, subresource, verb }: Right): Promise<boolean> {
    const resourceAttributes = { namespace, group, resource, subresource, verb };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const call = post("selfsubjectaccessreviews", path, `ask whether it allows to ${verb} ${resource}`, body);
    const review = parse((await this.#ask(call)).body, call.act) as { status?: { allowed?: boolean } };
    return review.status?.allowed === true;
  }

  /** The API server's version; undefined: it does not tell this account. @throws OpjobError CLUSTER_… */
  async version(): Promise<string | undefined> {
    const call = get("version", "/version", "read its version");
    const reply = await this.#ask(call, ({ status }) => status === 403 || status === 404);
    return reply.status >= 300 ? undefined : (parse(reply.body, call.act) as { gitVersion?: string }).gitVersion;
  }

  /** The Job as it is now; undefined: the API server says that there is none. */
  async getJob(namespace: string, name: string): Promise<JobView | undefined> {
    const call = get("jobs", `${jobs(namespace)}/${name}`, `read the Job ${namespace}/${name}`);
    const reply = await this.#ask(call, ({ status }) => status === 404);
    // A proxy or a load balancer on the way may answer 404 as well; from that nothing may be concluded.
    if (isNotFound(reply, name)) return undefined;
    if (reply.status === 404) throw new OpjobError("CLUSTER_ERROR", `${strange404(this.server)} to ${call.act}.`);
    return viewJob(parse(reply.body, call.act));
  }

  /**
   * Deletes the Job with this uid and, after it, its Pods. true: it is gone or going.
   * false: another Job has its name, which is left alone (the API server compares the uid).
   * @throws OpjobError CLUSTER_…; what the guard throws, and then it is not sent (again)
   */
  async deleteJob(namespace: string, name: string, uid: string, { guard, how }: Deletion = {}): Promise<boolean> {
    const propagationPolicy = how ?? "Background";
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy, preconditions: { uid } };
    const act = `delete the Job ${namespace}/${name}`;
    const path = `${jobs(namespace)}/${name}`;
    const call: Call = { method: "DELETE", path, body, act, guard, verb: "delete", resource: "jobs" };
    const reply = await this.#ask(call, (answer) => answer.status === 404 || isPreconditionFailure(answer));
    return !isPreconditionFailure(reply);
  }

  /** The Pods of a Job as they are now. */
  async podsOf({ namespace, name }: Pick<JobView, "namespace" | "name">): Promise<PodView[]> {
    const call = get("pods", pathOf("pods", namespace), `list the Pods of Job ${namespace}/${name}`);
    return (await this.#list(call, { labelSelector: `batch.kubernetes.io/job-name=${name}` })).map(viewPod);
  }

  /** What Events tell of one object, or of all that had this reason, in the order in which it happened. @throws OpjobError */
  async events(namespace: string, about: EventQuery): Promise<EventView[]> {
    const call = get("events", pathOf("events", namespace), `list Events in ${namespace}`);
    return viewEvents(await this.#list(call, { fieldSelector: fieldsOf(about), limit: MOST_EVENTS }));
  }

  /** The last log lines of a container; empty where the Pod or its log is gone. @param query `previous`: of the run before */
  async podLog(
    namespace: string,
    pod: string,
    query: { container: string; tailLines: number; limitBytes: number; previous?: boolean },
  ): Promise<string> {
    const path = `${pathOf("pods", namespace)}/${pod}/log`;
    const call = { ...get("pods/log", path, `read the log of Pod ${namespace}/${pod}`), query };
    const reply = await this.#ask(call, ({ status }) => status === 404 || status === 400);
    return reply.status >= 300 || NO_LOG.test(reply.body) ? "" : reply.body;
  }

  /**
   * Opens a container's log, to be read as it comes; the caller reads or destroys it. undefined: the Pod or its log is gone.
   * @throws OpjobError CLUSTER_…
   */
  openLog(namespace: string, pod: string, query: LogQuery, signal: AbortSignal): Promise<Body | undefined> {
    const path = `${pathOf("pods", namespace)}/${pod}/log`;
    const call = { ...get("pods/log", path, `read the log of Pod ${namespace}/${pod}`), query: { ...query } };
    return this.#open(call, { gone: [400, 404], silenceMs: 0 }, signal);
  }

  /** One page of our Jobs or Pods. `undefined`: the continue token is too old (410), list from the start. */
  async listPage(resource: Resource, namespace: string, token: string | undefined): Promise<Page | undefined> {
    const query = { labelSelector: LABELS.operation, limit: PAGE, continue: token };
    const call = get(resource, pathOf(resource, namespace), `list ${resource} in ${namespace}`);
    const reply = await this.#ask({ ...call, query, verb: "list" }, ({ status }) => status === 410);
    if (reply.status === 410) return undefined;
    const { items = [], metadata } = parse(reply.body, call.act) as ListBody;
    return { items, resourceVersion: metadata?.resourceVersion ?? "", continue: metadata?.continue || undefined };
  }

  /**
   * Opens a watch from a resourceVersion. The answer's lines are events; the caller reads or destroys it.
   * @param silenceMs no line for so long: the connection is dead, and reading throws
   * @throws OpjobError; 410 comes as `undefined`: relist
   */
  watch(resource: Resource, namespace: string, from: WatchFrom, signal: AbortSignal): Promise<Body | undefined> {
    const { resourceVersion, silenceMs = SILENCE } = from;
    const query = {
      labelSelector: LABELS.operation,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: watchSeconds(this.#clock),
    };
    const call = get(resource, pathOf(resource, namespace), `watch ${resource} in ${namespace}`);
    return this.#open({ ...call, query, verb: "watch" }, { gone: [410], silenceMs }, signal);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Sends a call. Every refusal is thrown, but those that the caller reads himself. */
  async #ask(call: Call, known: (reply: Reply) => boolean = () => false): Promise<Reply> {
    const reply = await this.#connection.call(call);
    if (reply.status >= 300 && !known(reply)) throw refusal(reply, call.act, this.server);
    return reply;
  }

  /** An answer that is read as it comes; undefined: it says by one of these statuses that there is nothing to read. */
  async #open(call: Call, { gone, silenceMs }: Opening, signal: AbortSignal): Promise<Body | undefined> {
    const { status, body, retryAfterMs } = await this.#connection.open(call, signal, silenceMs);
    if (status === 200) return body;
    const text = await body.text();
    if (gone.includes(status)) return undefined;
    throw refusal({ status, body: text, retryAfterMs }, call.act, this.server);
  }

  async #list(call: Call, query: NonNullable<Call["query"]>): Promise<RawObject[]> {
    const reply = await this.#ask({ ...call, query, verb: "list" });
    return (parse(reply.body, call.act) as ListBody).items ?? [];
  }
}

type Opening = { readonly gone: readonly number[]; readonly silenceMs: number };
type ListBody = { items?: RawObject[]; metadata?: { resourceVersion?: string; continue?: string } };

const jobs = (namespace: string): string => pathOf("jobs", namespace);
const pathOf = (resource: Resource | "events", namespace: string): string =>
  `/${resource === "jobs" ? "apis/batch/v1" : "api/v1"}/namespaces/${encodeURIComponent(namespace)}/${resource}`;

const strange404 = (server: string): string =>
  `The cluster ${server} answered 404 without naming the Job, as something on the way to it may do, after trying`;
