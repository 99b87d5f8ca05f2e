// The floor of a launch: what any launcher on this stack must do at the least. A raw change-stream event, one raw HTTP
// POST of the same Job. Runs as a process of its own, as the daemon does; reads its work from the environment.
import { MongoClient } from "mongodb";
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

/** `drain ID,ID,…` on standard input: POSTs them all, so many at a time. */
for await (const line of process.stdin) {
  const [, list = "", width = "32"] = String(line).trim().split(" ");
  const ids = list.split(",");
  await Promise.all(
    Array.from({ length: Number(width) }, async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await post(id);
    }),
  );
  process.stdout.write("drained\n");
}
