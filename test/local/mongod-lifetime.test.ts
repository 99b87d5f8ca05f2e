// How a local MongoDB ends: in order, with its starter killed, and not by a Ctrl-C that is meant for the starter.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";

let own: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  own = await mkdtemp(join(tmpdir(), "opjob-test-tmp-"));
});

afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(own, { recursive: true });
});

/** Runs `text`, where `mongod` is a started replica set; `lines` are what it prints, first the server's process id. */
async function run(text: string) {
  const module = join(import.meta.dirname, "../../src/local/mongod.ts");
  const script = `
    import { MongoClient } from "mongodb";
    import { startMongod } from ${JSON.stringify(module)};
    const mongod = await startMongod({ replicaSet: true });
    console.log(mongod.pid);
    ${text}`;
  const env = { ...process.env, TMPDIR: own };
  const started = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const server = Number((await lines.next()).value);
  return { started, starter: started.pid ?? 0, server, lines };
}

test("stop may be called twice and leaves neither a process, nor data, nor anything that keeps node alive", async () => {
  const { started, server } = await run("await mongod.stop(); await mongod.stop();");
  await until(() => started.exitCode !== null, 10_000);
  expect(started.exitCode).toBe(0);
  expect(isAlive(server)).toBe(false);
  expect(await readdir(own)).toEqual([]);
});

test("the server ends by itself when the process that started it is killed", async () => {
  const { started, server } = await run("setInterval(() => {}, 60_000);");
  expect(isAlive(server)).toBe(true);
  started.kill("SIGKILL");
  await until(() => !isAlive(server), 15_000);
});

test("an interrupt from the keyboard leaves the server to the process that started it", async () => {
  const { started, starter, server, lines } = await run(`
    process.on("SIGINT", () => console.log("interrupted"));
    process.on("SIGTERM", async () => {
      const client = await MongoClient.connect(mongod.uri);
      console.log((await client.db("a").collection("b").insertOne({})).acknowledged);
      await client.close();
      await mongod.stop();
      process.exit(0);
    });
    setInterval(() => {}, 60_000);
    console.log("ready");`);
  expect((await lines.next()).value).toBe("ready");
  // A terminal sends it to the whole group.
  process.kill(-starter, "SIGINT");
  expect((await lines.next()).value).toBe("interrupted");
  started.kill("SIGTERM");
  expect((await lines.next()).value).toBe("true");
  await until(() => started.exitCode !== null, 10_000);
  expect(isAlive(server)).toBe(false);
});

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not reached within ${withinMs} ms`);
    await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
