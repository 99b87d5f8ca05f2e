// A short storm over real parts, for every run of the chaos suite; `npm run storm` is the long one.
import { expect, test } from "@jest/globals";
import { storm } from "./storm.ts";
import { harm } from "./toll.ts";

const FAULTS = 14;
/** Each alone would take a fifth of the suite's time; `npm run storm` has them. */
const WITHOUT = ["daemon frozen for 30 s", "controllers killed", "scheduler killed"];

test(`nothing is lost, doubled, falsely failed or left over in a storm of ${FAULTS} faults`, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  process.stderr.write(`SEED=${seed}\n`);
  const toll = await storm({
    operations: 200,
    faults: FAULTS,
    replicas: 2,
    seed,
    without: WITHOUT,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stderr.write(`${JSON.stringify(toll)}\n`);
  expect(toll).toMatchObject({ completed: 200, failed: [], lost: [], doubled: [], missing: [], leftOver: 0 });
  expect(harm(toll)).toBe(0);
  expect(Object.keys(toll.faults).length).toBeGreaterThanOrEqual(8);
}, 600_000);
