// A worker that keeps a ledger of its own: that it was started, and that it was the one that executed the operation.
import { MongoClient, ObjectId } from "mongodb";

const operation = process.argv[2];
const client = new MongoClient(process.env.FIFTYONE_DATABASE_URI);
const db = client.db(process.env.FIFTYONE_DATABASE_NAME);
const operations = db.collection("delegated_ops");
const ledger = db.collection("ledger");
const _id = new ObjectId(operation);

await ledger.insertOne({ operation, act: "started", at: new Date() });
const now = new Date();
const started = await operations.updateOne(
  { _id, run_state: "queued" },
  { $set: { run_state: "running", started_at: now, updated_at: now } },
);
if (started.matchedCount === 1) {
  await ledger.insertOne({ operation, act: "executed", at: new Date() });
  const completed = {
    run_state: "completed",
    completed_at: new Date(),
    updated_at: new Date(),
    result: { result: null, error: null },
  };
  await operations.updateOne({ _id, run_state: "running" }, { $set: completed });
}
await client.close();
process.exitCode = started.matchedCount === 1 ? 0 : 3;
