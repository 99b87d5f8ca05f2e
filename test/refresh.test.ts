// Registration Jobs, seen from outside: what a refresh makes, who writes the record, what is told when it fails, and that
// operations and registrations never get in each other's way. The test plays the worker of a simulated container.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { systemClock } from "../src/clock.ts";
import { OpjobError } from "../src/errors.ts";
import { type RefreshOptions, refresh } from "../src/refresh.ts";
import { compileTemplate } from "../src/templates/render.ts";
import { accessTo, clientOf, scripted, status } from "./clusters/scripted.ts";
import { opjobBeside, type Run } from "./command-line.ts";
import { dataUri, register, until } from "./local-daemon.ts";
import { refusalOf } from "./refusal.ts";
import { type Job, NAMESPACE, type Scene, scene, template } from "./scene.ts";

const OPERATORS = ["@team/plugin/a", "@team/plugin/b"];

const isRegistration = ({ metadata }: Job): boolean => metadata.labels["opjob/registration"] !== undefined;
const orchestrators = (stage: Scene) => stage.database.db.collection("orchestrators");
const run = (stage: Scene, args: readonly string[], given?: Run) =>
  opjobBeside(stage, ["orchestrator", ...args], given);

async function registrationOf(stage: Scene, id: string): Promise<Job> {
  return until(`a registration Job of ${id}`, async () =>
    (await stage.jobs()).find((job) => isRegistration(job) && job.metadata.annotations["opjob/orchestrator"] === id),
  );
}

async function podOf(stage: Scene, job: Job): Promise<{ namespace: string; name: string }> {
  const path = `${stage.kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=job-name=${job.metadata.name}`;
  const name = await until("its Pod", async () => {
    const { items } = (await (await fetch(path)).json()) as { items: { metadata: { name: string } }[] };
    return items[0]?.metadata.name;
  });
  return { namespace: NAMESPACE, name };
}

/** What the worker does: it sets the two fields of the record, and its container ends. */
async function report(stage: Scene, id: string, operators: readonly string[] = OPERATORS): Promise<Job> {
  const job = await registrationOf(stage, id);
  const set = { available_operators: [...operators], updated_at: new Date() };
  await orchestrators(stage).updateOne({ instance_id: id }, { $set: set });
  stage.kubernetes.simulate.finish(await podOf(stage, job), 0);
  return job;
}

