// That the storm's judge sees harm: each kind of it is put into a database and a ledger, and found.
import { expect, test } from "@jest/globals";
import type { Reply } from "../kubernetes/client.ts";
import { testDatabase } from "../mongo.ts";
import { queued } from "../operations/documents.ts";
import type { Ledger } from "./ledger.ts";
import { harm, judge } from "./toll.ts";

test("what is lost, doubled, failed, not executed, or has a second Job is told apart", async () => {
  await using database = await testDatabase();
  const states = ["completed", "completed", "completed", "completed", "failed", "queued", "running"] as const;
  const rest = { result: { error: "it vanished" }, opjob: { phase: "done" } };
  const documents = states.map((run_state) => ({ ...queued({}), run_state, ...rest }));
  await database.db.collection("delegated_ops").insertMany(documents);
  const ids = documents.map(({ _id }) => _id.toHexString());
  const [well = "", twice = "", secondJob = "", never = "", failed = ""] = ids;
  const gone = "f".repeat(24);
  const ledger = {
    executed: new Map([well, twice, secondJob].map((id) => [id, id === twice ? ["pod-1", "pod-2"] : ["pod-1"]])),
    began: new Map([
      [well, 1_100],
      [twice, 3_100],
    ]),
    jobs: new Map([
      [`${secondJob} 1`, new Set(["job-1", "job-2"])],
      [`${well} 1`, new Set(["job-1"])],
      [`${well} 2`, new Set(["job-2"])],
    ]),
    refused: () => 0,
  } as unknown as Ledger;
  const admin = { send: async () => ({ code: 200, body: { items: [] } }) as unknown as Reply };
  const toll = await judge(
    { db: database.db, admin, ledger },
    100,
    [...ids, gone].map((id) => ({ id, at: 1_000, during: id === twice ? "the deluge" : "a breeze" })),
  );
  expect(toll).toMatchObject({
    completed: 4,
    failed: [`${failed}: it vanished`],
    doubled: [twice],
    secondJobs: [`${secondJob} 1`],
    retried: 1,
    missing: [never],
    leftOver: 0,
    delay: { p50: 2_000, most: 2_000 },
    slowest: { "the deluge": 2_000, "a breeze": 0 },
  });
  expect(toll.lost.map((one) => one.slice(0, 24))).toEqual([...ids.slice(5), gone]);
  expect(harm(toll)).toBe(7);
});
