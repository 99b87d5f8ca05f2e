// Why a Job ended: which of several Pods and containers tells, whose log is read, and what is asked of Events.
// The table's rows are in ending-rows.test.ts.
import { describe, expect, test } from "@jest/globals";
import { explainAbsence, explainFailure, explainMissingResult } from "../../src/clusters/ending.ts";
import type { EventView } from "../../src/clusters/events.ts";
import type { ContainerView, PodView } from "../../src/clusters/observation.ts";
import { condition, containerView, ended, event, iso, jobView, podView, running, T0, waiting } from "./views.ts";

const FAILED = condition("Failed", { reason: "BackoffLimitExceeded", message: "Job has reached the limit" });
const DEADLINE = condition("Failed", { reason: "DeadlineExceeded", message: "was active too long" });

const failure = (pods: readonly PodView[], events?: readonly EventView[], end = FAILED) =>
  explainFailure(end, { job: jobView(), pods, events });
const podOf = (name: string, second: number, fields: Partial<PodView>): PodView =>
  podView({ uid: name, name, createdAt: iso(T0 + second * 1_000), ...fields });

describe("of several Pods", () => {
  const first = podOf("first", 0, { phase: "Failed", containers: [ended(137, { reason: "OOMKilled" })] });
  const refusing = podOf("second", 9, { phase: "Failed", containers: [ended(3)] });

  test("the first that began the operation explains, for a worker that comes later refuses it", () => {
    const ending = failure([refusing, first]);
    expect(ending).toMatchObject({ row: "outOfMemory", fault: "operation", logs: { pod: "first" } });
    expect(ending.message).toMatch(
      /used more memory .*Kubernetes then made "second" \(exit code 3\), but a worker runs/,
    );
    expect(ending.remedy).toMatch(/^Raise resources\.limits\.memory.*Set backoffLimit: 0 in the template\.$/);
  });

  test("the first explains also where the later one ends well, and its Job is complete without a result", () => {
    const well = podOf("second", 9, { phase: "Succeeded", containers: [ended(0)] });
    expect(explainMissingResult({ pods: [first, well] })).toMatchObject({ row: "outOfMemory", logs: { pod: "first" } });
  });

  test("one that was taken away while it ran explains, though only its memory is left", () => {
    const disrupted = [condition("DisruptionTarget", { reason: "PreemptionByScheduler" })];
    const taken = podOf("first", 0, { phase: "Running", gone: true, conditions: disrupted, containers: [running()] });
    expect(failure([taken, refusing])).toMatchObject({ row: "preempted", fault: "cluster" });
  });

  test("one that never began explains nothing", () => {
    const rejected = podOf("first", 0, { phase: "Failed", reason: "OutOfcpu", containers: [] });
    const unstarted = podOf("first", 0, { phase: "Failed", containers: [startError()] });
    const last = podOf("second", 9, { phase: "Failed", containers: [ended(1)] });
    for (const one of [rejected, unstarted]) expect(failure([one, last])).toMatchObject({ row: "workerFailed" });
    expect(failure([rejected])).toMatchObject({ row: "rejected" });
  });
});

const startError = (): ContainerView =>
  containerView({
    terminated: { exitCode: 128, signal: undefined, reason: "StartError", message: "", finishedAt: undefined },
  });
const named = (name: string, one: ContainerView): ContainerView => ({ ...one, name });

describe("of several containers", () => {
  const [worker, telemetry] = ["task-worker", "telemetry"];
  const at = (second: number) => ({ finishedAt: iso(T0 + second * 1_000) });

  test("the one that failed first explains, and the others are named", () => {
    const containers = [named(worker, ended(1, at(60))), named(telemetry, ended(2, at(50)))];
    const ending = failure([podView({ phase: "Failed", containers })]);
    expect(ending).toMatchObject({ row: "workerFailed", logs: { container: "telemetry" } });
    expect(ending.message).toMatch(
      /"telemetry" ended with exit code 2 .*; then ended "task-worker" \(exit code 1\)\.$/,
    );
  });

  test("the one that was killed for its memory explains, whenever that was", () => {
    const containers = [named(worker, ended(1, at(50))), named("b", ended(137, { reason: "OOMKilled", ...at(60) }))];
    expect(failure([podView({ phase: "Failed", containers })])).toMatchObject({
      row: "outOfMemory",
      logs: { container: "b" },
    });
  });

  test("one that ended well is not blamed", () => {
    const containers = [named(telemetry, ended(0)), named(worker, ended(5))];
    expect(failure([podView({ phase: "Failed", containers })]).message).toMatch(/"task-worker" ended with exit code 5/);
  });

  test("a native sidecar's end means nothing, before the worker's as after it", () => {
    const sidecar = { ...named(telemetry, ended(137)), sidecar: true };
    const after = podView({ phase: "Failed", initContainers: [sidecar], containers: [ended(1)] });
    expect(failure([after])).toMatchObject({ row: "workerFailed", logs: { container: worker } });
    const clone = named("clone", ended(2));
    const before = podView({
      phase: "Failed",
      initContainers: [sidecar, clone],
      containers: [waiting("PodInitializing")],
    });
    expect(failure([before])).toMatchObject({ row: "initFailed", logs: { container: "clone" } });
    const complete = podView({ phase: "Succeeded", initContainers: [sidecar], containers: [ended(0)] });
    expect(explainMissingResult({ pods: [complete] })).toMatchObject({ row: "noResult" });
  });
});

