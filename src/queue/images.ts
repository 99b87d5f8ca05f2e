// Images that cannot be pulled: while one cannot, no more Jobs that need it are made, but one from time to time to find out.
// By what is observed of Jobs that live, so it needs no account of its own; knows images by their whole names.
import type { LiveJob } from "../clusters/live-job.ts";
import type { Log } from "../log.ts";
import { type Gate, OPEN, type Verdict } from "./gate.ts";
import type { Place, Usage } from "./places.ts";

export type ImagesOptions = {
  /** Between two tries (ms). */
  readonly pauseMs: number;
  readonly log: Log;
};

/** What an image's absence is known by: the operations that met it, and the one that is tried now. */
type Absent = {
  readonly met: Set<string>;
  probeAt: number;
  probe: { readonly id: string; readonly until: number } | undefined;
};

export class ImagesGate implements Gate {
  readonly name = "image";
  readonly #options: ImagesOptions;
  readonly #absent = new Map<string, Absent>();
  readonly #usedBy = new Map<string, Set<string>>();

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  update(_: Usage, jobs: readonly LiveJob[], now: number): void {
    for (const { job, images, stuck } of jobs) {
      // After a restart nothing is known of launches yet.
      if (!this.#usedBy.has(job.orchestrator) && images.length > 0) this.#usedBy.set(job.orchestrator, new Set(images));
      if (stuck !== undefined) this.#meet(stuck, job, now);
    }
    if (this.#absent.size > 0) this.#conclude(jobs);
  }

  #conclude(jobs: readonly LiveJob[]): void {
    const alive = new Set(jobs.map(({ job }) => job.operation));
    const begun = new Set(jobs.filter((live) => live.begun).map(({ job }) => job.operation));
    for (const [image, absent] of this.#absent) {
      const gone = [...absent.met].filter((id) => !alive.has(id) && id !== absent.probe?.id);
      if ([...absent.met].some((id) => begun.has(id))) this.#there(image);
      else for (const id of gone) absent.met.delete(id);
    }
  }

  /** A Job was made: from now on its orchestrator needs these images, and no others. */
  launched(orchestrator: string, id: string, images: readonly string[]): void {
    this.#usedBy.set(orchestrator, new Set(images));
    for (const [image, absent] of this.#absent) {
      if (absent.probe?.id !== id || images.includes(image)) continue;
      absent.probe = undefined;
      absent.probeAt = 0;
      absent.met.delete(id);
    }
  }

  room({ orchestrator }: Place, _: Usage, now: number): Verdict {
    for (const [image, { probeAt, probe }] of this.#absent) {
      if (!this.#usedBy.get(orchestrator)?.has(image)) continue;
      const due = now >= probeAt && (probe === undefined || now >= probe.until);
      const message = `The image "${image}" cannot be pulled: one operation at a time is tried until it can.`;
      return { room: due ? 1 : 0, why: { reason: "ImagePullFailed", message } };
    }
    return OPEN;
  }

  took({ orchestrator }: Place, id: string, now: number): void {
    for (const [image, absent] of this.#absent) {
      if (!this.#usedBy.get(orchestrator)?.has(image)) continue;
      absent.probe = { id, until: now + this.#options.pauseMs };
      absent.probeAt = now + this.#options.pauseMs;
      absent.met.add(id);
    }
  }

  /** Whether the operation was launched only to find out whether an image can be pulled by now. */
  isProbe(id: string): boolean {
    return [...this.#absent.values()].some(({ probe }) => probe?.id === id);
  }

  /** Something was changed that may have been the fault: the next try is due. */
  retry(): void {
    for (const absent of this.#absent.values()) absent.probeAt = 0;
  }

  get absent(): readonly string[] {
    return [...this.#absent.keys()];
  }

  get size(): number {
    return Math.max(this.#absent.size, this.#usedBy.size);
  }

  retain(orchestrators: readonly string[]): void {
    for (const id of this.#usedBy.keys()) if (!orchestrators.includes(id)) this.#usedBy.delete(id);
    const used = new Set([...this.#usedBy.values()].flatMap((images) => [...images]));
    for (const image of this.#absent.keys()) if (!used.has(image)) this.#absent.delete(image);
  }

  #meet(image: string, { operation, orchestrator }: LiveJob["job"], now: number): void {
    this.#usedBy.set(orchestrator, new Set([...(this.#usedBy.get(orchestrator) ?? []), image]));
    const known = this.#absent.get(image);
    if (known !== undefined) {
      known.met.add(operation);
      return;
    }
    const probeAt = now + this.#options.pauseMs;
    this.#absent.set(image, { met: new Set([operation]), probeAt, probe: undefined });
    this.#options.log.warn({ image, operation }, "an image cannot be pulled: others that need it wait");
  }

  #there(image: string): void {
    this.#absent.delete(image);
    this.#options.log.info({ image }, "the image can be pulled: what waited for it goes on");
  }
}
