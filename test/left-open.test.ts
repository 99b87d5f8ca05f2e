// A test that fails must not keep the run from ending, whatever it has left open: Jest itself is run on one that runs out of time.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@jest/globals";

const JEST = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning", "node_modules/jest/bin/jest.js"];
const FIXTURE = ["--config", "config/jest.config.js", "--testMatch", "<rootDir>/test/left-open.fixture.ts"];

test("a run whose test ran out of time says what it left open, closes it, and ends", async () => {
  const child = spawn(process.execPath, [...JEST, ...FIXTURE], { stdio: ["ignore", "ignore", "pipe"] });
  const output: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const late = setTimeout(() => child.kill("SIGKILL"), 50_000);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(late);
  const text = Buffer.concat(output).toString();
  expect([code, text]).toEqual([1, expect.stringMatching(/Exceeded timeout of 3000 ms[\s\S]*left open[^\n]*a daemon/)]);
}, 60_000);
