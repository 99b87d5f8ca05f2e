// The simulated API server's answers: create, read, list, replace, delete, as the real one gives them. Each is done at one
// instant. Knows paths and preconditions; nothing of what Jobs and Pods do, nor of networks.
import { NotSimulated } from "../not-simulated.ts";
import {
  isNamed,
  isOwnedBy,
  type KubeObject,
  type Part,
  RESOURCES,
  type Resource,
  selects,
  textOf,
  timestamp,
} from "./objects.ts";
import type { Fresh, KubeStore } from "./store.ts";

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
};
export type Answer = { readonly status: number; readonly body: Part; readonly text?: string };
export type Target = {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
};

const PATH = /^\/(?:api|apis\/[^/]+)\/v1\/namespaces\/([^/]+)\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/;

/** A server may return fewer than it is asked for: few, so that lists have pages. */
const PAGE = 3;

export function targetOf(path: string): Target {
  const [, namespace = "", plural = "", name, subresource] = PATH.exec(path) ?? [];
  const resource = RESOURCES.find((one) => one === plural);
  if (resource === undefined) throw new NotSimulated(`the path ${path} of a cluster`);
  return { resource, namespace: decodeURIComponent(namespace), name, subresource };
}

export const status = (code: number, reason: string, message: string): Answer => ({
  status: code,
  body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message },
});

/** What tells nothing here: there are no Events, and this account may do all. */
function besides(path: string): Answer | undefined {
  if (path.endsWith("/selfsubjectaccessreviews")) return { status: 201, body: { status: { allowed: true } } };
  if (path.endsWith("/events")) return { status: 200, body: { kind: "List", metadata: {}, items: [] } };
  return undefined;
}

export const invalid = ({ metadata: { name } }: Fresh): Answer =>
  status(422, "Invalid", `Job.batch "${name}" is invalid: spec.template: Required value`);

/** With the name of what is not there, as only an API server knows it. */
function notFound({ resource, name }: Target): Answer {
  const answer = status(404, "NotFound", `${resource} "${name}" not found`);
  return { ...answer, body: { ...answer.body, details: { name } } };
}

type Preconditions = { readonly uid?: string; readonly resourceVersion?: string };
type DeleteOptions = { readonly preconditions?: Preconditions; readonly propagationPolicy?: string };

type Kept = { readonly rest: readonly KubeObject[]; readonly version: number };

export class Api {
  readonly #store: KubeStore;
  readonly #namespaces: ReadonlySet<string>;
  /** Snapshots of lists that go on, by their tokens. */
  readonly #lists = new Map<string, Kept>();
  #tokens = 0;

  readonly #refuses: (body: Fresh) => Answer | undefined;

  /** @param refuses what the server answers to the creation of an object that it does not take */
  constructor(store: KubeStore, namespaces: ReadonlySet<string>, refuses: (body: Fresh) => Answer | undefined) {
    this.#store = store;
    this.#refuses = refuses;
    this.#namespaces = namespaces;
  }

  /** Everything but watches. */
  answer(request: Request): Answer {
    return besides(request.path) ?? this.#ofObjects(request);
  }

  #ofObjects(request: Request): Answer {
    const target = targetOf(request.path);
    if (!this.#namespaces.has(target.namespace) && request.method === "POST")
      return status(404, "NotFound", `namespaces "${target.namespace}" not found`);
    if (target.name === undefined) return this.#ofCollection(target, request);
    const key = `${target.namespace}/${target.name}`;
    const found = this.#store.get(target.resource, key);
    if (found === undefined) return notFound(target);
    if (target.subresource === "log") return { status: 200, body: {}, text: logOf(found) };
    switch (request.method) {
      case "GET":
        return { status: 200, body: found };
      case "PUT":
        return this.#replace(target, found, request.body as KubeObject);
      case "DELETE":
        return this.#delete(target, found, (request.body ?? {}) as DeleteOptions);
      default:
        throw new NotSimulated(`${request.method} of one object`);
    }
  }

