// The simulation as a test: a few seeds hold what must always hold, and one plays the same twice, to the last line of its trace.
// In processes of their own, for a simulation lets nobody near the real time. `npm run simulate` plays many more seeds.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "main.ts");

/** What it printed. @throws Error with its output where something was violated */
async function simulation(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [MAIN, ...args], { maxBuffer: 64 * 1_024 * 1_024 });
  return stdout;
}

test("100 seeds violate nothing", async () => {
  expect(await simulation("--seeds", "100")).toMatch(/^100 seeds in [\d.]+ s: 0 violations/m);
}, 60_000);

test("a seed plays the same again", async () => {
  const [first, again] = [await simulation("--seed", "7", "--all"), await simulation("--seed", "7", "--all")];
  expect(first.split("\n").length).toBeGreaterThan(50);
  expect(again).toBe(first);
}, 60_000);
