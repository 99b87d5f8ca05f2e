// Faults that many operations of one orchestrator meet, seen from outside: few are tried, the others wait, and all go on.
import { expect, test } from "@jest/globals";
import { witness } from "./in-flight.ts";
import { register, storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";

const CREATES = { verb: "create", resource: "jobs" } as const;

const queueMany = async (stage: Scene, target: string, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await stage.queue({ delegation_target: target, queued_at: new Date(Date.now() - 100_000 + i) }));
  }
  return ids;
};
const operations = (stage: Scene) => stage.database.db.collection("delegated_ops");
const claimed = (stage: Scene) => operations(stage).countDocuments({ "opjob.attempt": { $exists: true } });

test("with a fault of the orchestrator's own few are claimed, the others say why, and all go on when it is gone", async () => {
  await using stage = await scene();
  await register(stage.database.db, {
    id: "late",
    template: template(),
    secret: "NOT_YET",
    config: { namespace: NAMESPACE },
  });
  const ids = await queueMany(stage, "late", 60);
  await stage.start({ OPJOB_LAUNCH_CONCURRENCY: "4" });
  const last = ids.at(-1) ?? "";
  const { opjob, run_state } = await stage.told(last, "SECRET_MISSING");
  expect([run_state, opjob?.phase]).toEqual(["queued", "queued"]);
  expect(opjob?.message).toMatch(/There is no secret "NOT_YET".*One operation at a time is tried.*that wait/);
  expect(await claimed(stage)).toBeLessThan(15);
  const metrics = await (await fetch(`${stage.daemon().url}/metrics`)).text();
  expect(metrics).toContain('opjob_breaker_open{orchestrator="late",code="SECRET_MISSING"} 1');
  // Another orchestrator does not notice.
  await stage.launched(await stage.queue());
  await storeSecret(stage.database.db, "NOT_YET", stage.kubernetes.kubeconfig());
  for (const id of ids) await stage.launched(id);
  expect(stage.daemon().lines.filter(({ msg }) => msg === "failed")).toEqual([]);
});

test("a cluster that refuses for a while is asked by one at a time, and by no herd when it is well again", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_LAUNCH_CONCURRENCY: "4", OPJOB_RETRY_MAX_SECONDS: "2" });
  const undo = stage.kubernetes.faults.answerNext(100_000, { code: 403 }, CREATES);
  const ids = await queueMany(stage, TARGET, 60);
  await stage.told(ids.at(-1) ?? "", "CLUSTER_FORBIDDEN");
  const refused = () => stage.kubernetes.counts().requests["create jobs 403"] ?? 0;
  const before = refused();
  expect(before).toBeLessThan(20);
  await until("it is tried again", () => refused() > before + 1);
  expect(refused()).toBeLessThan(before + 5);
  undo();
  for (const id of ids) await stage.launched(id);
  expect(await operations(stage).countDocuments({ run_state: "failed" })).toBe(0);
  expect(stage.daemon().lines.some(({ msg }) => String(msg).includes("the way opens"))).toBe(true);
});

test("a cluster that hung for long is tried as soon as it answers again, not after the pause that has grown meanwhile", async () => {
  await using stage = await scene();
  await stage.start({ OPJOB_LAUNCH_CONCURRENCY: "8", OPJOB_KUBERNETES_TIMEOUT_SECONDS: "1" });
  await stage.launched(await stage.queue());
  stage.kubernetes.faults.freeze();
  const ids = await queueMany(stage, TARGET, 40);
  const held = async (): Promise<number> => {
    const metrics = await (await fetch(`${stage.daemon().url}/metrics`)).text();
    return Number(/^opjob_held_total\{.*CLUSTER_UNREACHABLE"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  };
  const first = await until("no more is tried at once", async () => {
    const before = await held();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return before > 0 && before === (await held()) && before;
  });
  // The third by itself was tried: the next one is due after 12 s at the soonest.
  await until("pauses grow", async () => (await held()) >= first + 3, 30_000);
  stage.kubernetes.faults.thaw();
  const thawed = Date.now();
  for (const id of ids) await stage.launched(id, 30_000);
  const created = await Promise.all(ids.map(async (id) => Number((await stage.read(id)).opjob?.timeline.created)));
  expect(Math.min(...created) - thawed).toBeLessThan(11_000);
}, 60_000);

test("an image that cannot be pulled holds back the others that need it, and they run when it can be", async () => {
  await using stage = await scene();
  await using seen = await witness(stage.kubernetes.kubeconfig(), NAMESPACE);
  await register(stage.database.db, {
    id: "same-image",
    template: template(),
    secret: "KUBE",
    config: { namespace: NAMESPACE },
  });
  await stage.start({ OPJOB_IMAGE_GRACE_SECONDS: "2", OPJOB_RETRY_MAX_SECONDS: "3", OPJOB_LAUNCH_CONCURRENCY: "2" });
  const other = await stage.queue({ delegation_target: "same-image" });
  await stage.reaches(other, "running");
  stage.kubernetes.faults.refuseImage(/^local\/worker:1$/);
  const first = await stage.queue();
  await stage.reaches(first, "ImagePullFailed");
  await until("the gate is closed", () =>
    stage.daemon().lines.some(({ msg }) => String(msg).includes("an image cannot be pulled")),
  );
  const ids = [...(await queueMany(stage, TARGET, 10)), ...(await queueMany(stage, "same-image", 10))];
  await stage.told(ids[9] ?? "", "queued");
  await stage.told(ids[19] ?? "", "ImagePullFailed");
  expect((await stage.reaches(first, "failed")).opjob?.reason).toBe("ImagePullFailed");
  expect(await claimed(stage)).toBeLessThan(6);
  stage.kubernetes.faults.allowImages();
  for (const id of ids.slice(-5)) await stage.launched(id, 30_000);
  expect(seen.live()).toBeGreaterThan(10);
}, 120_000);
