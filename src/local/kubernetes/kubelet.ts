// The kubelet: one worker for each Pod that is bound to the node, from its binding to its removal.
// It follows the store; how a Pod lives is pod-worker.ts.
import type { Pod } from "./objects.ts";
import { isFinished } from "./objects.ts";
import type { Ending } from "./pod-status.ts";
import { type NodeParts, PodWorker } from "./pod-worker.ts";
import { PODS } from "./resources.ts";
import type { Change } from "./store.ts";

export class Kubelet {
  readonly #parts: NodeParts;
  readonly #workers = new Map<string, { readonly worker: PodWorker; readonly done: Promise<void> }>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    parts.core.store.react((change) => this.#follow(change));
  }

  /** How many Pods have a worker. */
  get size(): number {
    return this.#workers.size;
  }

  /** Ends a Pod's containers. @param grace seconds */
  stopPod(uid: string, grace: number, ending?: Ending): void {
    this.#workers.get(uid)?.worker.stop(grace, ending);
  }

  signal(uid: string, signal: NodeJS.Signals, container?: string): void {
    this.#workers.get(uid)?.worker.signal(signal, container);
  }

  /** Kills everything and waits for it. */
  async stop(): Promise<void> {
    const all = [...this.#workers.values()];
    for (const { worker } of all) worker.stop(0);
    await this.#parts.runtime.stop();
    await Promise.all(all.map(({ done }) => done));
  }

  #follow({ resource, type, kept }: Change): void {
    if (resource !== PODS) return;
    const pod = kept.object as Pod;
    const { uid = "" } = pod.metadata;
    if (this.#workers.has(uid)) this.#followKnown(uid, pod, type === "DELETED");
    else if (type === "DELETED") this.#forget(pod);
    else if (pod.spec.nodeName !== undefined && !isFinished(pod)) this.#begin(pod);
  }

  #followKnown(uid: string, { metadata }: Pod, deleted: boolean): void {
    const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = metadata;
    const grace = deleted ? 0 : deletionGracePeriodSeconds;
    if (deleted || deletionTimestamp) this.#parts.core.clock.soon(() => this.stopPod(uid, grace));
  }

  #begin(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    const worker = new PodWorker(this.#parts, pod);
    const run = async () => {
      await Promise.resolve(); // the store has told everybody of the binding before the worker writes
      await worker.run();
      this.#workers.delete(uid);
      this.#letGo(pod);
    };
    const done = run().catch((error: unknown) => {
      process.emitWarning(`the local kubelet lost a Pod: ${error instanceof Error ? error.stack : String(error)}`);
    });
    this.#workers.set(uid, { worker, done });
  }

  /** The last step of a graceful deletion. */
  #letGo(pod: Pod): void {
    const { namespace, name, uid } = pod.metadata;
    const current = this.#parts.core.store.get(PODS, namespace, name)?.object;
    if (current?.metadata.uid !== uid) this.#forget(pod);
    else if (current?.metadata.deletionTimestamp) this.#parts.core.store.remove(PODS, namespace, name);
  }

  #forget(pod: Pod): void {
    this.#parts.logs.drop(pod.metadata.uid ?? "");
    this.#parts.runtime.drop(pod);
  }
}
