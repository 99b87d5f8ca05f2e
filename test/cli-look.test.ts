// `opjob status`, `ops` and `logs` beside a real daemon: what they show, how they follow, and that they change nothing.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { EJSON } from "bson";
import { ObjectId } from "mongodb";
import { opjobBeside, type Run } from "./command-line.ts";
import { register, storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";

let stage: Scene;
const run = (args: readonly string[], given?: Run) => opjobBeside(stage, args, given);
const set = (id: string, fields: object) =>
  stage.database.db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: fields });

beforeAll(async () => {
  stage = await scene();
  const { db } = stage.database;
  await register(db, { id: "away", template: template(), secret: "AWAY", config: { namespace: NAMESPACE } });
  await storeSecret(db, "AWAY", stage.kubernetes.kubeconfig().replace(stage.kubernetes.url, "http://127.0.0.1:1"));
  await register(db, { id: "retired", template: template(), secret: "NONE" });
  await db.collection("orchestrators").updateOne({ instance_id: "retired" }, { $set: { deactivated_at: new Date() } });
  await stage.start();
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

async function podOf(id: string): Promise<{ namespace: string; name: string }> {
  const path = `${stage.kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=opjob/operation=${id}`;
  const name = await until(`a Pod of ${id}`, async () => {
    const { items } = (await (await fetch(path)).json()) as { items: { metadata: { name: string } }[] };
    return items[0]?.metadata.name;
  });
  return { namespace: NAMESPACE, name };
}

describe("status", () => {
  test("shows orchestrators with cluster, queue and Jobs, what is left alone, and what failed", async () => {
    const running = await stage.queue();
    await stage.reaches(running, "running");
    await set(running, { run_state: "running", started_at: new Date() });
    const held = await stage.queue({ delegation_target: "away" });
    await stage.reaches(held, "held");
    await stage.queue({ delegation_target: null });
    await stage.queue({ delegation_target: "awry" });
    const failed = await stage.queue({
      delegation_target: "x",
      run_state: "failed",
      failed_at: new Date(),
      result: { error: "no\nmore" },
    } as never);
    const { code, out } = await run(["status"]);
    expect(code).toBe(3);
    const rows = out.split("\n").map((line) => line.split(/ {2,}/));
    const row = (id: string) => rows.find(([first]) => first === id);
    expect(row(TARGET)).toEqual([
      TARGET,
      "active",
      stage.kubernetes.url,
      NAMESPACE,
      expect.stringMatching(/ ms$/),
      "0",
      "0",
      "1",
      "1",
    ]);
    expect(row("away")?.slice(0, 8)).toEqual([
      "away",
      "active",
      "http://127.0.0.1:1",
      NAMESPACE,
      "CLUSTER_UNREACHABLE",
      "1",
      "1",
      "0",
    ]);
    expect(row("retired")?.slice(0, 2)).toEqual(["retired", "deactivated"]);
    expect(out).toMatch(/away: CLUSTER_UNREACHABLE: .*ECONNREFUSED.*\n {2}What to do: Check the kubeconfig/);
    expect(row("(none)")).toEqual(["(none)", "1", "names no orchestrator"]);
    expect(row("awry")).toEqual(["awry", "1", "no such orchestrator"]);
    expect(row(failed)?.at(-1)).toBe("no");
    const parsed = JSON.parse((await run(["status", "--json", "--failures", "0"])).out) as { orchestrators: object[] };
    expect(parsed).toMatchObject({ database: stage.database.name, failures: [] });
    expect(parsed.orchestrators).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          id: "away",
          held: 1,
          faults: [expect.objectContaining({ code: "CLUSTER_UNREACHABLE" })],
        }),
      ]),
    );
    await stage.database.db.collection("orchestrators").deleteOne({ instance_id: "away" });
    expect((await run(["status"])).code).toBe(0);
  });
});

