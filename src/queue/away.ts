// Away: who was put off because the cluster did not answer, and comes again by a pause of its own. When it answers again that pause
// is for nothing: one is tried at once, and with the first that works all the others. Holds ids, in memory; decides nothing.

/** Codes of faults that pass when the cluster answers again. */
const AWAY: readonly string[] = ["CLUSTER_UNREACHABLE", "CLUSTER_OVERLOADED", "CLUSTER_ERROR"];
export const isAway = (code: string | undefined): boolean => code !== undefined && AWAY.includes(code);

export class Away {
  /** By orchestrator, in the order in which they were put off. */
  readonly #ids = new Map<string, Set<string>>();
  /** Orchestrators whose cluster answers again: with the next success all go. Without that each success would make them go. */
  readonly #returning = new Set<string>();

  /** It comes again by itself. `code`: of the fault that puts it off. */
  putOff(orchestrator: string, id: string, code: string | undefined): void {
    this.forget(id);
    if (!isAway(code)) return;
    const ids = this.#ids.get(orchestrator);
    if (ids === undefined) this.#ids.set(orchestrator, new Set([id]));
    else ids.add(id);
  }

  /** It is not put off any more. */
  forget(id: string): void {
    for (const [orchestrator, ids] of this.#ids) if (ids.delete(id) && ids.size === 0) this.#ids.delete(orchestrator);
  }

  /** The cluster answers again. @returns whom to try; if it is put off once more, it goes behind the others */
  answered(orchestrator: string): string | undefined {
    const [first] = this.#ids.get(orchestrator) ?? [];
    if (first === undefined) return undefined;
    this.forget(first);
    this.#returning.add(orchestrator);
    return first;
  }

  /** One could be launched. `tried`: by it was tried whether any can. @returns those who need not wait any more */
  launched(orchestrator: string, tried: boolean): ReadonlySet<string> {
    const returning = this.#returning.delete(orchestrator);
    const ids = this.#ids.get(orchestrator);
    if (ids === undefined || !(tried || returning)) return NOBODY;
    this.#ids.delete(orchestrator);
    return ids;
  }

  /** Forgets orchestrators that are gone. */
  retain(orchestrators: readonly string[]): void {
    for (const known of [this.#ids, this.#returning]) {
      for (const id of known.keys()) if (!orchestrators.includes(id)) known.delete(id);
    }
  }

  /** Ids in memory. */
  get size(): number {
    return [...this.#ids.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

const NOBODY: ReadonlySet<string> = new Set();
