// Notes: tells those who wait at a closed gate why, and which in the line they are. Rarely, in bulk, and only what is news:
// a queue that moves must not become a storm of writes.
import type { Clock, Timer } from "../clock.ts";
import type { InLine, Line, Note } from "../operations/line.ts";
import type { Why } from "./gate.ts";

export type NotesOptions = {
  readonly operations: {
    readonly lines: (targets: readonly string[], length: number) => Promise<Line[]>;
    readonly note: (notes: readonly (readonly [InLine, Note])[], now: Date) => Promise<void>;
  };
  /** Orchestrators for which somebody waits at a closed gate. */
  readonly closed: () => ReadonlyMap<string, Why>;
  readonly onError: (error: unknown) => void;
  readonly clock: Pick<Clock, "now" | "after">;
};

/** Of each line so many are told (the others are far from their turn); `first`, then `again` as long as they wait (ms). */
const TOLD = 1_000;
export const PAUSE = { first: 1_000, again: 10_000 };

export type Notes = { wake(): void; close(): Promise<void> };

export function createNotes(options: NotesOptions): Notes {
  let timer: Timer | undefined;
  let writing: Promise<void> | undefined;
  let open = true;

  const later = (ms: number): void => {
    if (!open) return;
    timer = options.clock.after(ms, () => {
      writing = tellAll(options)
        .catch(options.onError)
        .finally(() => {
          timer = undefined;
          if (options.closed().size > 0) later(PAUSE.again);
        });
    });
  };
  return {
    /** A gate is closed: those who wait there are told soon. */
    wake() {
      if (timer === undefined) later(PAUSE.first);
    },
    async close() {
      open = false;
      timer?.cancel();
      await writing;
    },
  };
}

async function tellAll({ operations, closed, clock }: NotesOptions): Promise<void> {
  const gates = new Map(closed());
  if (gates.size === 0) return;
  const lines = await operations.lines([...gates.keys()], TOLD);
  const notes = lines.flatMap((line) => {
    const why = gates.get(line.target);
    return why === undefined ? [] : newsOf(line, why);
  });
  if (notes.length > 0) await operations.note(notes, new Date(clock.now()));
}

/** What is worth telling: another reason, or a place that differs by a tenth. */
export function newsOf({ target, first, count }: Line, { reason, message }: Why): (readonly [InLine, Note])[] {
  return first.flatMap((waiting, i) => {
    const place = i + 1;
    const { told } = waiting;
    if (told?.reason === reason && Math.abs(told.place - place) < Math.max(1, place / 10)) return [];
    const where =
      place === 1 ? "It is the next one." : `It is number ${place} of ${count} that wait for this orchestrator.`;
    return [[waiting, { target, reason, message: `${message} ${where}`, place }] as const];
  });
}
