// What is remembered of stored templates: for how long, by how many requests, and what holds when a store is away.
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "@jest/globals";
import { OpjobError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { createMemory, type Memory, type Wanted } from "../../src/templates/memory.ts";
import type { Answer } from "../../src/templates/stores/reading.ts";
import { refusalOf } from "../refusal.ts";

const LIFE = 30_000;
const away = (why = "ECONNREFUSED") => new OpjobError("TEMPLATE_STORE_UNREACHABLE", `away: ${why}`);
const text = (content: string, tag?: string): Answer => ({ kind: "text", text: content, tag });

let clock: number;
let lines: { level: string; msg: string; template: string; age_s?: number }[];
let asked: (string | undefined)[];
let answer: () => Answer | Promise<Answer>;
let memory: Memory;

beforeEach(() => {
  clock = 1_000_000;
  lines = [];
  asked = [];
  const log = createLog({
    level: "info",
    secrets: [],
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  });
  memory = createMemory({ lifeMs: LIFE, log, now: () => clock });
});

const wanted = (key = "a", always = false): Wanted => ({
  key,
  name: `s3://b/${key}`,
  always,
  read: async (tag) => {
    asked.push(tag);
    return answer();
  },
});

test("a text is used for its life, then the store is asked whether it is still the same", async () => {
  answer = () => text("one", "tag-1");
  const first = await memory.recall(wanted());
  clock += LIFE - 1;
  expect(await memory.recall(wanted())).toBe(first);
  expect(asked).toEqual([undefined]);
  clock += 1;
  answer = () => ({ kind: "unchanged" });
  expect(await memory.recall(wanted())).toBe(first);
  clock += LIFE;
  answer = () => text("two", "tag-2");
  const second = await memory.recall(wanted());
  expect([second.text, second.version === first.version]).toEqual(["two", false]);
  expect(asked).toEqual([undefined, "tag-1", "tag-1"]);
});

test("the same text has the same version, however its store calls it", async () => {
  answer = () => text("one");
  const first = await memory.recall(wanted());
  clock += LIFE;
  expect((await memory.recall(wanted())).version).toBe(first.version);
  expect((await memory.recall(wanted("elsewhere"))).version).toBe(first.version);
});

test("a hundred at once make one request, and all of them have its answer or its refusal", async () => {
  const slow = Promise.withResolvers<Answer>();
  answer = () => slow.promise;
  const all = Array.from({ length: 100 }, () => memory.recall(wanted()));
  await sleep(1);
  slow.resolve(text("one"));
  expect(new Set((await Promise.all(all)).map((one) => one.text))).toEqual(new Set(["one"]));
  expect(asked).toHaveLength(1);
  answer = () => Promise.reject(new OpjobError("TEMPLATE_MISSING", "gone"));
  const refused = await Promise.allSettled(Array.from({ length: 100 }, () => memory.recall(wanted("b"))));
  expect(refused.filter(({ status }) => status === "rejected")).toHaveLength(100);
  expect(asked).toHaveLength(2);
});

test("while a store is away its last good text is used, which is said once, with its age, until it changes", async () => {
  answer = () => text("one", "tag-1");
  const good = await memory.recall(wanted());
  answer = () => Promise.reject(away());
  for (let i = 0; i < 5; i++) {
    clock += LIFE;
    expect(await memory.recall(wanted())).toBe(good);
  }
  expect(asked).toHaveLength(6);
  expect(lines).toEqual([
    expect.objectContaining({
      level: "warn",
      template: "s3://b/a",
      age_s: 30,
      msg: expect.stringContaining("last good"),
    }),
  ]);
  expect(memory.stale()).toEqual([{ template: "s3://b/a", ageMs: 5 * LIFE }]);
  clock += LIFE;
  answer = () => Promise.reject(away("ETIMEDOUT"));
  await memory.recall(wanted());
  expect(lines).toHaveLength(2);
  clock += LIFE;
  answer = () => ({ kind: "unchanged" });
  await memory.recall(wanted());
  expect(lines.at(-1)).toMatchObject({ level: "info", msg: "the template's store answers again" });
  expect(memory.stale()).toEqual([]);
});

test("a store that is away is asked once a life, not by every launch", async () => {
  answer = () => text("one");
  await memory.recall(wanted());
  clock += LIFE;
  answer = () => Promise.reject(away());
  for (let i = 0; i < 50; i++) await memory.recall(wanted());
  expect(asked).toHaveLength(2);
});

test("without an earlier text a store that is away is an error, and is asked again after two seconds", async () => {
  answer = () => Promise.reject(away());
  for (let i = 0; i < 50; i++)
    expect((await refusalOf(memory.recall(wanted()))).code).toBe("TEMPLATE_STORE_UNREACHABLE");
  expect(asked).toHaveLength(1);
  clock += 2_000;
  answer = () => text("one");
  expect((await memory.recall(wanted())).text).toBe("one");
  expect(lines).toEqual([]);
});

test.each(["TEMPLATE_MISSING", "TEMPLATE_FORBIDDEN", "TEMPLATE_UNREADABLE"] as const)(
  "after %s an old text is not used, not even once the store is away",
  async (code) => {
    answer = () => text("one", "tag-1");
    await memory.recall(wanted());
    clock += LIFE;
    answer = () => Promise.reject(new OpjobError(code, "no"));
    expect((await refusalOf(memory.recall(wanted()))).code).toBe(code);
    clock += LIFE;
    answer = () => Promise.reject(away());
    expect((await refusalOf(memory.recall(wanted()))).code).toBe("TEMPLATE_STORE_UNREACHABLE");
    expect(asked).toEqual([undefined, "tag-1", undefined]);
  },
);

test("what is looked at every time is looked at every time", async () => {
  answer = () => text("one");
  await memory.recall(wanted("file", true));
  answer = () => text("two");
  expect((await memory.recall(wanted("file", true))).text).toBe("two");
});

test("only what is in use is remembered", async () => {
  answer = () => text("one");
  await memory.recall(wanted("a"));
  await memory.recall(wanted("b"));
  memory.retain(new Set(["b"]));
  await memory.recall(wanted("b"));
  expect(asked).toHaveLength(2);
  await memory.recall(wanted("a"));
  expect(asked).toHaveLength(3);
});