  /** Old tokens of lists that go on are worth nothing any more. */
  forgetLists(): void {
    this.#lists.clear();
  }

  #ofCollection(target: Target, { method, query = {}, body }: Request): Answer {
    if (method === "POST") return this.#create(target, body as Fresh, query["dryRun"] === "All");
    if (method !== "GET") throw new NotSimulated(`${method} of a collection`);
    const token = query["continue"] as string | undefined;
    const kept = token === undefined ? undefined : this.#lists.get(token);
    if (token !== undefined && kept === undefined)
      return status(410, "Expired", "The provided continue parameter is too old");
    return this.#page(kept ?? { rest: this.list(target, query), version: this.#store.version });
  }

  #page({ rest, version }: Kept): Answer {
    const more = rest.slice(PAGE);
    const next = more.length > 0 ? `page-${++this.#tokens}` : undefined;
    if (next !== undefined) this.#lists.set(next, { rest: more, version });
    const metadata = { resourceVersion: String(version), ...(next !== undefined && { continue: next }) };
    return { status: 200, body: { kind: "List", metadata, items: rest.slice(0, PAGE) } };
  }

  list({ resource, namespace }: Target, query: Request["query"] = {}): readonly KubeObject[] {
    const selector = String(query["labelSelector"] ?? "");
    const fields = String(query["fieldSelector"] ?? "");
    return this.#store
      .all(resource)
      .filter(({ metadata }) => metadata.namespace === namespace && selects(selector, metadata.labels))
      .filter(({ metadata }) => isNamed(fields, metadata));
  }

  #create({ resource, namespace }: Target, body: Fresh, dryRun: boolean): Answer {
    const { name } = body.metadata;
    const refused = this.#refuses(body);
    if (refused !== undefined) return refused;
    if (this.#store.get(resource, `${namespace}/${name}`))
      return status(409, "AlreadyExists", `${resource} "${name}" already exists`);
    const metadata = { ...body.metadata, namespace };
    if (dryRun) return { status: 201, body: { ...body, metadata } };
    return { status: 201, body: this.#store.create(resource, { ...body, metadata }) };
  }

  #replace({ resource }: Target, found: KubeObject, body: KubeObject): Answer {
    const { resourceVersion } = body.metadata;
    if (resourceVersion && resourceVersion !== found.metadata.resourceVersion)
      return status(409, "Conflict", "the object has been modified; please apply your changes to the latest version");
    const { uid, creationTimestamp } = found.metadata;
    const metadata = { ...body.metadata, uid, creationTimestamp };
    return { status: 200, body: this.#store.update(resource, { ...found, ...body, metadata }) };
  }

  #delete(target: Target, found: KubeObject, { preconditions = {}, propagationPolicy }: DeleteOptions): Answer {
    const { uid, resourceVersion } = found.metadata;
    const wrong =
      (preconditions.uid !== undefined && preconditions.uid !== uid) ||
      (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion);
    if (wrong) return status(409, "Conflict", "Precondition failed: UID in precondition differs");
    this.delete(target.resource, found, propagationPolicy === "Foreground");
    return { status: 200, body: { kind: "Status", status: "Success" } };
  }

  /** A Pod, and whatever waits for its dependents, lives on for a while with a deletionTimestamp. */
  delete(resource: Resource, object: KubeObject, foreground: boolean): void {
    if (object.metadata.deletionTimestamp !== undefined) return;
    const waits = resource === "pods" || (foreground && this.#store.all("pods").some((pod) => isOwnedBy(pod, object)));
    const deletionTimestamp = timestamp(this.#store.now());
    if (waits) this.#store.update(resource, { ...object, metadata: { ...object.metadata, deletionTimestamp } });
    else this.#store.remove(resource, object);
  }
}

/** What a worker said: the node writes it into the Pod's status, where no real one has it. */
const logOf = (pod: KubeObject): string => textOf(pod.status?.["log"]);
