// A refresh with the real FiftyOne: an orchestrator is registered, its Job runs FiftyOne in the cluster, and its record then says
// what FiftyOne's own registry lists, the peer's plugin included.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { fiftyoneDatabase } from "../fiftyone-database.ts";
import { fiftyoneEnvironment } from "./environment.ts";
import { queueOperations, readOperators } from "./peer.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

test("available_operators is what FiftyOne's own registry lists; a plugin that goes is removed from it", async () => {
  const fiftyone = await fiftyoneEnvironment(say);
  await using database = await fiftyoneDatabase();
  const { uri, name, run } = database;
  // FiftyOne sets its database up with the first thing that it does there.
  await queueOperations(fiftyone, uri, name, [{ target: null }]);
  await using kubernetes = await startLocalKubernetes({
    run: "process",
    namespaces: ["fiftyone"],
    env: { ...fiftyone.env, FIFTYONE_DATABASE_NAME: name, PATH: `${dirname(fiftyone.python)}:${process.env["PATH"]}` },
  });
  const secret = { "encryption-key": "unused-by-open-source", "database-uri": uri };
  await kubernetes.createSecret("fiftyone", "fiftyone-secrets", secret);
  const folder = await mkdtemp(join(tmpdir(), "opjob-refresh-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, kubernetes.kubeconfig());

  const templates = ["--execution-template", "test/templates/seed/gpu.yaml.j2"];
  const forRefreshes = ["--registration-template", "test/templates/seed/cpu.yaml.j2", "--embed"];
  await run(["orchestrator", "register", "kubernetes-gpu", ...templates, ...forRefreshes, "--kubeconfig", kubeconfig]);
  const began = Date.now();
  const { code, out, err } = await run(["orchestrator", "refresh", "kubernetes-gpu"]);
  say(`${err}${out.split("\n", 1)[0]}, after ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  expect([code, err]).toEqual([0, expect.stringContaining("Job fiftyone/register-kubernetes-gpu-")]);
  expect(out).toContain("+ @opjob/peer/echo");
  const listed = await readOperators(fiftyone, uri, name);
  expect(listed.length).toBeGreaterThan(50);
  const { available_operators, updated_at, created_at, ...record } = (await database.record("kubernetes-gpu")) ?? {};
  expect(available_operators).toEqual(listed);
  expect(Number(updated_at)).toBeGreaterThan(Number(created_at));
  expect(record).not.toHaveProperty("deactivated_at");

  await database.orchestrators.updateOne({}, { $push: { available_operators: "@gone/plugin/op" } as never });
  const again = await run(["orchestrator", "refresh", "kubernetes-gpu"]);
  expect(again.out).toBe(
    `orchestrator kubernetes-gpu: ${listed.length} operators, 0 added, 1 removed\n- @gone/plugin/op\n`,
  );
  await rm(folder, { recursive: true });
});
