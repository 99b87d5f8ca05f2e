// The faults of the node and its Pods, for tests and demos: evictions, kills, images that cannot be pulled, no room, no node.
// Faults of requests are in faults.ts.
import type { Core } from "./core.ts";
import { deleteObject } from "./deletion.ts";
import type { Images } from "./images.ts";
import type { Kubelet } from "./kubelet.ts";
import type { Capacity, NodeOptions } from "./node.ts";
import { PLENTY } from "./node.ts";
import { birth, type KubeObject, type Pod } from "./objects.ts";
import { NODES, PODS } from "./resources.ts";
import type { Scheduler } from "./scheduler.ts";
import type { PodName, SimulatedRuntime } from "./simulated-runtime.ts";

export type NodeFaultParts = {
  readonly core: Core;
  readonly kubelet: Kubelet;
  readonly scheduler: Scheduler;
  readonly images: Images;
  readonly simulated: SimulatedRuntime | undefined;
};

export class NodeFaults {
  readonly #parts: NodeFaultParts;

  constructor(parts: NodeFaultParts) {
    this.#parts = parts;
  }

  /** Images whose name matches cannot be pulled (ErrImagePull, ImagePullBackOff). @returns the undo */
  refuseImage(pattern: RegExp | string): () => void {
    return this.#parts.images.refuse(pattern);
  }

  allowImages(): void {
    this.#parts.images.allowAll();
  }

  /** Changes what the node offers to new Pods, for instance `{ cpu: "0" }`; what is not named stays. */
  setCapacity(capacity: Capacity): void {
    const { scheduler } = this.#parts;
    scheduler.offer({ capacity: { ...scheduler.node.capacity, ...capacity } });
  }

  /** Changes the node's labels, taints or acceptAll for new Pods. */
  setNode(change: Omit<NodeOptions, "name" | "capacity">): void {
    this.#parts.scheduler.offer(change);
  }

  /** Ends a Pod as the kubelet does under pressure: phase Failed, reason Evicted; the Pod stays. */
  evict(name: PodName, message = "The node was low on resource: memory. "): void {
    const pod = this.#pod(name);
    this.#parts.core.events.record(pod, { type: "Warning", reason: "Evicted", message, component: "kubelet" });
    this.#parts.kubelet.stopPod(pod.metadata.uid ?? "", 0, { phase: "Failed", reason: "Evicted", message });
  }

  /** Kills a Pod's containers (or one of them) from outside. @param reason what a simulated container says, e.g. OOMKilled */
  killContainer(
    name: PodName,
    how: { readonly container?: string; readonly signal?: NodeJS.Signals; readonly reason?: string } = {},
  ): void {
    const { kubelet, simulated } = this.#parts;
    if (simulated && how.reason !== undefined) simulated.finish(name, 137, how.reason);
    else kubelet.signal(this.#pod(name).metadata.uid ?? "", how.signal ?? "SIGKILL", how.container);
  }

  /** Deletes a Pod by force, as somebody else would. */
  deletePod(name: PodName): void {
    const kept = this.#parts.core.store.get(PODS, name.namespace, name.name);
    if (kept) deleteObject(this.#parts.core, PODS, kept, { gracePeriodSeconds: 0 });
  }

  /** Takes the node away: its Pods are gone at once, and none is placed until it is back. */
  deleteNode(): void {
    const { store } = this.#parts.core;
    store.remove(NODES, undefined, this.#parts.scheduler.node.name);
    for (const { object } of [...store.all(PODS)]) {
      const { namespace = "", name } = object.metadata;
      if ((object as Pod).spec.nodeName !== undefined) this.deletePod({ namespace, name });
    }
  }

  /** Brings the node (back). */
  addNode(): void {
    const { core, scheduler } = this.#parts;
    if (!core.store.get(NODES, undefined, scheduler.node.name))
      core.store.create(NODES, nodeObject(scheduler.node, core.clock.now()));
  }

  #pod({ namespace, name }: PodName): Pod {
    const pod = this.#parts.core.store.get(PODS, namespace, name)?.object;
    if (!pod) throw new Error(`there is no Pod ${namespace}/${name}`);
    return pod as Pod;
  }
}

function nodeObject(
  { name, labels = {}, taints, capacity }: NodeOptions & { readonly name: string },
  now: number,
): KubeObject {
  const all = { ...PLENTY, ...capacity };
  return {
    kind: "Node",
    apiVersion: "v1",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels }, ...birth(now) },
    spec: taints ? { taints } : {},
    status: {
      capacity: all,
      allocatable: all,
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
      ],
    },
  };
}
