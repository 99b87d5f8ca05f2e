// What is to happen at a call happens when it was sent and before it is done, once, and only at that one.
import { expect, test } from "@jest/globals";
import { drawPlan } from "./draw.ts";
import { createMoments } from "./moments.ts";
import type { DaemonPlan, Plan } from "./plan.ts";
import { simulate } from "./simulate.ts";
import { Time } from "./time.ts";

test("calls are counted by verb, for one daemon and for all", () => {
  const time = new Time();
  const moments = createMoments(time);
  const told: string[] = [];
  moments.at({ call: 2, verb: "get jobs" }, 1, () => told.push("the second look of daemon 1"));
  moments.at({ call: 2, verb: "get jobs" }, undefined, () => told.push("the second look of all"));
  moments.at({ call: 4 }, undefined, () => told.push("the fourth call of all"));
  for (const [verb, daemon] of [
    ["get jobs", 0],
    ["get jobs", 1],
    ["find", 1],
    ["get jobs", 1],
  ] as const) {
    moments.made({ service: "", verb, about: "" }, daemon);
    while (time.step());
    told.push(`${verb} of ${daemon} is done`);
  }
  expect(told).toEqual([
    "get jobs of 0 is done",
    "the second look of all",
    "get jobs of 1 is done",
    "find of 1 is done",
    "the fourth call of all",
    "the second look of daemon 1",
    "get jobs of 1 is done",
  ]);
});

const quiet: Plan = {
  ...drawPlan(3),
  ...{ horizonMs: 40_000, limit: 0, lease: false, clusterSkewMs: [0], storms: [] },
  orchestrators: [{ cluster: 0, namespace: "team-a", ttl: 30 }],
  operations: drawPlan(3)
    .operations.slice(0, 1)
    .map((one) => ({ ...one, at: 0, orchestrator: 0, oddity: undefined })),
  ...{ acts: [], troubles: [], hints: [], incidents: [] },
  daemons: [{ startAt: 0, skewMs: 0, kills: [], pauses: [], stops: [] }],
};
const claim = { call: 1, verb: "findOneAndUpdate" } as const;
/** The lines that matter, in their order. */
const played = async (plan: Plan, what: RegExp): Promise<string[]> =>
  (await simulate(plan)).trace.flatMap((line) => what.exec(line)?.[0] ?? []).slice(0, 2);

test("an incident, a pause and an act come between a call and what it does", async () => {
  const incident = { ...quiet, incidents: [{ at: claim, kind: "partition", ms: 100 } as const] };
  expect(await played(incident, /incident|findOneAndUpdate/)).toEqual(["incident", "findOneAndUpdate"]);
  const act = { ...quiet, acts: [{ at: claim, kind: "archive", operation: 0 } as const] };
  expect(await played(act, /archive|findOneAndUpdate/)).toEqual(["archive", "findOneAndUpdate"]);
  const daemon = quiet.daemons[0] as DaemonPlan;
  const pause = { ...quiet, daemons: [{ ...daemon, pauses: [{ at: claim, ms: 100 }] }] };
  expect(await played(pause, /stands still|findOneAndUpdate/)).toEqual(["stands still", "findOneAndUpdate"]);
});

test("a daemon dies at a call of the verb that its end names", async () => {
  const daemon = quiet.daemons[0] as DaemonPlan;
  const kill = { ...claim, side: "after", downMs: 500 } as const;
  const dies = { ...quiet, daemons: [{ ...daemon, kills: [kill] }] };
  expect(await played(dies, /dies|findOneAndUpdate/)).toEqual(["findOneAndUpdate", "dies"]);
});
