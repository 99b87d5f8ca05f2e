// Lines: the first of those who wait for each orchestrator, in memory. The whole queue stays in the database: a line that
// runs dry is filled from there, so memory does not grow with the queue. Holds ids, decides nothing.
import { inOrder, type Line, type Waiting } from "../operations/line.ts";

/** `kept`: claimed, but put off, so that the database does not list them among those who wait for a claim. */
type InMemory = { first: Waiting[]; kept: Waiting[]; more: boolean };

/** How many ids are kept over all lines, and of one line at the least and at the most. */
const LENGTH = { all: 20_000, least: 50, most: 1_000 };

export class Lines {
  readonly #lines = new Map<string, InMemory>();
  /** `more`: too many came to keep them all. */
  #arrived: { readonly kept: { target: string; waiting: Waiting }[]; more: boolean } | undefined;

  /** How many of each line are worth reading. */
  static length(targets: number): number {
    return Math.min(LENGTH.most, Math.max(LENGTH.least, Math.floor(LENGTH.all / Math.max(1, targets))));
  }

  /** One more waits. `length`: how long a line may grow; those at its end stay in the database. */
  offer(target: string, waiting: Waiting, { kept, length }: { kept: boolean; length: number }): void {
    if (!kept) this.#arrive(target, waiting);
    const line = this.#line(target);
    const among = kept ? line.kept : line.first;
    if (among.some(({ id }) => id === waiting.id)) return;
    const at = positionOf(among, waiting);
    if (!kept && line.more && at === among.length) return;
    among.splice(at, 0, waiting);
    if (!kept && among.length > length) {
      among.pop();
      line.more = true;
    }
  }

  /** Begins to fill: who comes meanwhile is not forgotten when the answer is an older one. */
  begin(): void {
    this.#arrived = { kept: [], more: false };
  }

  /** Puts what the database says of these targets in the place of what was known. `skip`: not any more, or already chosen. */
  fill(targets: readonly string[], lines: readonly Line[], skip: (id: string) => boolean): void {
    const arrived = this.#arrived ?? { kept: [], more: false };
    this.#arrived = undefined;
    for (const target of targets) {
      const found = lines.find((one) => one.target === target);
      const line = this.#line(target);
      line.first = (found?.first ?? [])
        .filter(({ id }) => !skip(id))
        .map(({ id, priority, queuedAt }) => ({ id, priority, queuedAt }));
      line.more = arrived.more || (found !== undefined && found.count > found.first.length);
    }
    for (const { target, waiting } of arrived.kept) {
      if (targets.includes(target) && !skip(waiting.id)) {
        this.offer(target, waiting, { kept: false, length: LENGTH.most });
      }
    }
  }

  next(target: string): Waiting | undefined {
    const { first = [], kept = [] } = this.#lines.get(target) ?? {};
    const [a, b] = [first[0], kept[0]];
    return a !== undefined && b !== undefined && inOrder(b, a) < 0 ? b : (a ?? b);
  }

  /** Takes the next one out. */
  take(target: string): Waiting | undefined {
    const next = this.next(target);
    const line = this.#lines.get(target);
    if (next !== undefined && line !== undefined) (line.first[0] === next ? line.first : line.kept).shift();
    return next;
  }

  /** Whether somebody waits, in memory or in the database as far as is known. */
  waits(target: string): boolean {
    const line = this.#lines.get(target);
    return line !== undefined && (line.more || line.first.length > 0 || line.kept.length > 0);
  }

  /** Whether a line ran dry although more wait in the database. */
  isDry(target: string): boolean {
    const line = this.#lines.get(target);
    return line?.more === true && line.first.length === 0;
  }

  /** Forgets the lines of all other targets. */
  retain(targets: readonly string[]): void {
    for (const target of this.#lines.keys()) if (!targets.includes(target)) this.#lines.delete(target);
  }

  clear(): void {
    this.#lines.clear();
  }

  /** Ids in memory. */
  get size(): number {
    const arrived = this.#arrived?.kept.length ?? 0;
    return [...this.#lines.values()].reduce((sum, { first, kept }) => sum + first.length + kept.length, arrived);
  }

  /** The database may take long to answer: what came beyond a bound is read again, from there. */
  #arrive(target: string, waiting: Waiting): void {
    const arrived = this.#arrived;
    if (arrived === undefined) return;
    if (arrived.kept.length < LENGTH.all) arrived.kept.push({ target, waiting });
    else arrived.more = true;
  }

  #line(target: string): InMemory {
    const known = this.#lines.get(target);
    if (known) return known;
    const line = { first: [], kept: [], more: false };
    this.#lines.set(target, line);
    return line;
  }
}

/** Where one belongs in a line that is in order. */
function positionOf(line: readonly Waiting[], waiting: Waiting): number {
  let [low, high] = [0, line.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = line[middle];
    if (other !== undefined && inOrder(other, waiting) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
