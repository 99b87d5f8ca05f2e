// The scheduler: binds Pods to the one node while there is room, in the order of their creation, and says why not otherwise.
// It writes spec.nodeName and the PodScheduled condition; it knows nothing of how Pods run.
import type { Core } from "./core.ts";
import { type NodeOptions, refusalsOf, requestsOf, unschedulable } from "./node.ts";
import { isFinished, type Pod, withCondition } from "./objects.ts";
import { NODES, PODS } from "./resources.ts";
import type { Change } from "./store.ts";

export class Scheduler {
  readonly #core: Core;
  readonly #waiting = new Set<string>();
  readonly #placed = new Map<string, Readonly<Record<string, number>>>();
  readonly #used: Record<string, number> = {};
  #node: NodeOptions & { readonly name: string };
  #woken = false;

  constructor(core: Core, node: NodeOptions & { readonly name: string }) {
    this.#core = core;
    this.#node = node;
    core.store.react((change) => this.#follow(change));
  }

  get node(): NodeOptions & { readonly name: string } {
    return this.#node;
  }

  /** Changes what the node offers; Pods that run already stay. */
  offer(change: Partial<NodeOptions>): void {
    this.#node = { ...this.#node, ...change };
    this.#wake();
  }

  #follow({ resource, type, kept }: Change): void {
    if (resource === NODES) this.#wake();
    if (resource !== PODS) return;
    const pod = kept.object as Pod;
    const { namespace, name, uid = "" } = pod.metadata;
    const key = `${namespace}/${name}`;
    if (type === "DELETED" || isFinished(pod)) {
      this.#waiting.delete(key);
      this.#free(uid);
    } else if (pod.spec.nodeName === undefined) {
      if (type === "ADDED") this.#waiting.add(key);
      if (type === "ADDED") this.#wake();
    } else this.#take(uid, pod);
  }

  #take(uid: string, pod: Pod): void {
    if (this.#placed.has(uid)) return;
    const amounts = requestsOf(pod);
    this.#placed.set(uid, amounts);
    for (const [name, amount] of Object.entries(amounts)) this.#used[name] = (this.#used[name] ?? 0) + amount;
  }

  #free(uid: string): void {
    const amounts = this.#placed.get(uid);
    if (!amounts) return;
    this.#placed.delete(uid);
    for (const [name, amount] of Object.entries(amounts)) this.#used[name] = (this.#used[name] ?? 0) - amount;
    if (this.#waiting.size > 0) this.#wake();
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#core.clock.soon(() => {
      this.#woken = false;
      for (const key of [...this.#waiting]) this.#place(key);
    });
  }

  #place(key: string): void {
    const [namespace, name = ""] = key.split("/");
    const pod = this.#core.store.get(PODS, namespace, name)?.object as Pod | undefined;
    if (!pod) return;
    const there = this.#core.store.get(NODES, undefined, this.#node.name) !== undefined;
    const refusals = there ? refusalsOf(pod, this.#node, this.#used) : [];
    if (there && refusals.length === 0) this.#bind(pod, key);
    else this.#refuse(pod, there ? unschedulable(refusals) : "no nodes available to schedule pods");
  }

  #bind(pod: Pod, key: string): void {
    this.#waiting.delete(key);
    const conditions = this.#conditions(pod, { type: "PodScheduled", status: "True" });
    const spec = { ...pod.spec, nodeName: this.#node.name };
    this.#core.store.update(PODS, { ...pod, spec, status: { ...pod.status, conditions } });
    const { namespace, name } = pod.metadata;
    const message = `Successfully assigned ${namespace}/${name} to ${this.#node.name}`;
    this.#core.events.record(pod, { reason: "Scheduled", message, component: "default-scheduler" });
  }

  #refuse(pod: Pod, message: string): void {
    const known = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
    if (known?.message === message) return;
    const refused = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    this.#core.store.update(PODS, { ...pod, status: { ...pod.status, conditions: this.#conditions(pod, refused) } });
    const occurrence = {
      type: "Warning",
      reason: "FailedScheduling",
      message,
      component: "default-scheduler",
    } as const;
    this.#core.events.record(pod, occurrence);
  }

  #conditions(
    pod: Pod,
    { type, status, ...more }: { type: string; status: "True" | "False"; reason?: string; message?: string },
  ) {
    const condition = { type, status, lastProbeTime: null, ...more };
    return withCondition(pod.status.conditions, condition, this.#core.clock.now());
  }
}
