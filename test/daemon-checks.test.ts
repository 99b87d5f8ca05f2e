// A daemon that looks at its orchestrators before a user waits: what it tells and shows, how often, and that nothing waits for it.
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type LogLine, register, storeSecret, until } from "./local-daemon.ts";
import { type Job, NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";
import { never, openShelf, text } from "./templates/stores/shelf.ts";

const NO_RIGHTS = "no-rights-no-rights";
const accounts = { [NO_RIGHTS]: { user: "weak", allow: () => false } };
const inNamespace = { config: { namespace: NAMESPACE } };
const EACH_SECOND = { OPJOB_SWEEP_CRON: "* * * * * *" };

const linesOf = ({ daemon }: Scene, orchestrator: string, msg: string): LogLine[] =>
  daemon().lines.filter((line) => line["orchestrator"] === orchestrator && line["msg"] === msg);

async function metric({ daemon }: Scene, name: string): Promise<number | undefined> {
  const all = await (await fetch(`${daemon().url}/metrics`)).text();
  const found = all.split("\n").find((line) => line.startsWith(`${name} `));
  return found === undefined ? undefined : Number(found.split(" ").at(-1));
}

const sweeps = async (stage: Scene): Promise<number> => (await metric(stage, 'opjob_sweeps_total{result="done"}')) ?? 0;
const imageOf = (job: Job | undefined): unknown =>
  (job?.spec.template.spec["containers"] as { image: string }[] | undefined)?.[0]?.image;

test("a fault is told before anybody waits, once, and shown; when it is corrected, that is told too", async () => {
  await using stage = await scene(template(), { accounts });
  const { db } = stage.database;
  await storeSecret(db, "WEAK", stage.kubernetes.kubeconfig({ token: NO_RIGHTS }));
  await register(db, { id: "weak", template: template(), secret: "WEAK", ...inNamespace });
  await stage.start(EACH_SECOND);
  const [line] = await until("it is told", () => {
    const found = linesOf(stage, "weak", "orchestrator cannot launch");
    return found.length > 0 && found;
  });
  expect(line).toMatchObject({ level: "error", code: "CLUSTER_FORBIDDEN", step: "permissions" });
  expect(line?.["error"]).toMatch(/may not create, get, list, watch, delete jobs in the namespace "fiftyone"/);
  await until(
    "it is shown",
    async () => (await metric(stage, 'opjob_orchestrator_healthy{orchestrator="weak"}')) === 0,
  );
  await until(
    "the sound one is shown",
    async () => (await metric(stage, `opjob_orchestrator_healthy{orchestrator="${TARGET}"}`)) === 1,
  );
  const before = await sweeps(stage);
  await until("three more sweeps", async () => (await sweeps(stage)) >= before + 3);
  expect(linesOf(stage, "weak", "orchestrator cannot launch")).toHaveLength(1);
  expect(linesOf(stage, TARGET, "orchestrator cannot launch")).toEqual([]);
  expect(await stage.jobs()).toEqual([]);

  await db
    .collection("orchestrators")
    .updateOne({ instance_id: "weak" }, { $set: { "secrets.kubernetes.kubeConfig": "KUBE" } });
  await until("it is told", () => linesOf(stage, "weak", "orchestrator is in order again").length === 1);
  expect(await metric(stage, 'opjob_orchestrator_healthy{orchestrator="weak"}')).toBe(1);
  await db.collection("orchestrators").deleteOne({ instance_id: "weak" });
  await until(
    "it is gone",
    async () => (await metric(stage, 'opjob_orchestrator_healthy{orchestrator="weak"}')) === undefined,
  );
});

test("FiftyOne's production template is told to have an unknown field, with its line, and runs", async () => {
  await using stage = await scene();
  await stage.kubernetes.createNamespace("your-org-fiftyone-ai");
  const source = await readFile("test/templates/seed/production.yaml.j2", "utf8");
  await register(stage.database.db, { id: "production", template: source, secret: "KUBE" });
  await stage.start(EACH_SECOND);
  const [line] = await until("it is told", () => {
    const found = linesOf(stage, "production", "orchestrator has a warning");
    return found.length > 0 && found;
  });
  expect(line).toMatchObject({ level: "warn", code: "unknown-field", line: 21 });
  expect(await metric(stage, 'opjob_orchestrator_healthy{orchestrator="production"}')).toBe(1);
  expect(await metric(stage, 'opjob_orchestrator_findings{orchestrator="production",severity="warning"}')).toBe(1);
  await stage.launched(await stage.queue({ delegation_target: "production" }));
  expect(await stage.jobs()).toHaveLength(1);
});

test("a certain mistake fails what was queued meanwhile, as ever", async () => {
  await using stage = await scene(template({ container: "imagePullPolicy: Perhaps" }));
  await stage.start();
  await until("it is told", () => linesOf(stage, TARGET, "orchestrator cannot launch").length === 1);
  const operation = await stage.reaches(await stage.queue(), "JOB_REFUSED");
  expect(operation.run_state).toBe("failed");
});

test("a cluster that is away is asked by one of its twenty orchestrators, and nobody waits for it", async () => {
  await using stage = await scene();
  let asked = 0;
  const away = createServer((socket) => {
    asked++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await until("it listens", () => away.listening);
  try {
    const { port } = away.address() as { port: number };
    const kubeconfig = stage.kubernetes.kubeconfig().replace(stage.kubernetes.url, `http://127.0.0.1:${port}`);
    await storeSecret(stage.database.db, "AWAY", kubeconfig);
    for (let i = 0; i < 20; i++) {
      // A namespace for all: their one pair of watches asks as well.
      await register(stage.database.db, { id: `away-${i}`, template: template(), secret: "AWAY", ...inNamespace });
    }
    await stage.start();
    await stage.launched(await stage.queue());
    await until("all of them are told", () =>
      Array.from({ length: 20 }, (_, i) => linesOf(stage, `away-${i}`, "orchestrator cannot launch").length).every(
        (n) => n === 1,
      ),
    );
    const checks = await metric(
      stage,
      'opjob_kubernetes_request_seconds_count{verb="create",resource="selfsubjectaccessreviews",code="none"}',
    );
    // One question, perhaps tried again; the other nineteen orchestrators were told the same without asking.
    expect(checks).toBeGreaterThan(0);
    expect(checks).toBeLessThan(8);
    expect(asked).toBeGreaterThan(0);
  } finally {
    away.close();
  }
});

test("a store that does not answer delays neither the start nor another orchestrator's launches", async () => {
  await using stage = await scene();
  await using shelf = await openShelf(never);
  await register(stage.database.db, { id: "slow", template: `${shelf.url}/a.yaml.j2`, secret: "KUBE", ...inNamespace });
  await stage.start({ OPJOB_ALLOW_HTTP_TEMPLATES: "true", OPJOB_TEMPLATE_TIMEOUT_SECONDS: "5" });
  const slow = await stage.queue({ delegation_target: "slow" });
  const other = await stage.launched(await stage.queue());
  const held = await stage.reaches(slow, "TEMPLATE_STORE_UNREACHABLE");
  expect([held.run_state, held.opjob?.message]).toEqual(["queued", expect.stringContaining("no answer within 5 s")]);
  expect(Number(other.opjob?.timeline.created)).toBeLessThan(Number(held.opjob?.since));
  shelf.answer = text(template());
  await stage.launched(slow, 15_000);
});

test("launches go on with the last good template while its store is away, which is told once and shown", async () => {
  await using stage = await scene();
  await using shelf = await openShelf(text(template()));
  await register(stage.database.db, {
    id: "web",
    template: `${shelf.url}/a.yaml.j2?sig=s3cret`,
    secret: "KUBE",
    ...inNamespace,
  });
  await stage.start({ ...EACH_SECOND, OPJOB_ALLOW_HTTP_TEMPLATES: "true", OPJOB_TEMPLATE_CACHE_SECONDS: "0" });
  await stage.launched(await stage.queue({ delegation_target: "web" }));
  shelf.answer = (request) => request.socket.destroy();
  await stage.launched(await stage.queue({ delegation_target: "web" }));
  await stage.launched(await stage.queue({ delegation_target: "web" }));
  const told = stage
    .daemon()
    .lines.filter(({ msg }) => msg === "the template's store is away: its last good text is used");
  expect(told).toMatchObject([
    { level: "warn", template: `${shelf.url}/a.yaml.j2`, code: "TEMPLATE_STORE_UNREACHABLE" },
  ]);
  expect(await metric(stage, `opjob_template_stale_seconds{template="${shelf.url}/a.yaml.j2"}`)).toBeGreaterThan(0);
  shelf.answer = text(template().replace("local/worker:1", "local/worker:2"), "18");
  await until(
    "the store is back",
    () => stage.daemon().lines.some(({ msg }) => msg === "the template's store answers again"),
    15_000,
  );
  const id = await stage.queue({ delegation_target: "web" });
  await stage.launched(id);
  expect(imageOf(await stage.jobOf(id))).toBe("local/worker:2");
  expect(JSON.stringify(stage.daemon().lines)).not.toContain("s3cret");
});

test("a ConfigMap whose symlinks swap is used from the next operation on, without a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "opjob-configmap-"));
  try {
    const publish = async (generation: string, image: string): Promise<void> => {
      await mkdir(join(folder, generation));
      await writeFile(join(folder, generation, "job.yaml.j2"), template().replace("local/worker:1", image));
      await symlink(generation, join(folder, "..data_tmp"));
      await rename(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await publish("..1", "local/worker:1");
    await symlink(join("..data", "job.yaml.j2"), join(folder, "job.yaml.j2"));
    await using stage = await scene();
    await register(stage.database.db, {
      id: "mounted",
      template: join(folder, "job.yaml.j2"),
      secret: "KUBE",
      ...inNamespace,
    });
    await stage.start();
    const launch = async (): Promise<unknown> => {
      const id = await stage.queue({ delegation_target: "mounted" });
      await stage.launched(id);
      return imageOf(await stage.jobOf(id));
    };
    expect(await launch()).toBe("local/worker:1");
    await publish("..2", "local/worker:2");
    await rm(join(folder, "..1"), { recursive: true });
    expect(await launch()).toBe("local/worker:2");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
