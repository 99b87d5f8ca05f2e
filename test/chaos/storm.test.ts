// A short storm over real parts, for every run of the chaos suite; `npm run storm` is the long one.
import { expect, test } from "@jest/globals";
import { storm } from "./storm.ts";

test("nothing is lost, doubled, falsely failed or left over in a storm of 12 faults", async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  process.stderr.write(`SEED=${seed}\n`);
  const toll = await storm({
    operations: 120,
    faults: 12,
    replicas: 2,
    seed,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stderr.write(`${JSON.stringify(toll)}\n`);
  expect(toll).toMatchObject({ completed: 120, failed: [], lost: 0, doubled: [], missing: [], leftOver: 0 });
  expect(Object.keys(toll.faults).length).toBeGreaterThanOrEqual(8);
}, 600_000);
