// The door to a cluster: the few calls of the Kubernetes API that opjob makes, one function each.
// Errors are ours, with the API server's own words. Always batch/v1 and v1 by full path.
import { OpjobError } from "../errors.ts";
import { parseStatus, refusal } from "./answers.ts";
import { type Call, Connection, type ConnectionOptions } from "./connection.ts";
import { type EventQuery, type EventView, fieldsOf, MOST_EVENTS, viewEvents } from "./events.ts";
import type { Access } from "./kubeconfig.ts";
import { type JobView, LABELS, type PodView, viewJob, viewPod } from "./observation.ts";

export type Created =
  | { readonly kind: "created"; readonly job: JobView; readonly warnings: readonly string[] }
  | { readonly kind: "exists" };

export type Resource = "jobs" | "pods";
export type RawObject = Readonly<Record<string, unknown>>;
export type Page = {
  readonly items: RawObject[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
};

const PAGE = 500;
/** The API server ends a watch by itself after so many seconds; spread, so that many do not end together. */
const watchSeconds = (): number => 270 + Math.floor(Math.random() * 60);

export class Cluster {
  readonly key: string;
  readonly server: string;
  /** The namespace of the kubeconfig's context or of the service account. */
  readonly namespace: string | undefined;
  readonly #connection: Connection;

  constructor(access: Access, options: ConnectionOptions) {
    this.#connection = new Connection(access, options);
    this.key = access.key;
    this.server = access.server;
    this.namespace = access.namespace;
  }

  /**
   * Creates a Job. `exists`: a Job of that name is there already.
   * @throws OpjobError JOB_REFUSED, CLUSTER_…
   */
  async createJob(namespace: string, name: string, manifest: unknown): Promise<Created> {
    const act = `create the Job ${namespace}/${name}`;
    const call: Call = {
      method: "POST",
      path: jobs(namespace),
      query: { fieldValidation: "Warn" },
      body: manifest,
      act,
      verb: "create",
      resource: "jobs",
    };
    const reply = await this.#connection.call(call);
    if (reply.status === 409 && parseStatus(reply.body).reason === "AlreadyExists") return { kind: "exists" };
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    return { kind: "created", job: viewJob(parse(reply.body, act)), warnings: reply.warnings };
  }

  /** The Job as it is now; undefined: the API server says that there is none. */
  async getJob(namespace: string, name: string): Promise<JobView | undefined> {
    const act = `read the Job ${namespace}/${name}`;
    const reply = await this.#connection.call({
      method: "GET",
      path: `${jobs(namespace)}/${name}`,
      act,
      verb: "get",
      resource: "jobs",
    });
    // A proxy or a load balancer on the way may answer 404 as well; from that nothing may be concluded.
    if (reply.status === 404 && names(reply.body, name)) return undefined;
    if (reply.status === 404) throw new OpjobError("CLUSTER_ERROR", `${strange404(this.server)} to ${act}.`);
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    return viewJob(parse(reply.body, act));
  }

  /**
   * Deletes the Job with this uid and, after it, its Pods. true: it is gone or going.
   * false: another Job has its name, which is left alone (the API server compares the uid).
   */
  async deleteJob(namespace: string, name: string, uid: string): Promise<boolean> {
    const act = `delete the Job ${namespace}/${name}`;
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background", preconditions: { uid } };
    const reply = await this.#connection.call({
      method: "DELETE",
      path: `${jobs(namespace)}/${name}`,
      body,
      act,
      verb: "delete",
      resource: "jobs",
    });
    if (reply.status === 409) return false;
    if (reply.status >= 300 && reply.status !== 404) throw refusal(reply, act, this.server);
    return true;
  }

  /** The Pods of a Job as they are now. */
  async podsOf({ namespace, name }: Pick<JobView, "namespace" | "name">): Promise<PodView[]> {
    const act = `list the Pods of Job ${namespace}/${name}`;
    const query = { labelSelector: `batch.kubernetes.io/job-name=${name}` };
    const reply = await this.#connection.call({
      method: "GET",
      path: pathOf("pods", namespace),
      query,
      act,
      verb: "list",
      resource: "pods",
    });
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    return ((parse(reply.body, act) as { items?: RawObject[] }).items ?? []).map(viewPod);
  }

  /** What Events tell of one object, or of all that had this reason, in the order in which it happened. @throws OpjobError */
  async events(namespace: string, about: EventQuery): Promise<EventView[]> {
    const act = `list Events in ${namespace}`;
    const reply = await this.#connection.call({
      method: "GET",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
      query: { fieldSelector: fieldsOf(about), limit: MOST_EVENTS },
      act,
      verb: "list",
      resource: "events",
    });
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    return viewEvents((parse(reply.body, act) as { items?: RawObject[] }).items ?? []);
  }

  /** The last log lines of a container; empty where the Pod or its log is gone. @param query `previous`: of the run before */
  async podLog(
    namespace: string,
    pod: string,
    query: { container: string; tailLines: number; limitBytes: number; previous?: boolean },
  ): Promise<string> {
    const act = `read the log of Pod ${namespace}/${pod}`;
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    const reply = await this.#connection.call({ method: "GET", path, query, act, verb: "get", resource: "pods/log" });
    if (reply.status === 404 || reply.status === 400) return "";
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    return reply.body;
  }

  /** One page of our Jobs or Pods. `undefined`: the continue token is too old (410), list from the start. */
  async listPage(resource: Resource, namespace: string, token: string | undefined): Promise<Page | undefined> {
    const act = `list ${resource} in ${namespace}`;
    const query = { labelSelector: LABELS.operation, limit: PAGE, continue: token };
    const reply = await this.#connection.call({
      method: "GET",
      path: pathOf(resource, namespace),
      query,
      act,
      verb: "list",
      resource,
    });
    if (reply.status === 410) return undefined;
    if (reply.status >= 300) throw refusal(reply, act, this.server);
    const { items, metadata } = parse(reply.body, act) as {
      items?: RawObject[];
      metadata?: { resourceVersion?: string; continue?: string };
    };
    return {
      items: items ?? [],
      resourceVersion: metadata?.resourceVersion ?? "",
      continue: metadata?.continue || undefined,
    };
  }

  /**
   * Opens a watch from a resourceVersion. The answer's lines are events; the caller reads or destroys it.
   * @throws OpjobError; 410 comes as `undefined`: relist
   */
  async watch(resource: Resource, namespace: string, resourceVersion: string, signal: AbortSignal) {
    const act = `watch ${resource} in ${namespace}`;
    const query = {
      labelSelector: LABELS.operation,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: watchSeconds(),
    };
    const call: Call = { method: "GET", path: pathOf(resource, namespace), query, act, verb: "watch", resource };
    const response = await this.#connection.open(call, signal);
    if (response.statusCode === 200) return response.body;
    const body = await response.body.text();
    if (response.statusCode === 410) return undefined;
    throw refusal({ status: response.statusCode, body, retryAfter: undefined }, act, this.server);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

const jobs = (namespace: string): string => `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`;
const pathOf = (resource: Resource, namespace: string): string =>
  resource === "jobs" ? jobs(namespace) : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;

/** Whether a 404 is the API server's own word about this object. */
function names(body: string, name: string): boolean {
  const { reason, details } = parseStatus(body) as { reason?: string; details?: { name?: string } };
  return reason === "NotFound" && details?.name === name;
}

const strange404 = (server: string): string =>
  `The cluster ${server} answered 404 without naming the Job, as something on the way to it may do, after trying`;

function parse(body: string, act: string): RawObject {
  try {
    return JSON.parse(body) as RawObject;
  } catch (cause) {
    throw new OpjobError(
      "CLUSTER_ERROR",
      `The cluster's answer could not be read after trying to ${act}: it is not JSON.`,
      { cause },
    );
  }
}
