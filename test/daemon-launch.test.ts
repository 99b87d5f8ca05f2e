// OUT, seen from outside: what the daemon makes of queued operations, on a real MongoDB and a Kubernetes API server.
import { expect, test } from "@jest/globals";
import { EJSON, ObjectId } from "bson";
import { dataUri, register, storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, scene, TARGET, template } from "./scene.ts";

test("a queued operation becomes one Job with our marks, and stays queued for its worker", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_RUN_LINK: "https://k8s.example/{namespace}/{job}?op={operation}" });
  const id = await stage.queue({ operator: "@voxel51/brain/compute_embeddings" });
  const operation = await stage.launched(id);
  const job = await stage.jobOf(id);
  expect(job?.metadata.name).toBe(`compute-embeddings-${id}`);
  expect(job?.metadata.labels).toMatchObject({
    "app.kubernetes.io/managed-by": "opjob",
    "opjob/operation": id,
    "opjob/orchestrator": TARGET,
    "opjob/attempt": "1",
    "task-id": id,
  });
  expect(job?.spec.template.metadata.labels).toMatchObject({ "opjob/operation": id, "opjob/attempt": "1" });
  expect(operation.run_state).toBe("queued");
  expect(operation).toMatchObject({ run_link: `https://k8s.example/${NAMESPACE}/compute-embeddings-${id}?op=${id}` });
  expect(operation.opjob).toMatchObject({
    attempt: 1,
    namespace: NAMESPACE,
    job: job?.metadata.name,
    uid: job?.metadata.uid,
  });
  expect(Object.keys(operation.opjob?.timeline ?? {})).toEqual(expect.arrayContaining(["seen", "claimed", "created"]));
});

test("the worker gets its operation's id, by default as the last argument of python", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.launched(id);
  const [container] = ((await stage.jobOf(id))?.spec.template.spec["containers"] ?? []) as {
    command: string[];
    args: string[];
  }[];
  expect(container?.command).toEqual(["python"]);
  expect(container?.args.at(-1)).toBe(id);
});

test("what is not ours is not changed by a byte", async () => {
  await using stage = await scene();
  const { db } = stage.database;
  await register(db, { id: "gone", template: template(), secret: "KUBE" });
  await db.collection("orchestrators").updateOne({ instance_id: "gone" }, { $set: { deactivated_at: new Date() } });
  await register(db, { id: "bricks", template: template(), secret: "KUBE" });
  await db.collection("orchestrators").updateOne({ instance_id: "bricks" }, { $set: { environment: "databricks" } });
  const others = [
    { delegation_target: null },
    { delegation_target: "nobody" },
    { delegation_target: "gone" },
    { delegation_target: "bricks" },
    { archived: true },
    { run_state: "scheduled" },
    { run_state: "running" },
    { run_state: "completed" },
    { run_state: "failed" },
  ];
  const ids = await Promise.all(others.map((fields) => stage.queue(fields as never)));
  const snapshot = async () =>
    EJSON.stringify(
      await db
        .collection("delegated_ops")
        .find({ _id: { $in: ids.map((id) => new ObjectId(id)) } })
        .sort({ _id: 1 })
        .toArray(),
    );
  const before = await snapshot();
  await stage.start();
  const late = await Promise.all(others.map((fields) => stage.queue(fields as never)));
  const ours = await stage.queue();
  await stage.launched(ours);
  await until("a sweep", () =>
    stage
      .daemon()
      .metrics.sweeps.get()
      .then(({ values }) => values.length > 0),
  );
  expect(await snapshot()).toBe(before);
  for (const id of late) expect((await stage.read(id)).opjob).toBeUndefined();
  expect(await stage.jobs()).toHaveLength(1);
});