describe("opjob orchestrator refresh", () => {
  let stage: Scene;
  beforeAll(async () => {
    stage = await scene();
    const { db } = stage.database;
    const both = {
      executionTmplUri: dataUri(template()),
      registrationTmplUri: dataUri(template({ container: "workingDir: /cpu" })),
    };
    await register(db, { id: "gpu", template: template(), secret: "KUBE", config: { namespace: NAMESPACE, ...both } });
    await orchestrators(stage).updateOne(
      { instance_id: "gpu" },
      { $set: { available_operators: ["@team/plugin/a", "@team/plugin/old"] } },
    );
    const gpu = template({ container: 'resources: { limits: { "nvidia.com/gpu": "1" } }' });
    await register(db, { id: "no-node", template: gpu, secret: "KUBE", config: { namespace: NAMESPACE } });
  }, 60_000);
  afterAll(() => stage[Symbol.asyncDispose]());

  test("runs a Job of the registration template, and shows what was added and removed", async () => {
    const before = await orchestrators(stage).findOne({ instance_id: "gpu" });
    const refreshing = run(stage, ["refresh", "gpu"]);
    const job = await report(stage, "gpu");
    const { code, out, err } = await refreshing;
    expect([code, out]).toEqual([
      0,
      "orchestrator gpu: 2 operators, 1 added, 1 removed\n+ @team/plugin/b\n- @team/plugin/old\n",
    ]);
    expect(err).toMatch(/^Job fiftyone\/register-gpu-[0-9a-f]{24} was created\.\n/);
    const [container] = job.spec.template.spec["containers"] as {
      command: string[];
      args: string[];
      workingDir: string;
    }[];
    expect([container?.workingDir, container?.command, container?.args.at(-1)]).toEqual(["/cpu", ["python"], "gpu"]);
    const after = await orchestrators(stage).findOne({ instance_id: "gpu" });
    expect({ ...after, available_operators: 0, updated_at: 0 }).toEqual({
      ...before,
      available_operators: 0,
      updated_at: 0,
    });
  });

  test("its Job is none of the operations' Jobs by its labels, and does not stay for ever", async () => {
    const job = await registrationOf(stage, "gpu");
    expect(job.metadata.labels).not.toHaveProperty("opjob/operation");
    expect(job.metadata.labels).toMatchObject({ "app.kubernetes.io/managed-by": "opjob", "opjob/orchestrator": "gpu" });
    expect(job).toMatchObject({ spec: { ttlSecondsAfterFinished: 86_400 } });
  });

  test("JSON is for programs", async () => {
    const others = (await stage.jobs()).map(({ metadata }) => metadata.name);
    const refreshing = run(stage, ["refresh", "gpu", "--json"]);
    const job = await until("another Job", async () =>
      (await stage.jobs()).find(({ metadata }) => !others.includes(metadata.name)),
    );
    await orchestrators(stage).updateOne({ instance_id: "gpu" }, { $set: { updated_at: new Date() } });
    stage.kubernetes.simulate.finish(await podOf(stage, job), 0);
    expect(JSON.parse((await refreshing).out)).toMatchObject({ operators: OPERATORS, added: [], removed: [] });
  });

  test("a worker that fails is told with its last words, and the record stays", async () => {
    await orchestrators(stage).updateOne({ instance_id: "gpu" }, { $set: { instance_id: "failing" } });
    const refreshing = run(stage, ["refresh", "failing"]);
    const pod = await podOf(stage, await registrationOf(stage, "failing"));
    const path = `${stage.kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods/${pod.name}`;
    await until(
      "it runs",
      async () => ((await (await fetch(path)).json()) as { status: { phase: string } }).status.phase === "Running",
    );
    stage.kubernetes.simulate.print(pod, `ModuleNotFoundError: fiftyone\nno ${stage.database.uri}\n`);
    stage.kubernetes.simulate.finish(pod, 1, "Error");
    const { code, out, err } = await refreshing;
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/The registration Job fiftyone\/register-failing-\w+ failed: WorkerFailed\. .*exit code 1/);
    expect(err).toContain('Last log lines of container "task-worker":\nModuleNotFoundError: fiftyone\n');
    expect(err).toContain("fiftyone\nno [hidden]\n");
    expect(err).not.toContain(stage.database.uri);
    expect((await orchestrators(stage).findOne({ instance_id: "failing" }))?.["available_operators"]).toEqual(
      OPERATORS,
    );
  });

  test("a Job that ends well and reports nothing is no success", async () => {
    await orchestrators(stage).updateOne({ instance_id: "failing" }, { $set: { instance_id: "silent" } });
    const refreshing = run(stage, ["refresh", "silent"]);
    stage.kubernetes.simulate.finish(await podOf(stage, await registrationOf(stage, "silent")), 0);
    const { code, err } = await refreshing;
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/ended, but reported no operators\.\n.*FIFTYONE_DATABASE_URI/),
    ]);
  });

  test("what waits says why, and a Job that was waited for too long is taken back", async () => {
    const env = { OPJOB_PENDING_TIMEOUT_SECONDS: "1" };
    const { code, err } = await run(stage, ["refresh", "no-node"], { env });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/It waits: Unschedulable: .*nvidia\.com\/gpu[\s\S]*failed: Unschedulable/),
    ]);
    await until("it is deleted", async () =>
      (await stage.jobs()).every(({ metadata }) => metadata.annotations["opjob/orchestrator"] !== "no-node"),
    );
  });

  test("Ctrl-C leaves the Job running", async () => {
    const stop = Promise.withResolvers<string>();
    const refreshing = run(stage, ["refresh", "kubernetes-cpu"], { stopped: stop.promise });
    const job = await registrationOf(stage, "kubernetes-cpu");
    stop.resolve("SIGINT");
    expect((await refreshing).err).toContain("its Job goes on");
    expect((await stage.jobs()).map(({ metadata }) => metadata.name)).toContain(job.metadata.name);
  });

  test.each([
    ["an unknown one", "kubernetes-cpo", /Did you mean "kubernetes-cpu"\?/],
    ["a deactivated one", "retired", /is deactivated\.\n.*activate/],
    ["one whose template lies in opjob's Pod", "by-path", /no template file "\/templates\/x"\.\n.*kubectl exec/],
  ])("%s: one clear error", async (_, id, words) => {
    const { db } = stage.database;
    if (id !== "kubernetes-cpo") await register(db, { id, template: "/templates/x", secret: "KUBE" });
    await orchestrators(stage).updateOne({ instance_id: "retired" }, { $set: { deactivated_at: new Date() } });
    const { code, err } = await run(stage, ["refresh", id]);
    expect([code, err]).toEqual([1, expect.stringMatching(words)]);
  });
});

