// Registration Jobs and `opjob explain` on a real API server, with the rights of deploy/ and nothing more. The test plays the worker.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { opjob } from "../command-line.ts";
import { ENCRYPTION_KEY } from "../local-daemon.ts";
import { startDaemonProcess } from "./daemons.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, setScene } from "./stage.ts";

const OPERATORS = ["@team/plugin/a", "@team/plugin/b"];
const LEASE = { OPJOB_LEADERSHIP: "lease", OPJOB_LEASE_NAMESPACE: NAMESPACE };

test("a refresh, and who leads", async () => {
  await using setting = await setScene();
  const { db, uri, plane } = setting;
  const folder = await mkdtemp(join(tmpdir(), "opjob-refresh-real-"));
  const KUBECONFIG = join(folder, "opjob.kubeconfig");
  await writeFile(KUBECONFIG, plane.kubeconfig("opjob"));
  const settings = {
    FIFTYONE_DATABASE_URI: uri,
    FIFTYONE_DATABASE_NAME: db.databaseName,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    ...LEASE,
  };
  const run = (args: readonly string[]) => opjob(args, { env: settings });
  process.env["KUBECONFIG"] = KUBECONFIG;
  try {
    await setting.orchestrate("kubernetes-cpu", { annotations: { "plane/run-for": "1s" } });
    const refreshing = run(["orchestrator", "refresh", "kubernetes-cpu"]);
    const job = await seen("the registration Job", async () => (await setting.jobs())[0], 20_000);
    const reported = { available_operators: OPERATORS, updated_at: new Date() };
    await db.collection("orchestrators").updateOne({ instance_id: "kubernetes-cpu" }, { $set: reported });
    const { code, out, err } = await refreshing;
    expect([code, out]).toEqual([0, expect.stringMatching(/2 operators, 2 added, 1 removed\n\+ @team\/plugin\/a/)]);
    expect(err).toContain(`Job ${NAMESPACE}/${job.metadata.name} was created.`);
    expect(job.metadata.labels).toMatchObject({ "opjob/orchestrator": "kubernetes-cpu" });
    expect(job.metadata.labels).not.toHaveProperty("opjob/operation");

    const [waits] = await setting.queue("kubernetes-cpu");
    const id = waits?.toHexString() ?? "";
    expect((await run(["explain", id])).out).toMatch(/no replica of opjob leads[\s\S]*It was never taken/);
    await using daemon = startDaemonProcess(setting, { KUBECONFIG, ...LEASE });
    await seen("it leads", () => daemon.said("leads from now on").length > 0, 30_000);
    expect((await run(["explain", id])).out).toMatch(/\nopjob +\S+ +leads\n/);
  } finally {
    delete process.env["KUBECONFIG"];
    await rm(folder, { recursive: true });
  }
}, 180_000);
