// The door to one Lease (coordination.k8s.io/v1): read, written by compare-and-set, waited for. Knows the object; nothing of what
// holding it means.
import { type Clock, systemClock } from "../clock.ts";
import { OpjobError } from "../errors.ts";
import { refusal } from "./answers.ts";
import { type Call, get, post } from "./call.ts";
import type { RawObject, Speaker } from "./kubernetes.ts";
import { linesOf } from "./watch.ts";

export type Lease = {
  /** Empty: nobody holds it. */
  readonly holder: string;
  readonly durationMs: number;
  /** `leaseTransitions`, which is only ever raised. */
  readonly epoch: number;
  /** Whose Lease it is among those who may share a namespace; empty: nobody said. */
  readonly instance: string;
  /** `resourceVersion`: of the object as it was read. */
  readonly version: string;
  readonly raw: RawObject;
};

/** What is written of it. Times in milliseconds since 1970; they are for people, and nobody judges by them. */
export type LeaseClaim = Pick<Lease, "holder" | "durationMs" | "epoch" | "instance"> & {
  readonly acquiredAt: number;
  readonly renewedAt: number;
};

export type LeaseDoor = {
  /** undefined: there is none. @throws OpjobError CLUSTER_… */
  get(): Promise<Lease | undefined>;
  /** Writes it if it still is as it was read (undefined: there is none yet). undefined: somebody else came first. */
  put(read: Lease | undefined, claim: LeaseClaim): Promise<Lease | undefined>;
  /** Resolves when it changes, after so long, or when the signal is aborted. @throws OpjobError CLUSTER_… */
  changed(read: Lease, ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

export type LeaseName = { readonly namespace: string; readonly name: string };

const INSTANCE = "opjob/instance";

export function openLease(speaker: Speaker, server: string, lease: LeaseName, clock: Clock = systemClock): LeaseDoor {
  const { namespace, name } = lease;
  const all = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const one = `${all}/${encodeURIComponent(name)}`;
  const which = `the Lease ${namespace}/${name}`;

  const ask = async (call: Call, known: readonly number[]): Promise<Lease | undefined> => {
    const reply = await speaker.call(call);
    if (known.includes(reply.status)) return undefined;
    if (reply.status >= 300) throw refusal(reply, call.act, server);
    return viewLease(parse(reply.body, call.act));
  };
  return {
    get: () => ask(get("leases", one, `read ${which}`), [404]),
    put(read, claim) {
      const object = leaseObject(read?.raw ?? {}, { namespace, name }, claim);
      if (read === undefined) return ask({ ...post("leases", all, `create ${which}`, object), once: true }, [409]);
      const call: Call = {
        method: "PUT",
        path: one,
        act: `write ${which}`,
        body: object,
        verb: "update",
        resource: "leases",
      };
      return ask({ ...call, once: true }, [404, 409]);
    },
    async changed({ version }, ms, signal) {
      const query = {
        watch: true,
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: version,
        timeoutSeconds: Math.ceil(ms / 1_000),
      };
      const call: Call = { method: "GET", path: all, query, act: `watch ${which}`, verb: "watch", resource: "leases" };
      const waited = new AbortController();
      const timer = clock.after(ms, () => waited.abort());
      const over = AbortSignal.any([signal, waited.signal]);
      try {
        const { status, body, retryAfterMs } = await speaker.open(call, over, ms + 1_000);
        if (status !== 200) throw refusal({ status, body: await body.text(), retryAfterMs }, call.act, server);
        // Whatever the first line says, it is read again.
        for await (const _ of linesOf(body)) break;
        body.destroy();
      } catch (error) {
        if (!over.aborted) throw error;
      } finally {
        timer.cancel();
      }
    },
    close: () => speaker.close(),
  };
}

/** What others wrote to it stays. */
function leaseObject(raw: RawObject, { namespace, name }: LeaseName, claim: LeaseClaim): RawObject {
  const metadata = objectOf(raw["metadata"]);
  const annotations = { ...objectOf(metadata["annotations"]), [INSTANCE]: claim.instance };
  return {
    ...raw,
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { ...metadata, namespace, name, annotations },
    spec: {
      ...objectOf(raw["spec"]),
      holderIdentity: claim.holder,
      leaseDurationSeconds: Math.max(1, Math.ceil(claim.durationMs / 1_000)),
      acquireTime: microTime(claim.acquiredAt),
      renewTime: microTime(claim.renewedAt),
      leaseTransitions: claim.epoch,
    },
  };
}

function viewLease(raw: RawObject): Lease {
  const metadata = objectOf(raw["metadata"]);
  const spec = objectOf(raw["spec"]);
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    holder: text(spec["holderIdentity"]),
    durationMs: Number(spec["leaseDurationSeconds"] ?? 0) * 1_000,
    epoch: Number(spec["leaseTransitions"] ?? 0),
    instance: text(objectOf(metadata["annotations"])[INSTANCE]),
    version: text(metadata["resourceVersion"]),
    raw,
  };
}

/** Kubernetes' MicroTime wants exactly six digits after the second. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

const objectOf = (value: unknown): RawObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as RawObject) : {};

function parse(body: string, act: string): RawObject {
  try {
    return objectOf(JSON.parse(body));
  } catch (cause) {
    throw new OpjobError("CLUSTER_ERROR", `The answer could not be read after trying to ${act}: it is not JSON.`, {
      cause,
    });
  }
}

/** When its holder renewed it, by the holder's own clock (ms since 1970): for people, and nobody judges by it. */
export function renewedAt({ raw }: Pick<Lease, "raw">): number | undefined {
  const at = Date.parse(String(objectOf(raw["spec"])["renewTime"]));
  return Number.isNaN(at) ? undefined : at;
}
