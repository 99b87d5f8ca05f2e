// The floor of a launch: what any launcher on this stack must do at the least. A raw change-stream event, one raw HTTP
// POST of the same Job. Runs as a process of its own, as the daemon does; reads its work from the environment.
import { createInterface } from "node:readline";
import { MongoClient, ObjectId } from "mongodb";
import { Agent } from "undici";

const {
  BENCH_URI = "",
  BENCH_DB = "",
  BENCH_API = "",
  BENCH_PATH = "",
  BENCH_JOB = "",
  BENCH_TOKEN = "",
  BENCH_TARGET = "",
} = process.env;
const client = await MongoClient.connect(BENCH_URI);
const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
const headers = {
  "content-type": "application/json",
  accept: "application/json",
  ...(BENCH_TOKEN === "" ? {} : { authorization: `Bearer ${BENCH_TOKEN}` }),
};

const post = async (id: string): Promise<void> => {
  const body = BENCH_JOB.replaceAll("the-operation", id);
  const answer = await dispatcher.request({ origin: BENCH_API, path: BENCH_PATH, method: "POST", headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 201) throw new Error(`POST: ${answer.statusCode}`);
};

const stream = client
  .db(BENCH_DB)
  .collection("delegated_ops")
  .watch([{ $match: { operationType: "insert", "fullDocument.delegation_target": BENCH_TARGET } }]);
stream.on("change", (event) => {
  if (event.operationType === "insert") void post(event.documentKey._id.toString());
});
stream.once("resumeTokenChanged", () => process.stdout.write("ready\n"));

const operations = client.db(BENCH_DB).collection("delegated_ops");
const QUICK = { writeConcern: { w: 1 } } as const;

/** What no launcher can leave out that must not lose or double anything: its claim before the POST, and its record after it. */
const durable = async (id: string): Promise<void> => {
  const filter = { _id: new ObjectId(id), run_state: "queued" };
  const claim = { phase: "claimed", attempt: 1, orchestrator: BENCH_TARGET, timeline: { claimed: new Date() } };
  await operations.findOneAndUpdate(filter, { $set: { opjob: claim } }, { ...QUICK, projection: { _id: 1 } });
  await post(id);
  const created = { "opjob.phase": "created", "opjob.job": id, "opjob.timeline.created": new Date() };
  await operations.updateOne(filter, { $set: created }, QUICK);
};

/** `drain WIDTH ID,ID,…` on standard input: POSTs them all, so many at a time; `durable …` claims and records each as well. */
for await (const line of createInterface({ input: process.stdin })) {
  const [what, width, list = ""] = line.split(" ");
  const ids = list.split(",");
  await Promise.all(
    Array.from({ length: Number(width) }, async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await (what === "durable" ? durable(id) : post(id));
    }),
  );
  process.stdout.write("drained\n");
}