test("a container that was started again has what ended it in the log of the run before", () => {
  const again = { ...ended(7), running: true, restarted: true };
  const taken = podView({ phase: "Running", deleting: true, gone: true, containers: [again] });
  expect(failure([taken])).toMatchObject({ row: "workerFailed", logs: { previous: true } });
  expect(failure([podView({ phase: "Failed", containers: [ended(7)] })])).toMatchObject({ logs: { previous: false } });
});

describe("what no Pod tells any more", () => {
  const made = event("Job", "SuccessfulCreate", "Created pod: echo-x");

  test("is asked of the Job's Events first, and then of those of the Pod that they name", () => {
    expect(failure([]).ask).toEqual({ uid: "job-1" });
    expect(failure([], [made]).ask).toEqual({ name: "echo-x" });
    expect(failure([], []).ask).toBeUndefined();
    const killing = event("Pod", "Killing", "Stopping container worker");
    expect(failure([], [made, killing])).toMatchObject({ row: "podGone", ask: undefined });
  });

  test("is not asked where a Pod tells it", () => {
    expect(failure([podView({ phase: "Failed", containers: [ended(1)] })]).ask).toBeUndefined();
  });

  test("is asked of the Job's Events where its time is over and nobody saw whether it had a Pod", () => {
    expect(failure([], undefined, DEADLINE)).toMatchObject({ row: "deadline", ask: { uid: "job-1" } });
    expect(failure([], [made], DEADLINE)).toMatchObject({ row: "deadline", ask: undefined });
  });

  test("is asked of the Pod's Events where its time was over while a node prepared it", () => {
    const pod = podView({ conditions: [condition("PodScheduled")], containers: [waiting("ContainerCreating")] });
    expect(failure([pod], undefined, DEADLINE)).toMatchObject({ row: "notInTime", ask: { uid: "pod-1" } });
    const mount = event("Pod", "FailedMount", 'MountVolume.SetUp failed for volume "v" : secret "s" not found');
    const told = failure([pod], [mount], DEADLINE);
    expect(told).toMatchObject({ row: "notInTime", fault: "template", ask: undefined });
    expect(told.remedy).toMatch(/^Create the Secret.* Raise activeDeadlineSeconds/);
  });
});

describe("a Job that is gone", () => {
  test("has its Pod's log, as long as that is there", () => {
    const pod = podView({ phase: "Running", deleting: true, containers: [running()] });
    expect(explainAbsence([pod], undefined, "job-1").logs).toMatchObject({ pod: "echo-x", container: "task-worker" });
  });

  test("has left Events, which tell whether it had ended before", () => {
    expect(explainAbsence([], undefined, "job-1").ask).toEqual({ uid: "job-1" });
    const said = [event("Job", "BackoffLimitExceeded", "Job has reached the specified backoff limit")];
    const told = explainAbsence([], said, "job-1");
    expect(told.ask).toBeUndefined();
    expect(told.message).toMatch(
      /had ended\. Before that Kubernetes said: Job has reached the specified backoff limit\.$/,
    );
  });
});

test("Kubernetes' own reason stands where no row fits, and some words where it gives none", () => {
  const odd = podView({ phase: "Failed", message: "odd" });
  expect(failure([odd], undefined, condition("Failed"))).toMatchObject({
    reason: "JobFailed",
    message: "Kubernetes reports: odd.",
  });
  const indexes = condition("Failed", { reason: "FailedIndexes", message: "Job has failed indexes" });
  expect(failure([odd], undefined, indexes)).toMatchObject({ reason: "FailedIndexes" });
});