test("what was queued before the start is launched, oldest first", async () => {
  await using stage = await scene();
  const ids: string[] = [];
  for (const age of [3_000, 1_000, 2_000]) ids.push(await stage.queue({ queued_at: new Date(Date.now() - age) }));
  await stage.start({ OPJOB_LAUNCH_CONCURRENCY: "1" });
  for (const id of ids) await stage.launched(id);
  const launched = await until("three lines of launches", () => {
    const lines = stage.daemon().lines.filter(({ msg }) => msg === "launched");
    return lines.length === 3 && lines.map(({ operation }) => operation);
  });
  expect(launched).toEqual([ids[0], ids[2], ids[1]]);
});

test("an operation that is queued again is a new attempt, and the Job of the old one goes", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.launched(id);
  const requeued = { run_state: "queued" as const, queued_at: new Date(Date.now() + 1), updated_at: new Date() };
  await stage.database.db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: requeued });
  await until("the second attempt's Job alone", async () => {
    const names = (await stage.jobs()).map(({ metadata }) => metadata.name);
    return names.length === 1 && names[0] === `test-${id}-2`;
  });
  expect((await stage.read(id)).opjob).toMatchObject({ attempt: 2, job: `test-${id}-2` });
});

test("a restart finds its Jobs again, and a lost record of a launch doubles nothing", async () => {
  await using stage = await scene();
  const first = await stage.start();
  const id = await stage.queue();
  const before = await stage.launched(id);
  await first.stop();
  // As if the daemon had died between the creation and its record.
  const operations = stage.database.db.collection("delegated_ops");
  await operations.updateOne(
    { _id: new ObjectId(id) },
    {
      $set: { "opjob.phase": "claimed" },
      $unset: {
        "opjob.uid": "",
        "opjob.job": "",
        "opjob.namespace": "",
        "opjob.cluster": "",
        "opjob.timeline.created": "",
      },
    },
  );
  await stage.start();
  const after = await stage.launched(id);
  expect(after.opjob?.uid).toBe(before.opjob?.uid);
  expect(await stage.jobs()).toHaveLength(1);
});

test.each(["goes on", "has ended"])(
  "a Job that was made for an earlier queueing, whose claim a failover took back, does not serve the next one: its worker %s",
  async (how) => {
    await using stage = await scene();
    await stage.start();
    const id = await stage.queue();
    const { opjob } = await stage.launched(id);
    await stage.reaches(id, "running");
    await stage.daemon().stop();
    if (how === "has ended") stage.kubernetes.simulate?.finish(await stage.podOf(id), 0);
    const again = { run_state: "queued" as const, queued_at: new Date(Date.now() + 1) };
    const operations = stage.database.db.collection("delegated_ops");
    await operations.updateOne({ _id: new ObjectId(id) }, { $set: again, $unset: { opjob: "" } });
    await stage.start();
    const second = await stage.launched(id);
    expect(second).toMatchObject({ run_state: "queued", opjob: { attempt: 2, job: `test-${id}-2` } });
    expect(second.opjob?.uid).not.toBe(opjob?.uid);
    expect(second.opjob?.earlier).toBeUndefined();
    await until("nothing works on for what is queued no more", async () => {
      const live = (await stage.jobs()).filter(({ status }) => !JSON.stringify(status ?? {}).includes("Complete"));
      return live.length === 1 && live[0]?.metadata.name === `test-${id}-2`;
    });
  },
);

test("a Job of that name that is not ours is left alone, and the operation says so", async () => {
  await using stage = await scene(template({ name: "{{ _id }}" }));
  const id = new ObjectId();
  const other = {
    metadata: { name: id.toHexString() },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "b" }] } } },
  };
  await stage.kubernetes.create(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, other);
  await stage.start();
  await stage.queue({ _id: id });
  const operation = await stage.reaches(id.toHexString(), "failed");
  expect(operation.result?.error).toMatch(/JOB_NAME_TAKEN.*was not made for this operation/);
  expect(await stage.jobs()).toHaveLength(1);
});

test("a reply that is lost after the Job was created doubles nothing", async () => {
  await using stage = await scene();
  await stage.start();
  stage.kubernetes.faults.loseReplies(1, { verb: "create", resource: "jobs" });
  const id = await stage.queue();
  await stage.launched(id);
  expect(await stage.jobs()).toHaveLength(1);
});

