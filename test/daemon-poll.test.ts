// On a standalone MongoDB there are no change streams: the daemon polls by itself, and is little behind.
import { expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { register, until } from "./local-daemon.ts";
import { standaloneMongo } from "./mongo.ts";
import { NAMESPACE, scene, template } from "./scene.ts";

test("without change streams, operations are launched and taken back, and new orchestrators are seen", async () => {
  await using mongod = await standaloneMongo();
  await using stage = await scene(template(), { uri: mongod.uri });
  // No sweep helps: what is seen is seen by polling.
  const daemon = await stage.start({ OPJOB_SWEEP_CRON: "0 0 1 1 *", OPJOB_POLL_MS: "100" });
  const id = await stage.queue();
  await stage.launched(id);
  const operations = stage.database.db.collection("delegated_ops");
  const failed = { run_state: "failed", failed_at: new Date(), result: null };
  await operations.updateOne({ _id: new ObjectId(id) }, { $set: failed });
  await until("the Job of the failed one is gone", async () => (await stage.jobs()).length === 0);
  const other = await stage.queue();
  await stage.reaches(other, "running");
  await operations.deleteOne({ _id: new ObjectId(other) });
  await until("the Job of the deleted one is gone", async () => (await stage.jobs()).length === 0);
  await register(stage.database.db, {
    id: "late",
    template: template(),
    secret: "KUBE",
    config: { namespace: NAMESPACE },
  });
  await stage.launched(await stage.queue({ delegation_target: "late" }));
  expect(daemon.lines.filter(({ msg }) => msg === "no change stream here: polling instead")).toHaveLength(3);
});
