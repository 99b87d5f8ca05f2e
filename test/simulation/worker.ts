// FiftyOne's worker as the contract has it: it takes its operation only if it is still queued, runs it, and records the result
// only if it is still running. It may die at any point, say nothing, or never end. Keeps a ledger that no daemon sees.
import { ObjectId } from "mongodb";
import type { Exit, Running } from "./kubernetes/node.ts";
import type { MongoServer } from "./mongo/server.ts";
import type { Doc } from "./mongo/values.ts";
import type { Time } from "./time.ts";

export type Ends = "completes" | "fails" | "dies-early" | "dies-amid" | "dies-late" | "forgets" | "hangs";

export type WorkerFate = {
  readonly bootMs: number;
  readonly runMs: number;
  readonly ends: Ends;
  /** From the result to the end of the process (ms): a sidecar may never end. */
  readonly lingerMs: number;
};

export type Execution = {
  readonly operation: string;
  /** Milliseconds since 1970; NaN: none. */
  readonly queuedAt: number;
  readonly pod: string;
  readonly job: string;
  readonly since: number;
  over: boolean;
};

export const OPERATIONS = "delegated_ops";
/** A worker that cannot reach the database tries again (ms). */
const RETRY = 250;

export type WorkerParts = {
  readonly time: Time;
  readonly server: MongoServer;
  /** Who executed what, and when. */
  readonly ledger: Execution[];
  /** What a careless worker writes into its log. */
  readonly log: string;
};

export type Assignment = {
  readonly operation: string;
  readonly pod: string;
  readonly job: string;
  readonly fate: WorkerFate;
  readonly exit: Exit;
};

export function startWorker(parts: WorkerParts, assignment: Assignment): Running {
  const worker = new Worker(parts, assignment);
  worker.boot();
  return { kill: () => worker.kill() };
}

class Worker {
  readonly #parts: WorkerParts;
  readonly #assignment: Assignment;
  #execution: Execution | undefined;
  #dead = false;

  constructor(parts: WorkerParts, assignment: Assignment) {
    this.#parts = parts;
    this.#assignment = assignment;
  }

  boot(): void {
    const { bootMs, ends } = this.#assignment.fate;
    this.#after(bootMs, () => (ends === "dies-early" ? this.#exit(137) : this.#begin()));
  }

  kill(): void {
    this.#dead = true;
    if (this.#execution) this.#execution.over = true;
  }

  #after(ms: number, call: () => void): void {
    this.#parts.time.after(ms, () => {
      if (!this.#dead) call();
    });
  }

  /** Writes when the database has a primary that can be reached. */
  #write(filter: Doc, fields: Doc, then: (doc: Doc | undefined) => void): void {
    const { server, time } = this.#parts;
    if (server.isolated) {
      this.#after(RETRY, () => this.#write(filter, fields, then));
      return;
    }
    const { pod, operation } = this.#assignment;
    const _id = new ObjectId(operation);
    const set = { ...fields, updated_at: new Date(time.now) };
    const asked = { filter: { _id, ...filter }, update: { $set: set }, many: false, majority: true };
    const { docs } = server.write({ kind: "worker", name: pod }, OPERATIONS, asked);
    then(docs[0]);
  }

  #begin(): void {
    const { time, ledger } = this.#parts;
    const { operation, pod, job, fate } = this.#assignment;
    this.#write({ run_state: "queued" }, { run_state: "running", started_at: new Date(time.now) }, (doc) => {
      if (doc === undefined) {
        this.#exit(3);
        return;
      }
      const queuedAt = doc["queued_at"] instanceof Date ? doc["queued_at"].getTime() : Number.NaN;
      this.#execution = { operation, queuedAt, pod, job, since: time.now, over: false };
      ledger.push(this.#execution);
      if (fate.ends === "hangs") return;
      this.#after(fate.ends === "dies-amid" ? fate.runMs / 2 : fate.runMs, () => this.#end());
    });
  }

  #end(): void {
    const { ends } = this.#assignment.fate;
    if (ends === "dies-amid") this.#exit(137);
    else if (ends === "forgets") this.#exit(0);
    else this.#record(ends === "fails");
  }

  #record(failed: boolean): void {
    const { ends, lingerMs } = this.#assignment.fate;
    const now = new Date(this.#parts.time.now);
    const result = { result: null, error: failed ? "ValueError: no such field" : null };
    const fields = failed
      ? { run_state: "failed", failed_at: now, result }
      : { run_state: "completed", completed_at: now, result };
    this.#write({ run_state: "running" }, fields, () => {
      if (this.#execution) this.#execution.over = true;
      this.#after(lingerMs, () => this.#exit(failed ? 1 : ends === "dies-late" ? 139 : 0));
    });
  }

  #exit(code: number): void {
    if (this.#execution) this.#execution.over = true;
    this.#dead = true;
    this.#assignment.exit(code, this.#parts.log);
  }
}