const CREATES = { verb: "create", resource: "jobs" } as const;

test.each([429, 500, 503] as const)(
  "an API server that answers %i for a moment is asked again at once",
  async (code) => {
    await using stage = await scene();
    const { lines } = await stage.start();
    stage.kubernetes.faults.answerNext(2, { code }, CREATES);
    await stage.launched(await stage.queue());
    expect(lines.filter(({ msg }) => msg === "held")).toEqual([]);
  },
);

test.each([429, 500, 503] as const)(
  "an API server that goes on answering %i is asked later, and nothing fails",
  async (code) => {
    await using stage = await scene();
    await stage.start();
    const undo = stage.kubernetes.faults.answerNext(1_000, { code }, CREATES);
    const id = await stage.queue();
    const held = await stage.reaches(id, "held");
    expect(held.run_state).toBe("queued");
    expect(held.opjob?.reason).toBe(code === 500 ? "CLUSTER_ERROR" : "CLUSTER_OVERLOADED");
    undo();
    await stage.launched(id);
    expect((await stage.read(id)).opjob?.reason).toBeNull();
  },
);

test.each([
  [500, true],
  [403, false],
] as const)("an operation put off by a %i is unsure of its Job: %s", async (code, unsure) => {
  await using stage = await scene();
  await stage.start();
  stage.kubernetes.faults.answerNext(1_000, { code }, CREATES);
  const { opjob } = await stage.reaches(await stage.queue(), "held");
  expect(opjob?.unsure ?? false).toBe(unsure);
});

test("a changed record, secret or key is used without a sweep, and what was held goes on", async () => {
  await using stage = await scene();
  const { db } = stage.database;
  await register(db, { id: "late", template: template(), secret: "NOT_YET", config: { namespace: NAMESPACE } });
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const id = await stage.queue({ delegation_target: "late" });
  expect((await stage.reaches(id, "held")).opjob?.reason).toBe("SECRET_MISSING");
  await storeSecret(db, "NOT_YET", stage.kubernetes.kubeconfig());
  await stage.launched(id);
  await db.collection("orchestrators").updateOne(
    { instance_id: TARGET },
    {
      $set: {
        "config.kubernetes.executionTmplUri": dataUri(template({ pod: "priorityClassName: new" })),
        updated_at: new Date(),
      },
    },
  );
  await until("the new template is used", async () => {
    const next = await stage.queue();
    await stage.launched(next);
    return (await stage.jobOf(next))?.spec.template.spec["priorityClassName"] === "new";
  });
});

test("idle, it asks MongoDB nothing but the sweep, and progress of running operations costs nothing", async () => {
  await using stage = await scene();
  const { db } = stage.database;
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const id = await stage.queue();
  await stage.reaches(id, "running");
  await db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: { run_state: "running" } });
  await until(
    "the state is read",
    async () => stage.daemon().metrics !== undefined && (await lanesIdle(stage.daemon().url)),
  );
  await db.command({ profile: 2 });
  for (let i = 1; i <= 20; i++) {
    await db
      .collection("delegated_ops")
      .updateOne({ _id: new ObjectId(id) }, { $set: { status: { progress: i / 20 } } });
  }
  await db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: { pinned: true } });
  // A change that does matter comes last: when it was looked at, all others were passed over.
  await db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: { archived: true } });
  const asked = () =>
    db
      .collection("system.profile")
      .find({ appName: "opjob", op: { $nin: ["getmore"] } })
      .toArray();
  await until("the last change is looked at", async () => (await asked()).length > 0);
  await db.command({ profile: 0 });
  expect((await asked()).length).toBeLessThanOrEqual(2);
});

async function lanesIdle(url: string): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return /^opjob_lanes_busy 0$/m.test(text) && /^opjob_lanes_waiting 0$/m.test(text);
}
