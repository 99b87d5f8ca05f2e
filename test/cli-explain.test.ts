// `opjob explain` on operations in all kinds of predicaments, made by a real daemon on a real MongoDB and a local Kubernetes.
// Each answer is printed: what a person reads is what counts.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { factOf } from "../src/inquiries/leader.ts";
import { opjobBeside, type Run } from "./command-line.ts";
import { register, until } from "./local-daemon.ts";
import { testDatabase } from "./mongo.ts";
import { NAMESPACE, type Scene, scene, template } from "./scene.ts";

let stage: Scene;
const SETTINGS = { OPJOB_IMAGE_GRACE_SECONDS: "600", OPJOB_RESULT_GRACE_SECONDS: "0" };
const ACCOUNT = { user: "weak", allow: () => true };

const run = (args: readonly string[], { env, ...rest }: Run = {}) =>
  opjobBeside(stage, args, { ...rest, env: { ...SETTINGS, ...env } });
const operations = () => stage.database.db.collection("delegated_ops");
const set = (id: string, fields: object) => operations().updateOne({ _id: new ObjectId(id) }, { $set: fields });

async function podOf(id: string): Promise<{ namespace: string; name: string }> {
  const headers = { authorization: "Bearer admin-admin-admin" };
  const path = `${stage.kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=opjob/operation=${id}`;
  const name = await until(`a Pod of ${id}`, async () => {
    const { items } = (await (await fetch(path, { headers })).json()) as { items: { metadata: { name: string } }[] };
    return items[0]?.metadata.name;
  });
  return { namespace: NAMESPACE, name };
}

/** A worker that has begun: its container runs, and the document says so. */
async function begun(fields: object = {}): Promise<string> {
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await set(id, { run_state: "running", started_at: new Date(), ...fields });
  return id;
}

const to = (delegation_target: string | null) => stage.queue({ delegation_target });

