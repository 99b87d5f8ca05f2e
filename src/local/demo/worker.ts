// The demo's worker: executes one operation by its id as FiftyOne's own worker does: only if it is queued, setting
// running, progress, and completed or failed itself. It stands in for a FiftyOne image, which takes minutes to install.
// Its parameters say which fate the operation has.
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient, ObjectId } from "mongodb";

type Fate = "succeed" | "fail" | "exhaust-memory" | "crash" | "forget-result";
export type DemoParams = { readonly fate: Fate; readonly seconds: number };

const STEPS = 10;
const [, , id = ""] = process.argv;
const client = new MongoClient(process.env["FIFTYONE_DATABASE_URI"] ?? "");
const operations = client.db(process.env["FIFTYONE_DATABASE_NAME"]).collection("delegated_ops");

const set = (state: string, required: string, fields: object) => {
  const now = new Date();
  return operations.findOneAndUpdate(
    { _id: new ObjectId(id), run_state: required },
    { $set: { run_state: state, updated_at: now, [`${state === "running" ? "started" : state}_at`]: now, ...fields } },
  );
};

const result = (value: unknown, error: string | null) => ({
  result: { result: value, executor: null, error, error_message: error, delegated: true, validation_ctx: null },
});

async function work({ fate, seconds }: DemoParams): Promise<number> {
  for (let step = 1; step <= STEPS; step++) {
    await sleep((seconds * 1_000) / STEPS);
    const status = { progress: step / STEPS, label: `step ${step} of ${STEPS}`, updated_at: new Date() };
    await operations.updateOne({ _id: new ObjectId(id) }, { $set: { status } });
    console.log(status.label);
    if (step < STEPS / 2) continue;
    if (fate === "exhaust-memory") await exhaustMemory();
    if (fate === "crash") process.kill(process.pid, "SIGKILL");
  }
  if (fate === "forget-result") return 0;
  if (fate === "fail") {
    console.error("ValueError: the dataset has no field 'ground_truth'");
    await set("failed", "running", result(null, "ValueError: the dataset has no field 'ground_truth'"));
    return 1;
  }
  await set("completed", "running", result({ done: true }, null));
  return 0;
}

async function exhaustMemory(): Promise<never> {
  const hoard: Buffer[] = [];
  for (;;) {
    hoard.push(Buffer.alloc(32 * 1024 * 1024, hoard.length));
    console.log(`loaded batch ${hoard.length} into memory`);
    await sleep(20);
  }
}

const started = await set("running", "queued", { monitored: false });
const params = started?.["context"]?.request_params?.params as DemoParams | undefined;
const code = params ? await work(params) : 3;
await client.close();
process.exitCode = code;
