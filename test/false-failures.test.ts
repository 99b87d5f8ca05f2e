// No operation fails because something on the way to a cluster said what is not so: a real API server behind a proxy that lies.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { storeSecret, until } from "./local-daemon.ts";
import { type Asked, type Lie, type LyingProxy, startLyingProxy } from "./lying-proxy.ts";
import { NAMESPACE, type Scene, scene, template } from "./scene.ts";

const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const set = (stage: Scene, id: string, fields: object) =>
  stage.database.db.collection("delegated_ops").updateOne({ _id: new ObjectId(id) }, { $set: fields });

/** A scene whose daemon reaches the cluster through the proxy, and whose watches are up. */
async function behindProxy(stage: Scene, environment: Record<string, string> = {}): Promise<LyingProxy> {
  const proxy = await startLyingProxy(stage.kubernetes.url);
  const kubeconfig = stage.kubernetes.kubeconfig().replace(stage.kubernetes.url, proxy.url);
  await storeSecret(stage.database.db, "KUBE", kubeconfig);
  await stage.start({ OPJOB_SWEEP_CRON: "* * * * * *", ...environment });
  return proxy;
}

/** The worker records its result, and ends. */
async function succeed(stage: Scene, id: string): Promise<void> {
  await set(stage, id, { run_state: "running", started_at: new Date() });
  await set(stage, id, { run_state: "completed", completed_at: new Date(), result: { result: 1, error: null } });
  await stage.reaches(id, "completed");
}

const isList = ({ method, path, query }: Asked): boolean =>
  method === "GET" && /\/(jobs|pods)$/.test(path) && query.get("watch") !== "true";
const NOTHING: Lie = {
  status: 200,
  body: JSON.stringify({ kind: "List", metadata: { resourceVersion: "1" }, items: [] }),
};

test("an empty list is not the end of all Jobs: what the API server says of each one counts", async () => {
  await using stage = await scene();
  await using proxy = await behindProxy(stage);
  const ids = [await stage.queue(), await stage.queue(), await stage.queue()];
  for (const id of ids) await stage.reaches(id, "running");
  const [first = "", second = "", third = ""] = ids;
  await set(stage, second, { run_state: "running", started_at: new Date() });
  const job = (await stage.jobOf(third))?.metadata.name ?? "";

  const lists = { jobs: 0, pods: 0 };
  proxy.lie = (asked) => {
    if (!isList(asked) || asked.query.has("fieldSelector")) return undefined;
    lists[asked.path.endsWith("jobs") ? "jobs" : "pods"]++;
    return NOTHING;
  };
  proxy.asked.splice(0);
  stage.kubernetes.faults.expireHistory();
  stage.kubernetes.faults.cutWatches();
  await until("both kinds are listed as empty", () => lists.jobs > 0 && lists.pods > 0);
  await until("each Job was asked for by its name", () => {
    const names = new Set(proxy.asked.filter((line) => line.startsWith(`GET ${JOBS}/`)));
    return names.size >= ids.length;
  });
  // Longer than any grace of this test's: whatever would be concluded is concluded by now.
  await until(
    "it was asked for again, sweep after sweep",
    () => proxy.asked.filter((line) => line === `GET ${JOBS}/${job}`).length > 3,
  );
  for (const id of ids) expect((await stage.read(id)).result ?? null).toBeNull();
  expect((await stage.jobs()).length).toBe(ids.length);
  expect(proxy.asked.filter((line) => line.startsWith("DELETE"))).toEqual([]);

  proxy.lie = () => undefined;
  await succeed(stage, first);
});

test("a 404 that is not the API server's own does not mean that a Job is gone", async () => {
  await using stage = await scene();
  await using proxy = await behindProxy(stage);
  const id = await stage.queue();
  await stage.reaches(id, "running");
  let lies = 0;
  proxy.lie = (asked) => {
    if (isList(asked)) return NOTHING;
    if (asked.method !== "GET" || !asked.path.startsWith(`${JOBS}/`)) return undefined;
    lies++;
    return { status: 404, body: "<html>default backend - 404</html>" };
  };
  stage.kubernetes.faults.expireHistory();
  stage.kubernetes.faults.cutWatches();
  await until("the Job was asked for several times", () => lies > 2);
  expect(await stage.read(id)).toMatchObject({ run_state: "queued", opjob: { phase: "running" } });
  expect(stage.daemon().lines.some(({ error }) => /answered 404 without naming the Job/.test(String(error)))).toBe(
    true,
  );
  proxy.lie = () => undefined;
  await succeed(stage, id);
});

test("a watch that lags fails nobody: a Job is looked at once more before that", async () => {
  await using stage = await scene(template({ container: 'resources:\n  requests:\n    nvidia.com/gpu: "1"' }));
  await using proxy = await behindProxy(stage, { OPJOB_PENDING_TIMEOUT_SECONDS: "2" });
  const id = await stage.queue();
  const { opjob } = await stage.reaches(id, "Unschedulable");
  proxy.muteWatches();
  stage.kubernetes.faults.setCapacity({ "nvidia.com/gpu": "1" });
  await until("its time is over, and its Job was looked at", () => {
    const over = Date.now() > (opjob?.since?.getTime() ?? 0) + 2_500;
    return over && proxy.asked.includes(`GET ${JOBS}/${opjob?.job}`);
  });
  expect(await stage.read(id)).toMatchObject({ run_state: "queued", opjob: { reason: "Unschedulable" } });
  expect((await stage.jobOf(id))?.status).toMatchObject({ active: 1 });
  await succeed(stage, id);
});

test("a Job that was made anew with the same name and marks serves the operation, which goes on", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  const operation = await stage.reaches(id, "running");
  const before = await stage.jobOf(id);
  const path = `${stage.kubernetes.url}${JOBS}`;
  await fetch(`${path}/${operation.opjob?.job}?propagationPolicy=Background`, { method: "DELETE" });
  const { name, labels, annotations } = before?.metadata ?? {};
  const spec = { template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "local/worker:1" }] } } };
  await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ metadata: { name, labels, annotations }, spec }),
  });
  const after = await stage.jobOf(id);
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  const taken = await until("it is recorded", async () => {
    const now = await stage.read(id);
    return now.opjob?.uid === after?.metadata.uid && now;
  });
  expect(taken.run_state).toBe("queued");
});

test("a Job of which only the counters say that it failed goes on", async () => {
  await using stage = await scene(template().replace("backoffLimit: 0", "backoffLimit: 3"), {
    timing: { jobBackoffMs: 500 },
  });
  await stage.start({ OPJOB_RESULT_GRACE_SECONDS: "0" });
  const id = await stage.queue();
  await stage.reaches(id, "running");
  type Pods = {
    readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace: string } }[];
  };
  const pods = async (): Promise<Pods["items"]> => {
    const answer = await fetch(`${stage.kubernetes.url}/api/v1/pods?labelSelector=opjob/operation=${id}`);
    return ((await answer.json()) as Pods).items;
  };
  const [first = { name: "", namespace: "" }] = (await pods()).map(({ metadata }) => metadata);
  stage.kubernetes.simulate.finish(first, 1, "Error");
  await until("its Job counts a failure, and tries again", async () => {
    const status = (await stage.jobOf(id))?.status;
    return status?.["failed"] === 1 && status["active"] === 1 && (await pods()).length === 2;
  });
  expect(await stage.read(id)).toMatchObject({ run_state: "queued", opjob: { phase: "running" } });
  await succeed(stage, id);
});