beforeAll(async () => {
  stage = await scene(template(), { accounts: { weak: ACCOUNT } });
  const { db } = stage.database;
  const config = { namespace: NAMESPACE };
  const gpu = template({ container: 'resources: { limits: { "nvidia.com/gpu": "1" } }' });
  await register(db, { id: "kubernetes-gpu", template: gpu, secret: "KUBE", config });
  const image = template().replace("local/worker:1", "registry.example/wroker:1");
  await register(db, { id: "typo", template: image, secret: "KUBE", config });
  await register(db, { id: "no-secret", template: template(), secret: "KUBE_CONFIG_GONE", config });
  await register(db, { id: "broken-template", template: "a: 1\nb: {{ 1 +\n", secret: "KUBE", config });
  await register(db, { id: "suspended", template: template({ job: "suspend: true" }), secret: "KUBE", config });
  await register(db, { id: "bricks", template: template(), secret: "KUBE", config });
  await db.collection("orchestrators").updateOne({ instance_id: "bricks" }, { $set: { environment: "databricks" } });
  await register(db, { id: "retired", template: template(), secret: "KUBE", config });
  const retired = { deactivated_at: new Date("2026-11-01T00:00:00Z") };
  await db.collection("orchestrators").updateOne({ instance_id: "retired" }, { $set: retired });
  stage.kubernetes.faults.refuseImage(/wroker/);
  await stage.start(SETTINGS);
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

type Predicament = {
  readonly name: string;
  /** Makes an operation that is in it. */
  readonly make: () => Promise<string>;
  readonly state: string;
  readonly reason?: string;
  /** What must stand in the answer. */
  readonly words: RegExp;
  readonly well?: boolean;
};

const FAILED = "failed";
const PREDICAMENTS: readonly Predicament[] = [
  {
    name: "no node has a GPU",
    make: async () => (await stage.reaches(await to("kubernetes-gpu"), "Unschedulable"))._id.toHexString(),
    state: "waiting",
    reason: "Unschedulable",
    words: /fails if this lasts 900 s[\s\S]*nvidia\.com\/gpu[\s\S]*What to do: Ask for less/,
  },
  {
    name: "an image that cannot be pulled",
    make: async () => (await stage.reaches(await to("typo"), "ImagePullFailed"))._id.toHexString(),
    state: "waiting",
    reason: "ImagePullFailed",
    words: /registry\.example\/wroker:1[\s\S]*container +task-worker .*waits: (ErrImagePull|ImagePullBackOff)/,
  },
  {
    name: "a secret that does not exist",
    make: async () => (await stage.reaches(await to("no-secret"), "SECRET_MISSING"))._id.toHexString(),
    state: "held",
    reason: "SECRET_MISSING",
    words: /There is no secret "KUBE_CONFIG_GONE"\.\nWhat to do: Create the secret/,
  },
  {
    name: "a template that is no Jinja2",
    make: async () => (await stage.reaches(await to("broken-template"), FAILED))._id.toHexString(),
    state: FAILED,
    reason: "TEMPLATE_RENDER_FAILED",
    words: /fails at line 2.*\nWhat to do: Correct the template/,
  },
  {
    name: "out of memory",
    make: async () => {
      const id = await begun();
      stage.kubernetes.simulate.finish(await podOf(id), 137, "OOMKilled");
      await stage.reaches(id, FAILED);
      return id;
    },
    state: FAILED,
    reason: "OOMKilled",
    words: /more memory than its limit[\s\S]*What to do: Raise[\s\S]*container ended|ended: OOMKilled, exit code 137/,
  },
  {
    name: "a worker that crashed, with its last words",
    make: async () => {
      const id = await begun();
      const pod = await podOf(id);
      stage.kubernetes.simulate.print(pod, "loading the model\n\u001b[31mCUDA error: no device\u001b[0m\n");
      stage.kubernetes.simulate.finish(pod, 3, "Error");
      await stage.reaches(id, FAILED);
      return id;
    },
    state: FAILED,
    reason: "WorkerFailed",
    words: /exit code 3[\s\S]*Last log lines of container "task-worker":\nloading the model\n \[31mCUDA error/,
  },
  {
    name: "an operator that raised an error",
    make: async () => {
      const error =
        'Traceback (most recent call last):\n  File "op.py", line 3, in execute\nValueError: no such field: "x"';
      const id = await begun({ run_state: FAILED, failed_at: new Date(Date.now() + 1_500), result: { error } });
      stage.kubernetes.simulate.finish(await podOf(id), 1, "Error");
      await stage.reaches(id, "done");
      return id;
    },
    state: FAILED,
    reason: "WorkerError",
    words: /Its worker ran it.*\nWhy: WorkerError: ValueError: no such field: "x"\n[\s\S]*Traceback/,
  },
  {
    name: "failed by a person",
    make: async () => begun({ run_state: FAILED, failed_at: new Date(), result: null }),
    state: FAILED,
    words: /A person or another program set it to failed/,
  },
  {
    name: "its Job was deleted",
    make: async () => {
      const id = await begun();
      const job = await stage.jobOf(id);
      const path = `${stage.kubernetes.url}/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${job?.metadata.name}`;
      await fetch(path, { method: "DELETE", headers: { authorization: "Bearer admin-admin-admin" } });
      await stage.reaches(id, FAILED);
      return id;
    },
    state: FAILED,
    reason: "JobDeleted",
    words: /The Job was deleted[\s\S]*Job +fiftyone\/\S+ +gone/,
  },
  {
    name: "a Job that waits to be admitted",
    make: async () => (await stage.reaches(await to("suspended"), "Suspended"))._id.toHexString(),
    state: "waiting",
    reason: "Suspended",
    words: /for as long as it takes[\s\S]*spec\.suspend: false[\s\S]*suspended/,
  },
  {
    name: "no target",
    make: () => to(null),
    state: "not taken",
    words: /names no orchestrator[\s\S]*delegation_target=/,
  },
  {
    name: "a target with a typing error",
    make: () => to("kubernetes-gpo"),
    state: "not taken",
    words: /no orchestrator "kubernetes-gpo"\.\nWhy: Did you mean "kubernetes-gpu"\?/,
  },
  {
    name: "another environment's",
    make: () => to("bricks"),
    state: "not taken",
    words: /"bricks" is not on Kubernetes[\s\S]*databricks/,
  },
  {
    name: "a deactivated orchestrator's",
    make: () => to("retired"),
    state: "not taken",
    words: /"retired" is deactivated[\s\S]*2026-11-01[\s\S]*opjob orchestrator activate retired/,
  },
  { name: "archived", make: () => stage.queue({ archived: true }), state: "not taken", words: /it is archived/ },
  {
    name: "scheduled, not queued",
    make: () => stage.queue({ run_state: "scheduled", queued_at: null, scheduled_at: new Date() } as never),
    state: "not taken",
    words: /scheduled, not queued[\s\S]*scheduled by FiftyOne/,
  },
  {
    name: "a container that runs, and a worker that has not begun",
    make: async () => (await stage.reaches(await stage.queue(), "running"))._id.toHexString(),
    state: "starting",
    words: /FiftyOne takes seconds to start[\s\S]*container started[\s\S]*\nnow /,
    well: true,
  },
  {
    name: "running, with its progress",
    make: () => begun({ status: { progress: 0.4, label: "sample 40 of 100", updated_at: new Date() } }),
    state: "running",
    words: /It runs\. 40 % sample 40 of 100[\s\S]*worker began[\s\S]*container +task-worker .* runs/,
    well: true,
  },
  {
    name: "completed",
    make: async () => {
      const id = await begun({
        run_state: "completed",
        completed_at: new Date(Date.now() + 1_500),
        result: { result: 1 },
      });
      stage.kubernetes.simulate.finish(await podOf(id), 0);
      await stage.reaches(id, "done");
      return id;
    },
    state: "completed",
    words: /It was completed\. Ended [\s\S]*result recorded[\s\S]*Job +fiftyone\/\S+ +complete/,
    well: true,
  },
  {
    name: "taken by another program",
    make: () => stage.queue({ run_state: "running", started_at: new Date() } as never),
    state: "running",
    words: /opjob did not launch it/,
    well: true,
  },
];

describe.each(PREDICAMENTS)("$name", ({ name, make, state, reason, words, well = false }) => {
  test("is explained, for people and for programs", async () => {
    const id = await make();
    const { code, out, err } = await run(["explain", id]);
    process.stderr.write(`\n── ${name} (exit code ${code})\n${out}`);
    expect(err).toBe("");
    expect(out).toMatch(words);
    expect(code).toBe(well ? 0 : 3);
    // The page must be printable, and hold no secret.
    expect(out).not.toMatch(new RegExp(`${String.fromCharCode(27)}|Bearer|admin-admin`));
    const { out: text } = await run(["explain", id.toUpperCase(), "--json"]);
    const answer = JSON.parse(text) as { stages: { stage: string; at: string; took?: number }[] };
    expect(answer).toMatchObject({ id, state, well, ...(reason === undefined ? {} : { reason }) });
    for (const { took = 0 } of answer.stages) expect(took).toBeGreaterThanOrEqual(0);
  });
});

describe("in line", () => {
  let full: Scene;
  const explained = async (id: string, name: string, more: NodeJS.ProcessEnv = {}) => {
    const env = { FIFTYONE_DATABASE_NAME: full.database.name, ...(more as Record<string, string>) };
    const { code, out, err } = await run(["explain", id], { env });
    process.stderr.write(`\n── ${name} (exit code ${code})\n${out}`);
    expect(err).toBe("");
    const { out: text } = await run(["explain", id, "--json"], { env });
    return { code, out, answer: JSON.parse(text) as { state: string; reason?: string; well: boolean } };
  };
  /** One after the other: else any of them may come first, and go. */
  const queueMany = async (delegation_target: string): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) {
      ids.push(await full.queue({ delegation_target, queued_at: new Date(Date.now() - 100_000 + i) }));
    }
    return ids;
  };

  beforeAll(async () => {
    full = await scene();
    const { db } = full.database;
    const config = { namespace: NAMESPACE };
    await register(db, {
      id: "limited",
      template: template(),
      secret: "KUBE",
      config: { ...config, maxInFlight: "1" },
    });
    await register(db, { id: "broken", template: template(), secret: "NOT_YET", config });
    const image = template().replace("local/worker:1", "registry.example/wroker:1");
    await register(db, { id: "typo", template: image, secret: "KUBE", config });
    full.kubernetes.faults.refuseImage(/wroker/);
    await full.start({ ...SETTINGS, OPJOB_LAUNCH_CONCURRENCY: "2" });
  }, 60_000);
  afterAll(() => full[Symbol.asyncDispose]());

  test("at a limit: which limit, and which in the line", async () => {
    const ids = await queueMany("limited");
    const id = ids[3] ?? "";
    await full.told(id, "LimitReached");
    const { code, out, answer } = await explained(id, "queued for a limit");
    expect([code, answer.state, answer.reason, answer.well]).toEqual([0, "queued", "LimitReached", true]);
    expect(out).toMatch(/its turn[\s\S]*"limited": 1\. It is number 3 of 5[\s\S]*--max-in-flight[\s\S]*line +number 3/);
    const ops = await run(["ops", "--orchestrator", "limited"], {
      env: { FIFTYONE_DATABASE_NAME: full.database.name },
    });
    expect(ops.out).toMatch(new RegExp(`${id} +queued +queued .*LimitReached: As many`));
  });

  test("behind an open breaker: the fault, and when it is tried again", async () => {
    const ids = await queueMany("broken");
    for (const id of ids) await full.told(id, "SECRET_MISSING");
    // Which were tried, and are held themselves, is up to the order in which they came.
    const id = await until("one waits in line", async () => {
      for (const one of ids) if ((await full.read(one)).opjob?.phase === "queued") return one;
      return undefined;
    });
    const { code, out, answer } = await explained(id, "the breaker is open");
    expect([code, answer.state, answer.reason]).toEqual([3, "queued", "SECRET_MISSING"]);
    expect(out).toMatch(
      /again and again[\s\S]*no secret "NOT_YET"\. One operation at a time[\s\S]*Create the secret[\s\S]*within 75 s/,
    );
  });

  test("behind an image that cannot be pulled", async () => {
    const first = await full.queue({ delegation_target: "typo" });
    await full.reaches(first, "ImagePullFailed");
    await until("it is noticed", () =>
      full.daemon().lines.some(({ msg }) => String(msg).includes("an image cannot be pulled")),
    );
    const id = (await queueMany("typo")).at(-1) ?? "";
    await full.told(id, "ImagePullFailed");
    const { code, out, answer } = await explained(id, "an image that is held");
    expect([code, answer.state]).toEqual([3, "queued"]);
    expect(out).toMatch(
      /an image that it needs cannot be pulled[\s\S]*registry\.example\/wroker:1[\s\S]*What to do:.*image/,
    );
  });
});

describe("of several replicas", () => {
  const LEASE = { OPJOB_LEADERSHIP: "lease", OPJOB_LEASE_NAMESPACE: NAMESPACE };
  let folder: string;
  let alone: Scene;
  const explained = async (id: string, name: string) => {
    const env = { FIFTYONE_DATABASE_NAME: alone.database.name, ...LEASE };
    const { code, out } = await run(["explain", id], { env });
    process.stderr.write(`\n── ${name} (exit code ${code})\n${out}`);
    return { code, out };
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "opjob-explain-"));
    alone = await scene();
    // The Lease lies in the cluster of the default kubeconfig.
    process.env["KUBECONFIG"] = join(folder, "kubeconfig");
    await writeFile(process.env["KUBECONFIG"], alone.kubernetes.kubeconfig());
  });
  afterAll(async () => {
    delete process.env["KUBECONFIG"];
    await alone[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test("none leads, then one does, then it gave the Lease back", async () => {
    const id = await alone.queue({ queued_at: new Date(Date.now() - 40_000) });
    const before = await explained(id, "no replica leads");
    expect(before.code).toBe(3);
    expect(before.out).toMatch(
      /no replica of opjob leads\. Since 40 s\.\nWhy: NoLeader: Nobody holds the Lease fiftyone\/opjob/,
    );
    expect(before.out).toMatch(/What to do: See that a replica runs[\s\S]*opjob +Lease fiftyone\/opjob +nobody leads/);
    const daemon = await alone.start({ ...SETTINGS, ...LEASE });
    await alone.reaches(id, "running");
    expect((await explained(id, "one leads")).out).toMatch(/\nopjob +\S+ +leads\n/);
    await daemon.stop();
    const after = await alone.queue();
    expect((await explained(after, "the leader went")).out).toMatch(/no replica of opjob leads[\s\S]*gave it back/);
    const status = await run(["status"], { env: { FIFTYONE_DATABASE_NAME: alone.database.name, ...LEASE } });
    expect([status.code, status.out]).toEqual([3, expect.stringMatching(/No replica leads: /)]);
  });

  test("a Lease that has run out, or is another opjob's, is nobody's here", () => {
    const asked = { lease: "n/opjob", instance: "mine", now: 100_000 };
    const lease = (renewed: number, more: object = {}) => {
      const raw = { spec: { renewTime: new Date(renewed).toISOString() } };
      return { holder: "pod_1", durationMs: 15_000, epoch: 1, instance: "mine", version: "1", raw, ...more };
    };
    expect(factOf(lease(90_000), asked)).toMatchObject({ kind: "leads", holder: "pod_1", renewed: 10_000 });
    expect(factOf(lease(60_000), asked)).toMatchObject({ kind: "nobody", words: expect.stringContaining("40 s ago") });
    const other = factOf(lease(90_000, { instance: "other" }), asked);
    expect(other).toMatchObject({ kind: "nobody", words: expect.stringContaining("another database") });
  });
});

test("a Job on a cluster that cannot be reached from here is not taken for gone", async () => {
  const id = await begun();
  const env = {
    KUBE: stage.kubernetes
      .kubeconfig({ token: "admin-admin-admin" })
      .replace(stage.kubernetes.url, "http://127.0.0.1:1"),
  };
  const { code, out } = await run(["explain", id], { env });
  process.stderr.write(`\n── a cluster that is not reached from here (exit code ${code})\n${out}`);
  expect([code, out]).toEqual([
    3,
    expect.stringMatching(
      /Its Job cannot be seen now\.[\s\S]*which is not reached from here: the orchestrator leads to http:\/\/127\.0\.0\.1:1/,
    ),
  ]);
});

test("without a daemon it is said that nobody has taken it", async () => {
  await using alone = await scene();
  const id = await alone.queue({ queued_at: new Date(Date.now() - 300_000) });
  const env = { FIFTYONE_DATABASE_NAME: alone.database.name };
  const { code, out } = await run(["explain", id], { env });
  process.stderr.write(`\n── no daemon (exit code ${code})\n${out}`);
  expect([code, out]).toEqual([3, expect.stringMatching(/no opjob has taken it yet\. Since 5 min\.\n.*opjob daemon/)]);
  const young = await run(["explain", await alone.queue()], { env });
  expect(young.code).toBe(0);
});

describe("which operation is meant", () => {
  test("the first digits do, if no other begins like that", async () => {
    const id = `ffffff${new ObjectId().toHexString().slice(6)}`;
    const other = `${id.slice(0, 20)}${id.slice(20) === "0000" ? "1111" : "0000"}`;
    const fields = { run_state: "completed", operator: "@a/b", queued_at: new Date() };
    await operations().insertOne({ _id: new ObjectId(id), ...fields });
    expect(JSON.parse((await run(["explain", "ffffff", "--json"])).out)).toMatchObject({ id });
    await operations().insertOne({ _id: new ObjectId(other), ...fields });
    const { code, err } = await run(["explain", "ffffff"]);
    expect([code, err]).toEqual([1, expect.stringMatching(new RegExp(`begins with "ffffff": .*${id}`))]);
    expect((await run(["explain", id])).code).toBe(0);
  });

  test.each([
    ["no id at all", "hello", /is no operation's id/],
    ["too few digits", "6b06", /is no operation's id/],
    ["too many", "0".repeat(25), /is no operation's id/],
    ["one that is not there", "0".repeat(24), /no operation 0{24} in the database "test_/],
  ])("%s: one clear error", async (_, id, words) => {
    const { code, out, err } = await run(["explain", id]);
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(words)]);
  });

  test("one that is in another database of the server is found there", async () => {
    await using other = await testDatabase();
    const { insertedId } = await other.db.collection("delegated_ops").insertOne({ run_state: "queued" });
    const { err } = await run(["explain", insertedId.toHexString()]);
    expect(err).toMatch(new RegExp(`It is in the database "${other.name}".\n.*FIFTYONE_DATABASE_NAME=${other.name}`));
  });
});
