// The simulated MongoDB server: documents, an oplog, what is committed of it, and a failover that takes back what is not.
// Each call is done at one instant; how calls come and answers go is the driver's (driver.ts). Knows no operations.
import { ObjectId } from "mongodb";
import { matches } from "./match.ts";
import { type Sort, sorted, type Update, updated } from "./update.ts";
import { copy, type Doc, difference, same } from "./values.ts";

export type Author = { readonly kind: "daemon" | "worker" | "user"; readonly name: string };

/** One change of one document. Documents in it are nobody's to change. */
export type Change = {
  readonly nth: number;
  readonly author: Author;
  readonly collection: string;
  readonly kind: "insert" | "update" | "delete";
  readonly before: Doc | undefined;
  readonly after: Doc | undefined;
};

export type Found = {
  readonly filter: Doc;
  readonly sort?: Sort | undefined;
  readonly limit?: number | undefined;
  /** Only what a majority has; else what the primary has. */
  readonly committed?: boolean;
};
export type Written = { readonly matched: number; readonly modified: number; readonly docs: readonly Doc[] };
export type Write = {
  readonly filter: Doc;
  readonly update: Update;
  readonly many: boolean;
  /** Whether the answer waits until a majority has it: such a write is never taken back. */
  readonly majority: boolean;
};

const keyOf = (id: unknown): string => (id instanceof ObjectId ? id.toHexString() : String(id));

export class MongoServer {
  readonly #collections = new Map<string, Map<string, Doc>>();
  /** Changes that streams may still ask for, oldest first. */
  #oplog: Change[] = [];
  #oldest = 1;
  #newest = 0;
  #committed = 0;
  #isolated = false;
  readonly #onChange: (change: Change) => void;
  readonly #onCommit = new Set<() => void>();

  /** @param onChange is told of each change as it happens, also of one that is taken back later */
  constructor(onChange: (change: Change) => void) {
    this.#onChange = onChange;
  }

  /** The number of the newest change: a stream that begins here misses nothing that comes later. */
  get newest(): number {
    return this.#newest;
  }

  get isolated(): boolean {
    return this.#isolated;
  }

  /** All documents of a collection as they are; not to be changed. */
  all(collection: string): readonly Doc[] {
    return [...this.#of(collection).values()];
  }

  get(collection: string, id: string): Doc | undefined {
    return this.#of(collection).get(id);
  }

  find(collection: string, { filter, sort, limit, committed = false }: Found): readonly Doc[] {
    const all = committed ? this.#committedOf(collection) : this.all(collection);
    const found = sorted(
      all.filter((doc) => matches(doc, filter)),
      sort,
    );
    return limit === undefined || limit === 0 ? found : found.slice(0, limit);
  }

  insert(author: Author, collection: string, doc: Doc): void {
    const after = copy(doc);
    this.#of(collection).set(keyOf(doc["_id"]), after);
    this.#record({ author, collection, kind: "insert", before: undefined, after }, true);
  }

  remove(author: Author, collection: string, id: string): void {
    const before = this.get(collection, id);
    if (before === undefined) return;
    this.#of(collection).delete(id);
    this.#record({ author, collection, kind: "delete", before, after: undefined }, true);
  }

  write(author: Author, collection: string, { filter, update, many, majority }: Write): Written {
    const found = this.find(collection, { filter, limit: many ? undefined : 1 });
    let modified = 0;
    const docs = found.map((before) => {
      const after = updated(before, update);
      if (same(before, after)) return before;
      if (!same(before["_id"], after["_id"])) throw new Error("an update would change the immutable field _id");
      modified++;
      this.#of(collection).set(keyOf(before["_id"]), after);
      this.#record({ author, collection, kind: "update", before, after }, majority);
      return after;
    });
    if (majority && modified === 0) this.#commit();
    return { matched: found.length, modified, docs };
  }

  /** The primary is cut off from its set: it still takes writes, but none is committed. */
  isolate(): void {
    this.#isolated = true;
  }

  /** The set is whole again. @param failover another primary was elected meanwhile: what was not committed is taken back */
  heal(failover: boolean): void {
    this.#isolated = false;
    if (!failover) {
      this.#commit();
      return;
    }
    for (const change of this.#oplog.filter(({ nth }) => nth > this.#committed).toReversed())
      undo(this.#of(change.collection), change);
    this.#oplog = this.#oplog.filter(({ nth }) => nth <= this.#committed);
  }

  /** Forgets the past: streams that want to go on from there cannot. */
  forgetHistory(): void {
    this.#oldest = this.#newest + 1;
    this.#oplog = this.#oplog.filter(({ nth }) => nth > this.#committed);
  }

  /** Committed changes after a number; undefined: they are no longer known. */
  since(nth: number): readonly Change[] | undefined {
    if (nth + 1 < this.#oldest) return undefined;
    return this.#oplog.filter((change) => change.nth > nth && change.nth <= this.#committed);
  }

  /** Whether a failover could still take back how a field of a document was changed. */
  isOpen(collection: string, id: string, field: string): boolean {
    return this.#oplog.some(
      ({ nth, collection: of, before, after }) =>
        nth > this.#committed &&
        of === collection &&
        keyOf((after ?? before)?.["_id"]) === id &&
        !same(before?.[field], after?.[field]),
    );
  }

  onCommit(call: () => void): () => void {
    this.#onCommit.add(call);
    return () => this.#onCommit.delete(call);
  }

  #of(collection: string): Map<string, Doc> {
    const known = this.#collections.get(collection) ?? new Map<string, Doc>();
    this.#collections.set(collection, known);
    return known;
  }

  #committedOf(collection: string): readonly Doc[] {
    const docs = new Map(this.#of(collection));
    const open = this.#oplog.filter((change) => change.nth > this.#committed && change.collection === collection);
    for (const change of open.toReversed()) undo(docs, change);
    return [...docs.values()];
  }

  #record(change: Omit<Change, "nth">, majority: boolean): void {
    const whole = { ...change, nth: ++this.#newest };
    this.#oplog.push(whole);
    this.#onChange(whole);
    if (!this.#isolated) this.#commit();
    else if (majority && change.author.kind !== "daemon")
      throw new Error("only daemons speak to an isolated primary in this simulation");
  }

  #commit(): void {
    if (this.#isolated || this.#committed === this.#newest) return;
    this.#committed = this.#newest;
    for (const call of [...this.#onCommit]) call();
  }
}

function undo(docs: Map<string, Doc>, { before, after }: Change): void {
  const key = keyOf((before ?? after)?.["_id"]);
  if (before === undefined) docs.delete(key);
  else docs.set(key, before);
}

/** A change as a stream tells it. */
export function eventOf({ nth, collection, kind, before, after }: Change): Doc {
  const doc = after ?? before ?? {};
  const changed = difference(before ?? {}, after ?? {});
  return {
    _id: nth,
    operationType: kind,
    ns: { db: "fiftyone", coll: collection },
    documentKey: { _id: doc["_id"] },
    ...(kind === "insert" ? { fullDocument: doc } : {}),
    ...(kind === "update" ? { updateDescription: describe(changed) } : {}),
  };
}

function describe(changed: Doc): Doc {
  const entries = Object.entries(changed);
  return {
    updatedFields: Object.fromEntries(entries.filter(([, value]) => value !== undefined)),
    removedFields: entries.filter(([, value]) => value === undefined).map(([name]) => name),
  };
}
