// The reducer over random worlds: whatever is observed, it answers, and never fails what has ended.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Claim, type Claimed, isTerminal, RUN_STATES } from "../../src/operations/operation.ts";
import { type Observation, type Patiences, reduce, type Transition } from "../../src/operations/transition.ts";
import { containerView, iso, jobView, podView, T0 } from "../clusters/views.ts";
import { ABSENT, NOW, operationOf, UNKNOWN } from "./claimed.ts";

describe("whatever is observed", () => {
  const time = fc.option(fc.integer({ min: T0 - 1e7, max: NOW + 1e6 }).map(iso), { nil: undefined });
  const word = fc.constantFrom(
    "",
    "OOMKilled",
    "Evicted",
    "DeadlineExceeded",
    "ImagePullBackOff",
    "CrashLoopBackOff",
    "ContainerCreating",
    "InvalidImageName",
    "odd",
  );
  const type = fc.constantFrom(
    "Complete",
    "Failed",
    "FailureTarget",
    "PodScheduled",
    "DisruptionTarget",
    "Suspended",
    "odd",
  );
  const conditions = fc.array(
    fc.record({
      type,
      status: fc.constantFrom("True", "False", "Unknown"),
      reason: word,
      message: fc.string(),
      at: time,
    }),
    { maxLength: 3 },
  );
  const container = fc.record({
    waiting: fc.option(fc.record({ reason: word, message: fc.string() }), { nil: undefined }),
    startedAt: time,
    terminated: fc.option(
      fc.record({
        exitCode: fc.nat(255),
        signal: fc.option(fc.nat(64), { nil: undefined }),
        reason: word,
        message: fc.string(),
        finishedAt: time,
      }),
      { nil: undefined },
    ),
    running: fc.boolean(),
    restarted: fc.boolean(),
    sidecar: fc.boolean(),
  });
  const containers = fc.array(
    container.map((fields) => containerView(fields)),
    { maxLength: 2 },
  );
  const pod = fc
    .record({
      phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed", "Unknown", ""),
      createdAt: time,
      deleting: fc.boolean(),
      gone: fc.boolean(),
      restarts: fc.boolean(),
      reason: word,
      conditions,
      containers,
      initContainers: containers,
    })
    .map((fields) => podView(fields));
  const job = fc.record({ createdAt: time, deleting: fc.boolean(), suspended: fc.boolean(), conditions });
  const observation: fc.Arbitrary<Observation> = fc.oneof(
    fc.constant(UNKNOWN),
    fc.constant(ABSENT),
    fc
      .tuple(job, fc.array(pod, { maxLength: 3 }))
      .map(([fields, pods]): Observation => ({ kind: "job", job: jobView(fields), pods })),
  );
  const date = fc.option(fc.date({ min: new Date(T0 - 1e7), max: new Date(NOW), noInvalidDate: true }));
  const operation = fc
    .record({
      runState: fc.constantFrom(...RUN_STATES),
      endedAt: date,
      error: fc.option(fc.string()),
      phase: fc.constantFrom<Claim["phase"]>(
        "claimed",
        "held",
        "created",
        "waiting",
        "running",
        "finished",
        "failed",
        "done",
      ),
      reason: fc.option(word),
      since: date,
    })
    .map(({ runState, endedAt, error, ...claim }) => operationOf({ runState, endedAt, error }, claim));
  const patience = fc.record({ short: fc.nat(60_000), pending: fc.nat(900_000), result: fc.nat(10_000) });
  const check = (
    holds: (operation: Claimed, observation: Observation, transition: Transition, patience: Patiences) => void,
  ): void => {
    const property = fc.property(operation, observation, patience, (one, other, patient) =>
      holds(one, other, reduce(one, other, patient, NOW), patient),
    );
    fc.assert(property, { numRuns: 3_000 });
  };

  test("it fails only what has not ended, and deletes only the Job of what has failed", () => {
    check((one, other, { kind }) => {
      if (kind === "fail") expect(isTerminal(one.runState)).toBe(false);
      if (kind === "delete") expect([isTerminal(one.runState), other.kind]).toEqual([true, "job"]);
    });
  });

  test("it concludes nothing from what is unknown, and fails nothing whose Job is well", () => {
    check((_, other, { kind }) => {
      if (other.kind === "unknown") expect(kind).toBe("rest");
      if (other.kind === "job" && other.job.deleting && other.job.conditions.length === 0)
        expect(kind).not.toBe("fail");
    });
  });

  test("what it asks for is a time that a timer can hold, and never at once without a change", () => {
    check((_one, _other, transition) => {
      if (transition.kind === "again") expect(transition.ms > 0 && Number.isFinite(transition.ms)).toBe(true);
      if (transition.kind === "change") expect(Number.isFinite(transition.again ?? 0)).toBe(true);
    });
  });

  test("it settles: once its change is written, the same world asks for no further write", () => {
    check((one, other, transition, patient) => {
      if (transition.kind !== "change") return;
      const { timeline = {}, ...fields } = transition.change;
      const claim = { ...one.claim, ...fields, timeline: { ...one.claim.timeline, ...timeline } };
      expect(reduce({ ...one, claim }, other, patient, NOW).kind).not.toBe("change");
    });
  });
});
