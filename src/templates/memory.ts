// What is known of stored templates: each text for a short life, then its store is asked whether it is still the same, by one
// request for all who wait. A store that is away is not a template that is gone: the last good text is used, and that is said.
// Pure but for that memory: reads through what it is given.
import { createHash } from "node:crypto";
import { asOpjobError, type OpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Answer } from "./stores/reading.ts";

/** A template's text, and a version that changes whenever the text does. */
export type Stored = { readonly text: string; readonly version: string };

export type MemoryOptions = {
  /** How long a text is used before its store is asked again (ms). */
  readonly lifeMs: number;
  readonly log: Log | undefined;
  readonly now: () => number;
};

/** A template in the memory: under which key, what logs call it, and how to read it if it is not `tag` any more. */
export type Wanted = {
  readonly key: string;
  readonly name: string;
  /** Asked for at every use, however short ago it was read. */
  readonly always: boolean;
  readonly read: (tag: string | undefined) => Promise<Answer>;
};

/** A text that is used although its store is away: how long ago the store last confirmed it (ms). */
export type Stale = { readonly template: string; readonly ageMs: number };

export type Memory = {
  recall(wanted: Wanted): Promise<Stored>;
  retain(keys: ReadonlySet<string>): void;
  stale(): Stale[];
  /** Texts in memory: of the templates in use. */
  readonly size: number;
};

type Good = { readonly stored: Stored; readonly tag: string | undefined; readonly confirmedAt: number };
type Entry = {
  readonly name: string;
  good: Good | undefined;
  fault: OpjobError | undefined;
  /** Until then what is known is the answer. */
  until: number;
  flight: Promise<Stored> | undefined;
  /** What was said of the store that is away. */
  told: string | undefined;
};

/** A refusal is not asked for again by each launch of a backlog (ms). */
const FAULT_LIFE = 2_000;

export function createMemory(options: MemoryOptions): Memory {
  const entries = new Map<string, Entry>();
  return {
    get size() {
      return entries.size;
    },
    async recall(wanted) {
      const entry = entries.get(wanted.key) ?? newEntry(wanted.name);
      entries.set(wanted.key, entry);
      if (options.now() < entry.until) {
        if (entry.good) return entry.good.stored;
        if (entry.fault) throw entry.fault;
      }
      entry.flight ??= ask(options, wanted, entry).finally(() => {
        entry.flight = undefined;
      });
      return entry.flight;
    },
    retain(keys) {
      for (const key of entries.keys()) if (!keys.has(key)) entries.delete(key);
    },
    stale: () =>
      [...entries.values()].flatMap(({ name, good, told }) =>
        good === undefined || told === undefined ? [] : [{ template: name, ageMs: options.now() - good.confirmedAt }],
      ),
  };
}

const newEntry = (name: string): Entry => ({
  name,
  good: undefined,
  fault: undefined,
  until: Number.NEGATIVE_INFINITY,
  flight: undefined,
  told: undefined,
});

async function ask({ lifeMs, log, now }: MemoryOptions, { always, read }: Wanted, entry: Entry): Promise<Stored> {
  const keep = (ms: number): void => {
    entry.until = always ? Number.NEGATIVE_INFINITY : now() + ms;
  };
  try {
    entry.good = confirmed(entry.good, await read(entry.good?.tag), now());
    entry.fault = undefined;
    keep(lifeMs);
    if (entry.told !== undefined) log?.info({ template: entry.name }, "the template's store answers again");
    entry.told = undefined;
    return entry.good.stored;
  } catch (thrown) {
    entry.fault = asOpjobError(thrown);
    // Any other fault is an answer: what was taken away or forbidden is not used in secret.
    if (entry.fault.code !== "TEMPLATE_STORE_UNREACHABLE") entry.good = undefined;
    keep(entry.good ? Math.max(lifeMs, FAULT_LIFE) : Math.min(lifeMs, FAULT_LIFE));
    if (entry.good === undefined) {
      entry.told = undefined;
      throw entry.fault;
    }
    tell(log, entry, entry.fault, now() - entry.good.confirmedAt);
    return entry.good.stored;
  }
}

function confirmed(good: Good | undefined, answer: Answer, now: number): Good {
  if (answer.kind === "unchanged") {
    if (good === undefined) throw new Error("a store says that what nobody has is unchanged");
    return { ...good, confirmedAt: now };
  }
  const { text, tag } = answer;
  return { stored: { text, version: versionOf(text) }, tag, confirmedAt: now };
}

function tell(log: Log | undefined, entry: Entry, { code, message }: OpjobError, ageMs: number): void {
  if (entry.told === message) return;
  entry.told = message;
  const fields = { template: entry.name, code, error: message, age_s: Math.round(ageMs / 1_000) };
  log?.warn(fields, "the template's store is away: its last good text is used");
}

/** By content: a file that is written anew, or a store without versions, gives the same Job template again. */
export const versionOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
