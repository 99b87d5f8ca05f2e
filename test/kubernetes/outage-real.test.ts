// Operations drain through the failures of a real API server that outage.ts knows: nothing is lost, doubled, or falsely failed.
// Smaller than `npm run outage`, which has the same at length.
import { expect, test } from "@jest/globals";
import { type FaultName, suffer } from "./outage.ts";

const FREEZE_SECONDS = 8;
const LONGEST_MS = 300_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

test.each<[FaultName, string, number]>([
  ["killed", "the API server is killed twice", 500],
  ["forgotten", "the API server forgets its history (410)", 500],
  ["frozen", `every connection stands still for ${FREEZE_SECONDS} s`, 100],
  ["deafened", "the connections that there are never answer again", 100],
])(
  "%s: operations run once each although %s (%i of them)",
  async (fault, _, operations) => {
    const options = { operations, freezeSeconds: FREEZE_SECONDS, deployed: false, say };
    const { extraPods, launchedAfter: __, endedAfter: ___, ...harm } = await suffer(fault, options);
    expect(harm).toEqual({ lost: 0, doubled: 0, falselyFailed: 0, deleted: 0 });
    expect(extraPods).toBeLessThan(operations * 0.1);
    if (extraPods > 0) say(`${extraPods} Pods more than Jobs, by the Job controller`);
  },
  LONGEST_MS,
);
