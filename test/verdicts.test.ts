// When an orchestrator is looked at again, and how many look at one cluster: by a clock of the test's own.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { OpjobError } from "../src/errors.ts";
import type { Finding } from "../src/finding.ts";
import { createGate } from "../src/gate.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { createVerdicts } from "../src/verdicts.ts";

const MINUTE = 60_000;
const fault = (message = "no"): Finding => ({
  severity: "error",
  step: "cluster",
  code: "CLUSTER_FORBIDDEN",
  message,
  remedy: "ask",
});

function open() {
  const clock = { now: 1_000_000 };
  const lines: { level: string; msg: string }[] = [];
  const log = createLog({
    level: "debug",
    secrets: [],
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  });
  const metrics = createMetrics({ defaults: false });
  return { clock, lines, metrics, verdicts: createVerdicts({ metrics, log, now: () => clock.now }) };
}

/** After how long it is due again (ms), to 1 s. */
function dueAfter({ clock, verdicts }: ReturnType<typeof open>, print = "a"): number {
  const begun = clock.now;
  while (!verdicts.due("x", print)) clock.now += 1_000;
  return clock.now - begun;
}

test("what is sound is looked at again after ten minutes or so, and at once when anything of it changed", () => {
  const stage = open();
  expect(stage.verdicts.due("x", "a")).toBe(true);
  stage.verdicts.record("x", "a", []);
  expect(stage.verdicts.due("x", "a")).toBe(false);
  expect(stage.verdicts.due("x", "b")).toBe(true);
  const after = dueAfter(stage);
  expect(after).toBeGreaterThan(7 * MINUTE);
  expect(after).toBeLessThan(13 * MINUTE);
});

test("what is faulty is looked at again after half a minute, then ever more seldom; a change begins anew", () => {
  const stage = open();
  const pauses = Array.from({ length: 8 }, () => {
    stage.verdicts.record("x", "a", [fault()]);
    return dueAfter(stage);
  });
  expect(pauses[0]).toBeLessThan(40_000);
  expect(pauses[3]).toBeGreaterThan(2 * MINUTE);
  expect(Math.max(...pauses)).toBeLessThan(13 * MINUTE);
  stage.verdicts.record("x", "b", [fault()]);
  expect(dueAfter(stage, "b")).toBeLessThan(40_000);
});

test("each finding is told once until it changes", () => {
  const { verdicts, lines } = open();
  verdicts.record("x", "a", [fault("one")]);
  verdicts.record("x", "a", [fault("one")]);
  verdicts.record("x", "a", [fault("one"), { ...fault("two"), severity: "warning" }]);
  verdicts.record("x", "a", []);
  verdicts.record("x", "a", []);
  verdicts.record("x", "a", [fault("one")]);
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    "error orchestrator cannot launch",
    "warn orchestrator has a warning",
    "info orchestrator is in order again",
    "error orchestrator cannot launch",
  ]);
});

test("a cluster is asked one question at a time, others meanwhile", async () => {
  const gate = createGate(() => 0);
  let busy = 0;
  let most = 0;
  const act = async () => {
    most = Math.max(most, ++busy);
    await sleep(2);
    busy--;
    return { findings: [], fault: undefined, tried: true };
  };
  await Promise.all(Array.from({ length: 10 }, () => gate("one", act)));
  expect(most).toBe(1);
  await Promise.all(["two", "three"].map((server) => gate(server, act)));
  expect(most).toBe(2);
});

test("while a cluster is away its fault is the answer, for a while; a question that throws stops nobody", async () => {
  const clock = { now: 0 };
  const gate = createGate(() => clock.now);
  let asked = 0;
  const error = new OpjobError("CLUSTER_UNREACHABLE", "away");
  const away = async () => {
    asked++;
    return { findings: [], fault: error, tried: false };
  };
  await gate("one", away);
  expect(await gate("one", away)).toMatchObject({ findings: [{ message: "away" }], fault: error });
  expect(asked).toBe(1);
  await gate("two", away);
  expect(asked).toBe(2);
  clock.now = 60_000;
  await gate("one", away);
  expect(asked).toBe(3);
  await expect(gate("three", () => Promise.reject(new Error("thrown")))).rejects.toThrow("thrown");
  expect(await gate("three", away)).toMatchObject({ fault: error });
});