describe("the daemon", () => {
  const empty = (stage: Scene, id: string) =>
    orchestrators(stage).updateOne({ instance_id: id }, { $set: { available_operators: [] } });

  test("refreshes a new orchestrator by itself, once, and its operations are not disturbed", async () => {
    await using stage = await scene();
    await stage.start();
    await register(stage.database.db, {
      id: "new",
      template: template(),
      secret: "KUBE",
      config: { namespace: NAMESPACE },
    });
    await empty(stage, "new");
    const operation = await stage.queue({ delegation_target: "new" });
    await stage.launched(operation);
    await report(stage, "new");
    await until("it is told", () =>
      stage.daemon().lines.some(({ msg, orchestrator }) => msg === "refreshed" && orchestrator === "new"),
    );
    const { url } = stage.daemon();
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'opjob_refreshes_total{orchestrator="new",outcome="reported"} 1',
    );
    await orchestrators(stage).updateOne({ instance_id: "new" }, { $set: { description: "changed" } });
    await stage.launched(await stage.queue({ delegation_target: "new" }));
    expect((await stage.jobs()).filter(isRegistration)).toHaveLength(1);
    // Only the two operations count as in flight, and none of the Jobs was taken for one without an operation.
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^opjob_in_flight 2$/m);
    expect(stage.daemon().lines.filter(({ msg }) => msg === "job deleted")).toEqual([]);
  });

  test("one that failed is not tried again until something changes; a restart finds its Job again", async () => {
    await using stage = await scene();
    await empty(stage, "kubernetes-cpu");
    const daemon = await stage.start();
    const job = await registrationOf(stage, "kubernetes-cpu");
    stage.kubernetes.simulate.finish(await podOf(stage, job), 2, "Error");
    await until("it is told", () =>
      daemon.lines.some(({ msg, code }) => msg === "refresh failed" && code === "REFRESH_FAILED"),
    );
    await orchestrators(stage).updateOne({ instance_id: "kubernetes-cpu" }, { $set: { description: "changed" } });
    await stage.launched(await stage.queue());
    await daemon.stop();
    const next = await stage.start();
    await until("it is found again", () => next.lines.some(({ msg }) => msg === "refresh failed"));
    expect((await stage.jobs()).filter(isRegistration)).toHaveLength(1);
    await orchestrators(stage).updateOne(
      { instance_id: "kubernetes-cpu" },
      { $set: { "config.kubernetes.image": "new:1" } },
    );
    await until("it is tried anew", async () => (await stage.jobs()).filter(isRegistration).length === 2);
  });

  test("refreshes all of them at the set times", async () => {
    await using stage = await scene();
    const daemon = await stage.start({ OPJOB_REFRESH_CRON: "* * * * * *" });
    await report(stage, "kubernetes-cpu");
    await until("it is told", () => daemon.lines.some(({ msg }) => msg === "refreshed"));
  });

  test("does not, where that is switched off, nor for records that have no such list", async () => {
    await using stage = await scene();
    await empty(stage, "kubernetes-cpu");
    await register(stage.database.db, {
      id: "bare",
      template: template(),
      secret: "KUBE",
      config: { namespace: NAMESPACE },
    });
    await orchestrators(stage).updateOne({ instance_id: "bare" }, { $unset: { available_operators: "" } });
    await stage.start({ OPJOB_REFRESH_NEW: "false" });
    await stage.launched(await stage.queue());
    expect((await stage.jobs()).filter(isRegistration)).toEqual([]);
  });
});

test("who has lost its leadership while it waited for the cluster makes no registration Job", async () => {
  await using server = await scripted((asked) => status(asked, 403, "Forbidden", "no"));
  await using cluster = clientOf(accessTo(server.url));
  const lost = new OpjobError("LEADERSHIP_LOST", "somebody else leads");
  const options = {
    placer: {
      site: async () => ({ cluster, namespace: NAMESPACE, orchestrator: {} }),
      registration: async () => ({
        template: compileTemplate(template(), "t.yaml"),
        worker: { command: "", args: [] },
      }),
    },
    lists: { of: async () => ({ operators: [], updatedAt: undefined }) },
    database: "d",
    guard: () => {
      throw lost;
    },
    patience: { image: 0, pending: 0 },
    clock: systemClock,
    secrets: new Set<string>(),
  } as unknown as RefreshOptions;
  const wanted = { orchestrator: "gpu", id: "0".repeat(24), onProgress: () => undefined };
  expect(await refusalOf(refresh(options, { ...wanted, signal: new AbortController().signal }))).toBe(lost);
  expect(server.asked).toEqual([]);
});