describe("ops", () => {
  test("lists what has not ended first, with why it waits; by state and orchestrator", async () => {
    const id = await stage.queue({ delegation_target: null });
    const { code, out } = await run(["ops"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^OPERATION .*\n[\\s\\S]*${id} +queued +\\(none\\)`));
    const only = JSON.parse((await run(["ops", "--state", "failed,completed", "--json"])).out) as {
      runState: string;
    }[];
    expect(new Set(only.map(({ runState }) => runState))).toEqual(new Set(["failed"]));
    const ours = JSON.parse((await run(["ops", "--orchestrator", TARGET, "--json"])).out) as { target: string }[];
    expect(new Set(ours.map(({ target }) => target))).toEqual(new Set([TARGET]));
  });

  test.each([
    ["an unknown state", ["--state", "runing"], /no state "runing"\. Did you mean "running"\?/],
    ["an unknown orchestrator", ["--orchestrator", "kubernetes-cpo"], /Did you mean "kubernetes-cpu"\?/],
    ["a limit of nothing", ["--limit", "0"], /--limit must be/],
  ])("%s: one clear error", async (_, args, words) => {
    const { code, out, err } = await run(["ops", ...args]);
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(words)]);
  });

  test("--watch tells each change in a line, until Ctrl-C", async () => {
    const stop = Promise.withResolvers<string>();
    let seen = "";
    const watching = run(["ops", "--watch", "--json", "--orchestrator", TARGET], {
      stopped: stop.promise,
      onOutput: (text) => {
        seen += text;
      },
    });
    const id = await stage.queue();
    const linesOf = () =>
      seen.split("\n").flatMap((line) => (line.includes(id) ? [JSON.parse(line) as { runState: string }] : []));
    await until("it is shown", () => linesOf().length > 0);
    await set(id, { run_state: "running", started_at: new Date() });
    await until("it is shown as running", () => linesOf().at(-1)?.runState === "running");
    stop.resolve("SIGINT");
    expect((await watching).code).toBe(0);
  });
});

describe("logs", () => {
  test("shows what the worker wrote; the last lines only if they are asked for", async () => {
    const id = await stage.queue();
    await stage.reaches(id, "running");
    stage.kubernetes.simulate.print(await podOf(id), "one\ntwo\nthree\n");
    expect((await run(["logs", id])).out).toBe("one\ntwo\nthree\n");
    expect((await run(["logs", id, "--tail", "1"])).out).toBe("three\n");
    expect((await run(["logs", id, "--container", "task-worker"])).code).toBe(0);
    expect((await run(["logs", id, "--container", "task-wroker"])).err).toContain('Did you mean "task-worker"?');
    expect((await run(["logs", id, "--tail", "x"])).err).toContain("--tail must be");
  });

  test("-f waits for the start, goes on as it comes, and ends with the container", async () => {
    stage.kubernetes.faults.setCapacity({ pods: "0" });
    const id = await stage.queue();
    await stage.launched(id);
    let seen = "";
    const following = run(["logs", "-f", id], {
      onOutput: (text) => {
        seen += text;
      },
    });
    stage.kubernetes.faults.setCapacity({ pods: "100" });
    const pod = await podOf(id);
    await stage.reaches(id, "running");
    stage.kubernetes.simulate.print(pod, "first\n");
    await until("the first line", () => seen === "first\n");
    stage.kubernetes.simulate.print(pod, "last\n");
    stage.kubernetes.simulate.finish(pod, 0);
    const { code, out, err } = await following;
    expect([code, out]).toEqual([0, "first\nlast\n"]);
    expect(err).toMatch(/^(waiting for the worker to start …\n)?$/);
  });

  test("Ctrl-C ends it", async () => {
    const id = await stage.queue();
    await stage.reaches(id, "running");
    const stop = Promise.withResolvers<string>();
    const following = run(["logs", "-f", id], { stopped: stop.promise, onOutput: () => stop.resolve("SIGINT") });
    stage.kubernetes.simulate.print(await podOf(id), "first\n");
    expect((await following).code).toBe(0);
  });

  test("what has no log says why, and what tells more", async () => {
    const never = await stage.queue({ delegation_target: null });
    const { code, err } = await run(["logs", never]);
    expect([code, err]).toEqual([1, expect.stringMatching(/has not started.*\n.*opjob explain/)]);
    const ended = await stage.queue({ run_state: "failed", failed_at: new Date() } as never);
    expect((await run(["logs", "-f", ended])).err).toMatch(/no log of operation .* \(any more\)/);
  });
});

test("looking changes not a byte of the database", async () => {
  await using quiet = await scene();
  const { database } = quiet;
  const id = await quiet.queue();
  const snapshot = async () =>
    EJSON.stringify(
      await Promise.all(
        ["delegated_ops", "orchestrators", "secrets"].map((name) => database.db.collection(name).find().toArray()),
      ),
    );
  const before = await snapshot();
  const env = { FIFTYONE_DATABASE_NAME: database.name };
  for (const args of [["status"], ["ops"], ["explain", id], ["logs", id]]) await run(args, { env });
  expect(await snapshot()).toBe(before);
  expect(quiet.kubernetes.counts().watches).toBe(0);
  expect(await quiet.jobs()).toEqual([]);
});
