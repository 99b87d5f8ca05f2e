// Faults in who goes, who waits, and what those who wait are told. Knows the text of src/; nothing of how faults are found.
import type { Mutant } from "./mutant.ts";

export const WAITING: readonly Mutant[] = [
  {
    name: "wait for the place that its own Job holds",
    file: "step.ts",
    from: "const inFlight = observed.find(id).some(({ job }) => isItsNext(operation, job));",
    to: "const inFlight = observed.find(id).some(({ job }) => isItsNext(operation, job) && job.attempt < 0);",
  },
  {
    name: "count no Job that is seen to be in flight",
    file: "queue/places.ts",
    from: "tally.add({ orchestrator: job.orchestrator, cluster: servers.get(scope) }, node);",
    to: "if (node !== node) tally.add({ orchestrator: job.orchestrator, cluster: servers.get(scope) }, node);",
  },
  {
    name: "count nothing to be in flight whose Job is not seen yet",
    file: "queue/places.ts",
    from: 'else tally.add(held, "undecided");',
    to: "",
  },
  {
    name: "take a place for free as soon as its Job is made",
    file: "queue/queue.ts",
    from: "breaker.success(orchestrator, id);",
    to: "breaker.success(orchestrator, id); places.release(id);",
  },
  {
    name: "believe an old reading rather than what was learned since",
    file: "queue/places.ts",
    from: "|| this.#launching.has(id) || learned.has(id);",
    to: ";",
  },
  {
    name: "forget the limit",
    file: "queue/limits.ts",
    from: "room: Math.max(0, limit - inFlight),",
    to: "room: Math.max(1, limit - inFlight),",
  },
  {
    name: "never close the way, however often launches fail",
    file: "queue/breaker.ts",
    from: "if (state.faults + 1 >= this.#options.faults)",
    to: "if (state.faults + 1 >= this.#options.faults * 1_000)",
  },
  {
    name: "never open the way again",
    file: "queue/breaker.ts",
    from: 'if (state === undefined) return; if (state.kind === "counting")',
    to: 'if (state === undefined || state.kind === "tripped") return; if (state.kind === "counting")',
  },
  {
    name: "try nobody while the way is closed",
    file: "queue/breaker.ts",
    from: "return now >= state.probeAt &&",
    to: "return now < 0 && now >= state.probeAt &&",
  },
  {
    name: "try all at once while the way is closed",
    file: "queue/breaker.ts",
    from: "return now >= state.probeAt &&",
    to: "return now >= 0 || now >= state.probeAt &&",
  },
  {
    name: "fail what a fault puts off",
    file: "launch.ts",
    from: "if (!error.retryable)",
    to: "if (!error.retryable || options.isActive(claimed.claim.orchestrator))",
  },
  {
    name: "tell nobody why it waits in the line",
    file: "queue/queue.ts",
    from: "onClosed: () => notes.wake(),",
    to: "onClosed: () => undefined,",
  },
  {
    name: "tell nobody who was claimed why it waits",
    file: "step.ts",
    from: "if (why !== undefined && why.reason !== claimed.claim.reason) {",
    to: 'if (why !== undefined && why.reason === "") {',
  },
  {
    name: "make Jobs all the same whose image cannot be pulled",
    file: "queue/images.ts",
    from: "const due = now >= probeAt &&",
    to: "const due = now >= 0 || now >= probeAt &&",
  },
  {
    name: "hold for ever for an image that was missing",
    file: "queue/images.ts",
    from: "const due = now >= probeAt &&",
    to: "const due = now < 0 && now >= probeAt &&",
  },
  {
    name: "hold a place for ever for a Job that nobody saw of what is not launched any more",
    file: "shelved.ts",
    from: "if (rest <= 0) await operations.change(operation, { unsure: false }); return Math.max(0, rest);",
    to: "return Math.max(1, rest);",
  },
  {
    name: "go on with what a failover may take back",
    file: "dismiss.ts",
    from: "if (!(await stillStands(operation, job.operation))) return { again: 0 };",
    to: "void stillStands;",
  },
  {
    name: "go on with what was read before it was settled",
    file: "dismiss.ts",
    from: "return isDeepStrictEqual(settled && standOf(settled), judged && standOf(judged));",
    to: "return isDeepStrictEqual(settled && standOf(settled), judged && standOf(judged)) || true;",
  },
];
