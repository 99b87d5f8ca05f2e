// Readings of the records that overlap: whoever waits for one knows the records when it is done.
import { expect, test } from "@jest/globals";
import { createLog } from "../src/log.ts";
import { Directory } from "../src/orchestrators/directory.ts";
import { createReload } from "../src/reload.ts";

test("work that begins after a reading knows the orchestrators, although another reading has begun meanwhile", async () => {
  const answers: PromiseWithResolvers<Record<string, unknown>[]>[] = [];
  const records = {
    all: () => {
      const answer = Promise.withResolvers<Record<string, unknown>[]>();
      answers.push(answer);
      return answer.promise;
    },
    token: async () => undefined,
  };
  const log = createLog({ level: "silent", secrets: [] });
  const keys = () => Promise.reject(new Error("no secret is read here"));
  const directory = new Directory({ records, keys, environment: {}, log });
  const reload = createReload(directory, async () => undefined);
  const first = reload().then(() => directory.targets());
  const second = reload();
  const record = { instance_id: "kubernetes-cpu", environment: "kubernetes", config: {} };
  await Promise.resolve();
  answers[0]?.resolve([record]);
  expect(await first).toEqual(["kubernetes-cpu"]);
  answers[1]?.resolve([record]);
  expect(await second).toBe(false);
});
