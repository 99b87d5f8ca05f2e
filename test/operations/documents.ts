// A delegated operation as FiftyOne stores it, with the fields that opjob must leave as they are.
// Knows FiftyOne's shape only.
import { type Collection, type Document, ObjectId } from "mongodb";

export const QUEUED_AT = new Date("2026-11-23T00:00:00Z");

export const queued = (fields: Document = {}): Document & { _id: ObjectId } => ({
  _id: new ObjectId(),
  operator: "@peer/echo",
  label: "echo",
  delegation_target: "k8s-a",
  run_state: "queued",
  run_link: null,
  queued_at: QUEUED_AT,
  updated_at: QUEUED_AT,
  status: null,
  dataset_id: new ObjectId(),
  started_at: null,
  pinned: false,
  completed_at: null,
  failed_at: null,
  scheduled_at: null,
  result: null,
  metadata: { inputs_schema: { type: { name: "Object" } }, outputs_schema: null },
  monitored: false,
  archived: false,
  rerunnable: true,
  parent_id: null,
  context: { request_params: { dataset_name: "d", params: { msg: "hello", "a.b": 1 }, delegation_target: "k8s-a" } },
  ...fields,
});

/** Stores one; returns its id. */
export async function insertQueued(collection: Pick<Collection, "insertOne">, fields: Document = {}): Promise<string> {
  const document = queued(fields);
  await collection.insertOne(document);
  return document._id.toHexString();
}
