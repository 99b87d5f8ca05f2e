// Rotation, seen from outside: what changes under a running daemon is in use soon, and nothing that is under way suffers.
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ObjectId } from "bson";
import type { Db } from "mongodb";
import { encryptToken, fernetKey } from "../src/orchestrators/fernet.ts";
import { dataUri, ENCRYPTION_KEY, register, storeSecret, until } from "./local-daemon.ts";
import { standaloneMongo } from "./mongo.ts";
import { NAMESPACE, type Scene, scene, TARGET, template } from "./scene.ts";

test("100 operations are queued while the kubeconfig secret changes twice and its credential is revoked: none fails", async () => {
  const created = new Map<string, number[]>();
  const account = (token: string) => ({
    user: token,
    allow: (verb: string, resource: string) => {
      if (verb === "create" && resource === "jobs") created.set(token, [...(created.get(token) ?? []), Date.now()]);
      return true;
    },
  });
  const tokens = ["first-credential", "second-credential", "third-credential"] as const;
  const accounts = Object.fromEntries(tokens.map((token) => [token, account(token)]));
  await using stage = await scene(template(), { accounts });
  const store = (token: string) => storeSecret(stage.database.db, "KUBE", stage.kubernetes.kubeconfig({ token }));
  await store(tokens[0]);
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const early = await stage.queue();
  await stage.launched(early);

  const changed: number[] = [];
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    ids.push(await stage.queue());
    if (i === 33) {
      changed.push(Date.now());
      await store(tokens[1]);
      // As a person does it: the old credential ends once the new one is stored.
      stage.kubernetes.access.revoke(tokens[0]);
    }
    if (i === 66) {
      // And as it should not be done: for a moment there is no credential that works.
      stage.kubernetes.access.revoke(tokens[1]);
      changed.push(Date.now());
      await store(tokens[2]);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until("all are launched", async () => (await launchedOf(stage, ids)) === 100, 30_000);
  const states = await stage.database.db.collection("delegated_ops").distinct("run_state");
  expect(states).toEqual(["queued"]);
  expect(await stage.jobs()).toHaveLength(101);

  const pickedUp = changed.map((at, i) => (created.get(tokens[i + 1] ?? "")?.[0] ?? Number.NaN) - at);
  process.stderr.write(`a rotated kubeconfig was in use after ${pickedUp.join(" and ")} ms\n`);
  expect(pickedUp).not.toContain(Number.NaN);

  // The Job of before both rotations is still followed, by the credential of now; the old clients are closed.
  await until("only one pair of watches is left", () => stage.kubernetes.counts().watches === 2);
  const pod = (await podNames(stage)).find((name) => name.includes(early)) ?? "";
  stage.kubernetes.simulate.finish({ namespace: NAMESPACE, name: pod }, 3, "Error");
  expect((await stage.reaches(early, "failed")).result?.error).toContain("WorkerFailed");
});

test("without change streams a rotated secret and a changed record are in use by polling", async () => {
  await using mongod = await standaloneMongo();
  const accounts = { weak: { user: "weak", allow: () => false } };
  await using stage = await scene(template(), { accounts, uri: mongod.uri });
  const { db } = stage.database;
  await storeSecret(db, "KUBE", stage.kubernetes.kubeconfig({ token: "weak" }));
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const held = await stage.queue();
  await stage.reaches(held, "CLUSTER_FORBIDDEN");
  const began = Date.now();
  await storeSecret(db, "KUBE", stage.kubernetes.kubeconfig({ token: "admin-admin-admin" }));
  await stage.launched(held);
  process.stderr.write(`polled, a rotated kubeconfig was in use after ${Date.now() - began} ms\n`);

  const image = { "config.kubernetes.executionTmplUri": dataUri(template({ container: "workingDir: /new" })) };
  await db
    .collection("orchestrators")
    .updateOne({ instance_id: TARGET }, { $set: { ...image, updated_at: new Date() } });
  await until("the new template is in use", async () => (await workingDirOf(stage, await stage.queue())) === "/new");
});

test("a key in a file is rotated on disk: what it could not decrypt goes on, and neither key is ever logged", async () => {
  await using folder = await temporaryFolder();
  const [path, next] = [join(folder.path, "key"), join(folder.path, "next")];
  const wrong = Buffer.alloc(32, 7).toString("base64");
  await writeFile(path, wrong);
  await using stage = await scene();
  await stage.start({ FIFTYONE_ENCRYPTION_KEY: "", OPJOB_ENCRYPTION_KEY_FILE: path, OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const id = await stage.queue();
  expect((await stage.reaches(id, "SECRET_UNREADABLE")).opjob?.message).toMatch(/"KUBE".*another key/);
  await writeFile(next, ENCRYPTION_KEY);
  const began = Date.now();
  await rename(next, path);
  await stage.launched(id);
  process.stderr.write(`a key file was in use after ${Date.now() - began} ms\n`);
  const written = JSON.stringify([
    stage.daemon().lines,
    await stage.database.db.collection("delegated_ops").find().toArray(),
  ]);
  for (const key of [wrong, ENCRYPTION_KEY]) expect(written).not.toContain(key);
});

test("while secrets are re-encrypted, both keys work: with the old one beside it no operation is held", async () => {
  const newKey = Buffer.alloc(32, 9).toString("base64");
  await using stage = await scene();
  const { db } = stage.database;
  await stage.start({ FIFTYONE_ENCRYPTION_KEY: newKey, OPJOB_OLD_ENCRYPTION_KEY: ENCRYPTION_KEY });
  await stage.launched(await stage.queue());
  const token = encryptToken(fernetKey(newKey), stage.kubernetes.kubeconfig(), Date.now());
  await db.collection("secrets").updateOne({ key: "KUBE" }, { $set: { value: Buffer.from(token) } });
  await stage.launched(await stage.queue());
  const held = stage.daemon().lines.filter(({ msg }) => msg === "held");
  expect(held).toEqual([]);
});

test("a template on disk that appears or changes is in use without a sweep, also for what is held", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "job.yaml.j2");
  await using stage = await scene();
  await register(stage.database.db, {
    id: "on-disk",
    template: path,
    secret: "KUBE",
    config: { namespace: NAMESPACE },
  });
  await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *" });
  const id = await stage.queue({ delegation_target: "on-disk" });
  await stage.reaches(id, "TEMPLATE_MISSING");
  await writeFile(path, template({ container: "workingDir: /first" }));
  await stage.launched(id);
  await writeFile(path, template({ container: "workingDir: /second" }));
  expect(await workingDirOf(stage, await stage.queue({ delegation_target: "on-disk" }))).toBe("/second");
});

async function launchedOf({ database: { db } }: Scene, ids: readonly string[]): Promise<number> {
  return operationsOf(db).countDocuments({
    _id: { $in: ids.map((id) => new ObjectId(id)) },
    "opjob.timeline.created": { $exists: true },
  });
}

const operationsOf = (db: Db) => db.collection("delegated_ops");

async function podNames({ kubernetes }: Scene): Promise<string[]> {
  const headers = { authorization: "Bearer admin-admin-admin" };
  const answer = await fetch(`${kubernetes.url}/api/v1/namespaces/${NAMESPACE}/pods`, { headers });
  return ((await answer.json()) as { items: { metadata: { name: string } }[] }).items.map(
    ({ metadata }) => metadata.name,
  );
}

async function workingDirOf(stage: Scene, id: string): Promise<string | undefined> {
  await stage.launched(id);
  const spec = (await stage.jobOf(id))?.spec.template.spec["containers"] as { workingDir?: string }[] | undefined;
  return spec?.[0]?.workingDir;
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "opjob-rotation-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
