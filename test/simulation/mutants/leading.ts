// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are the code's own templates
// Faults in who leads, and in what an overtaken leader may still do. Knows the text of src/; nothing of how faults are found.
import type { Mutant } from "./mutant.ts";

export const LEADING: readonly Mutant[] = [
  {
    name: "renew the Lease without comparing its version",
    file: "clusters/lease.ts",
    from: "metadata: { ...metadata, namespace, name, annotations },",
    to: "metadata: { ...metadata, resourceVersion: undefined, namespace, name, annotations },",
  },
  {
    name: "lead on although the Lease has run out by its own clock",
    file: "leadership.ts",
    from: "return this.#options.clock.elapsed() < this.#renewedAt + TIMES.deadline;",
    to: "return this.#options.clock.elapsed() < this.#renewedAt + TIMES.deadline * 4;",
  },
  {
    name: "count a renewal from its answer",
    file: "leadership.ts",
    from: "this.#lease = renewed; this.#renewedAt = at;",
    to: "this.#lease = renewed; this.#renewedAt = clock.elapsed();",
  },
  {
    name: "take a Lease that has not run out",
    file: "leadership.ts",
    from: "this.#last.until = free ? now : this.#seen.at + lease.durationMs;",
    to: "this.#last.until = free ? now : this.#seen.at + 1_000;",
  },
  {
    name: "judge the Lease by the clock of who wrote it",
    file: "leadership.ts",
    from: "this.#last.until = free ? now : this.#seen.at + lease.durationMs;",
    to: `const { renewTime } = (lease.raw["spec"] ?? {}) as { renewTime: string };
    this.#last.until = free ? now : now + Date.parse(renewTime) - this.#options.clock.now() + lease.durationMs;`,
  },
  {
    name: "take a Lease that was deleted at once",
    file: "leadership.ts",
    from: "if (lease === undefined) return this.#last.until - now;",
    to: "if (lease === undefined) return 0;",
  },
  {
    name: "count epochs by the Lease alone",
    file: "leadership.ts",
    from: "const epoch = Math.max(before + 1, Math.floor((clock.now() - EPOCHS_BEGIN) / 1_000));",
    to: "const epoch = before < 0 ? before : (lease?.epoch ?? 0) + 1;",
  },
  {
    name: "write without an epoch",
    file: "operations/claim.ts",
    from: "if (epoch === undefined) return { filter, update };",
    to: "if (epoch !== -1) return { filter, update };",
  },
  {
    name: "claim without an epoch",
    file: "operations/claim.ts",
    from: "? [...update, { $set: stamp }]",
    to: "? update",
  },
  {
    name: "write an epoch and compare none",
    file: "operations/claim.ts",
    from: "filter: { ...filter, [`${FIELD}.epoch`]: { $not: { $gt: epoch } } },",
    to: "filter,",
  },
  {
    name: "take nothing over when a term begins",
    file: "term.ts",
    from: "await this.#untilDone(holds, () => operations.takeOver(epoch));",
    to: "await Promise.resolve(operations);",
  },
  {
    name: "look at nothing when a term begins",
    file: "term.ts",
    from: "await this.#untilDone(holds, () => sweep.firstOfTerm());",
    to: "await Promise.resolve(sweep);",
  },
  {
    name: "set no timers for what lived before the term",
    file: "sweep.ts",
    from: "heardOf: first ? new Set() : live",
    to: "heardOf: first ? live : live",
  },
  {
    name: "forget what comes to its time while nobody knows who leads",
    file: "daemon.ts",
    from: "return term.wavers ? { again: WAVERING_MS } : undefined;",
    to: "return term.wavers && WAVERING_MS < 0 ? { again: WAVERING_MS } : undefined;",
  },
  {
    name: "give the Lease back while Jobs are tidied up",
    file: "daemon.ts",
    from: "Promise.all([lanes.close(), sweep.tidied()])",
    to: "Promise.all([lanes.close(), sweep])",
  },
  {
    name: "require no leadership before a Job is made",
    file: "launch.ts",
    from: "job.manifest, fence.require)",
    to: "job.manifest, () => void fence)",
  },
  {
    name: "require no leadership before a Job is deleted",
    file: "deletion.ts",
    from: "{ guard: fence.require, ...how }",
    to: "{ guard: () => void fence, ...how }",
  },
  {
    name: "require leadership when a Job is wanted, not when it is sent",
    file: "launch.ts",
    from: "const answer = await cluster.createJob(job.namespace, job.name, job.manifest, fence.require);",
    to: "fence.require(); const answer = await cluster.createJob(job.namespace, job.name, job.manifest);",
  },
  {
    name: "require leadership when a deletion is wanted, not when it is sent",
    file: "deletion.ts",
    from: "await cluster.deleteJob(job.namespace, job.name, job.uid, { guard: fence.require, ...how });",
    to: "fence.require(); await cluster.deleteJob(job.namespace, job.name, job.uid, how);",
  },
  {
    name: "require no leadership before a batch is sent",
    file: "operations/mongo.ts",
    from: "fence.require(); return send(collection, inputs);",
    to: "return send(collection, inputs);",
  },
  {
    name: "require leadership nowhere",
    file: "term.ts",
    from: "if (this.#open && (this.#holds?.() ?? true)) return;",
    to: "if (this.#open || this.#open === false) return;",
  },
  {
    name: "give the Lease back while work is in hand",
    file: "daemon.ts",
    from: "await Promise.race([drained, clock.sleep(DRAIN_MS, over.signal)]);",
    to: "await Promise.race([Promise.resolve(), drained, clock.sleep(1, over.signal)]);",
  },
  {
    name: "work on after the Lease was given back",
    file: "leadership.ts",
    from: "const lease = this.holds() ? this.#lease : undefined; this.#renewedAt = Number.NEGATIVE_INFINITY;",
    to: "const lease = this.holds() ? this.#lease : undefined;",
  },
];
