// Who leads, by the Lease as its API server has it: one at a time, and what an overtaken leader still sends is refused.
// Judged when a call is sent, and when a write is done. Knows the Lease's times; nothing of how a daemon keeps to them.
import type { Asked } from "../calls.ts";
import type { Request } from "../kubernetes/api.ts";
import { textOf } from "../kubernetes/objects.ts";
import type { Done } from "../kubernetes/speaker.ts";
import type { Life } from "../life.ts";
import type { Change } from "../mongo/server.ts";
import { at, type Doc } from "../mongo/values.ts";
import { OPERATIONS } from "../worker.ts";
import { claimOf, isEnded, type Scene, type Violate } from "./scene.ts";

/** A leader gives up after so long without a renewal, by its own clock; work in hand may hold up a handover (ms). */
const DEADLINE = 10_000;
const DRAIN = 5_000;
/** As long as this after somebody deleted the Lease, two may believe that they lead (ms). */
const DELETED = 15_000;

/** What a daemon did to the Lease last. */
type Term = {
  readonly epoch: number;
  /** When its last renewal that was done was sent, by its own clock (ms). */
  readonly renewedAt: number;
  readonly released: boolean;
};

const WRITES = /^(?:findOneAndUpdate|updateOne|updateMany|bulkWrite)$/;
const ACTS = /^(?:create|delete) jobs$/;

/** Whether a call changes anything outside. */
export const isAct = ({ service, verb }: Asked): boolean =>
  service === "database" ? WRITES.test(verb) : ACTS.test(verb);

/** The first write of a term names no operation. One that comes too late changes nothing. */
const isTakeover = ({ verb, about }: Asked): boolean => verb === "updateMany" && about === "";

export type LeadershipJudge = ReturnType<typeof createLeadershipJudge>;

export function createLeadershipJudge(scene: () => Scene, violate: Violate) {
  const terms = new Map<string, Term>();
  const epochs = new Map<string, Set<number>>();
  const sentAt = new WeakMap<Request, number>();
  /** Operations that were in hand when a leader took the first act of its term: by id, its epoch. */
  const takenOver = new Map<string, number>();
  /** Leaders that have begun to act. */
  const begun = new Set<string>();
  /** Lives that know that there was a Lease. */
  const know = new Set<string>();
  let holder: string | undefined;
  let deletedAt = Number.NEGATIVE_INFINITY;

  const isPlayed = (): boolean => scene().plan.lease === true;

  /** Its first act after its takeover: from now on an earlier leader must not reach what is in hand. */
  const begins = (life: Life, { epoch }: Term): void => {
    const key = `${life.name} ${epoch}`;
    if (begun.has(key)) return;
    begun.add(key);
    for (const doc of scene().server.all(OPERATIONS))
      if (claimOf(doc) !== undefined && !isEnded(doc)) takenOver.set(String(doc["_id"]), epoch);
  };

  const whyNotLead = (life: Life, term: Term | undefined): string | undefined => {
    if (term === undefined) return "it never held the Lease";
    if (term.released) return "it has given the Lease back";
    if (life.clock.elapsed() >= term.renewedAt + DEADLINE) return "its time is over by its own clock";
    // A clock that stood still with its process cannot tell.
    // Nor can one that begins anew, when somebody has deleted the Lease, that there was one.
    if (holder === undefined || holder === life.name) return undefined;
    const isNew = !know.has(holder) && scene().time.now - deletedAt < DELETED;
    return life.wasFrozen || isNew ? undefined : `${holder} has the Lease`;
  };

  return {
    /** A daemon sends a call. */
    asked(life: Life, asked: Asked): void {
      if (!isPlayed() || !isAct(asked)) return;
      const term = terms.get(life.name);
      const why = whyNotLead(life, term);
      if (why) violate("3: only the leader acts", `${life.name}: ${asked.service} ${asked.verb}, although ${why}`);
      if (term !== undefined && !isTakeover(asked)) begins(life, term);
    },

    /** The Lease is written to. */
    sent(life: Life | undefined, request: Request): void {
      if (life === undefined || request.method === "GET") return;
      sentAt.set(request, life.clock.elapsed());
      if (holderIn(request) !== "" || life.stoppedFor > DRAIN - 100) return;
      const inHand = [...life.underway].filter((asked) => isAct(asked) && !isTakeover(asked));
      if (inHand.length > 0)
        violate("3: a handover leaves nothing in hand", `${life.name}: ${inHand.map(({ verb }) => verb).join()}`);
    },

    done(life: Life | undefined, { request, answer }: Done): void {
      if (life === undefined || answer.status >= 300) return;
      if (request.method === "GET") {
        know.add(life.name);
        return;
      }
      const epoch = Number(specIn(request)["leaseTransitions"]);
      const released = holderIn(request) === "";
      holder = released ? undefined : life.name;
      terms.set(life.name, { epoch, released, renewedAt: sentAt.get(request) ?? 0 });
      epochs.set(life.name, (epochs.get(life.name) ?? new Set()).add(epoch));
    },

    deleted(): void {
      deletedAt = scene().time.now;
      holder = undefined;
    },

    /** A daemon's write was done. */
    changed({ author, before, after }: Change): void {
      if (!isPlayed() || before === undefined || after === undefined) return;
      const [was, is] = [epochOf(before), epochOf(after)];
      const id = String(before["_id"]);
      const what = `${author.name} wrote to ${id.slice(-4)} in epoch ${is}`;
      if (Number.isNaN(is) || epochs.get(author.name)?.has(is) !== true)
        violate("3: a write carries its leader's epoch", what);
      if (is < was) violate("3: an overtaken leader's write is refused", `${what}, after one of ${was}`);
      const later = takenOver.get(id) ?? Number.NEGATIVE_INFINITY;
      if (is < later) violate("3: what is in hand is taken over first", `${what}, after ${later} began`);
    },
  };
}

/** NaN: none. */
const epochOf = (doc: Doc): number => Number(at(doc, "opjob.epoch") ?? Number.NaN);

const specIn = ({ body }: Request): Readonly<Record<string, unknown>> =>
  (body as { readonly spec?: Readonly<Record<string, unknown>> } | undefined)?.spec ?? {};
const holderIn = (request: Request): string => textOf(specIn(request)["holderIdentity"]);
