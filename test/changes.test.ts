// Following a collection on real servers: nothing is missed at the start, after a cut, or after an aged-out token.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChangeStream, type Collection, type Document, MongoServerError } from "mongodb";
import { type ChangesOptions, followChanges } from "../src/changes.ts";
import { createLog } from "../src/log.ts";
import { type TestDatabase, testDatabase } from "./mongo.ts";
import { until } from "./until.ts";

let database: TestDatabase;
let collection: Collection<Document>;
let stop: AbortController;
let following: Promise<void> | undefined;
let tests = 0;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(() => {
  stop = new AbortController();
  // One for each test: a stream that begins now also tells of the last change before it.
  collection = database.db.collection(`things-${++tests}`);
});
afterEach(async () => {
  stop.abort();
  await following;
  following = undefined;
});
afterAll(async () => database[Symbol.asyncDispose]());

/** Follows, and keeps what it was told. */
function follow(options: Partial<ChangesOptions> = {}) {
  const told = { ids: [] as unknown[], scans: 0, polls: 0, states: [] as string[], lines: [] as string[] };
  following = followChanges({
    client: database.client,
    collection,
    pipeline: [],
    onChange: (event) => void told.ids.push("documentKey" in event ? event.documentKey._id : undefined),
    scan: async () => {
      told.scans++;
    },
    poll: async () => {
      told.polls++;
    },
    pollMs: 10,
    mode: "auto",
    onState: (state) => void (told.states.at(-1) === state || told.states.push(state)),
    signal: stop.signal,
    log: createLog({ level: "info", secrets: [], destination: { write: (line) => void told.lines.push(line) } }),
    ...options,
  });
  return told;
}

/** The collection, but its streams are the test's to cut; `fails` decides with which error a start meets. */
function watched(fails: (start: Document, nth: number) => Error | undefined = () => undefined) {
  const streams: ChangeStream[] = [];
  const starts: Document[] = [];
  const proxy = Object.create(collection) as Collection<Document>;
  proxy.watch = ((pipeline: Document[], options: Document) => {
    starts.push(options);
    const error = fails(options, starts.length);
    if (error) throw error;
    const stream = collection.watch(pipeline, options);
    streams.push(stream);
    return stream;
  }) as typeof proxy.watch;
  return { collection: proxy, streams, starts };
}

const insert = (id: number) => collection.insertOne({ _id: id } as unknown as Document);
const lost = (): Error => new MongoServerError({ message: "resume point may no longer be in the oplog", code: 286 });

describe("on a replica set", () => {
  test("it scans once, then tells each change, in order", async () => {
    const told = follow();
    await until(() => told.states.includes("following"));
    for (let id = 0; id < 20; id++) await insert(id);
    await until(() => told.ids.length === 20);
    expect(told).toMatchObject({
      ids: Array.from({ length: 20 }, (_, id) => id),
      scans: 1,
      polls: 0,
      states: ["following"],
    });
  });

  test("what changes between the start and the end of the scan is told: there is no gap", async () => {
    const scanning = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const told = follow({
      scan: () => {
        begun.resolve();
        return scanning.promise;
      },
    });
    await begun.promise;
    await insert(1);
    await until(() => told.ids.length === 1);
    expect(told.states).toEqual([]); // not ready before the scan is done
    scanning.resolve();
    await until(() => told.states.includes("following"));
  });

  test("a stream that is cut goes on where it was, without a new scan", async () => {
    const { streams, starts, ...proxy } = watched();
    const told = follow(proxy);
    await until(() => told.states.includes("following"));
    await insert(1);
    await until(() => told.ids.length === 1);
    const cut = streams[0]?.close();
    await insert(2);
    await cut;
    await until(() => told.ids.length === 2);
    expect(told).toMatchObject({ ids: [1, 2], scans: 1, states: ["following", "cut", "following"] });
    expect(starts[1]).toHaveProperty("resumeAfter");
    expect(told.lines.join("")).toContain("changes cut off");
  });

  test("after a cut it says that it follows again also where nothing changes", async () => {
    const { streams, ...proxy } = watched();
    const told = follow(proxy);
    await until(() => told.states.includes("following"));
    await insert(1);
    await until(() => told.ids.length === 1);
    await streams[0]?.close();
    await until(() => told.states.join() === "following,cut,following");
  });

  test("a cursor that the server killed is opened again, and nothing is missed", async () => {
    const told = follow();
    await until(() => told.states.includes("following"));
    await insert(1);
    await until(() => told.ids.length === 1);
    const admin = database.client.db("admin");
    const ours = {
      $match: { "cursor.cursorId": { $exists: true }, ns: `${database.name}.${collection.collectionName}` },
    };
    const cursors = await admin.aggregate([{ $currentOp: { idleCursors: true } }, ours]).toArray();
    const ids = cursors.map(({ cursor }) => (cursor as { cursorId: unknown }).cursorId);
    expect(ids.length).toBeGreaterThan(0);
    await database.db.command({ killCursors: collection.collectionName, cursors: ids });
    await insert(2);
    await until(() => told.ids.length === 2);
    expect([told.ids, told.scans]).toEqual([[1, 2], 1]);
  });

  test("a token that has aged out (286) is dropped: it scans again, and then tells changes", async () => {
    const { streams, starts, ...proxy } = watched((start) => ("resumeAfter" in start ? lost() : undefined));
    const told = follow(proxy);
    await until(() => told.states.includes("following"));
    await insert(1);
    await until(() => told.ids.length === 1);
    await streams[0]?.close();
    await until(() => told.scans === 2);
    expect(starts.map((start) => "resumeAfter" in start)).toEqual([false, true, false]);
    await insert(2);
    await until(() => told.ids.includes(2));
  });

  test("a scan that fails is done again, also when a change was told before it failed", async () => {
    let tries = 0;
    let told: ReturnType<typeof follow>;
    told = follow({
      scan: async () => {
        if (++tries > 1) return;
        await insert(1);
        await until(() => told.ids.length > 0);
        throw new Error("the primary stepped down");
      },
    });
    await until(() => told.states.includes("following"));
    expect([tries, told.states]).toEqual([2, ["cut", "following"]]);
  });

  test("a user who may not open streams polls in mode `auto`, and keeps trying in mode `stream`", async () => {
    const forbidden = (): Error => new MongoServerError({ message: "not authorized", code: 13 });
    const told = follow({ ...watched(forbidden), mode: "auto" });
    await until(() => told.polls > 1);
    stop.abort();
    await following;
    stop = new AbortController();
    const proxy = watched(forbidden);
    const stubborn = follow({ ...proxy, mode: "stream" });
    await until(() => proxy.starts.length > 1);
    expect([stubborn.polls, stubborn.states]).toEqual([0, ["cut"]]);
  });

  test("in mode `poll` it opens no stream", async () => {
    const proxy = watched();
    const told = follow({ ...proxy, mode: "poll" });
    await until(() => told.polls > 2);
    expect([proxy.starts.length, told.scans, told.states]).toEqual([0, 1, ["following"]]);
  });

  test("a poll that fails is a cut, after which it scans and polls again", async () => {
    let polls = 0;
    const told = follow({
      mode: "poll",
      poll: async () => {
        if (++polls === 2) throw new Error("no primary");
      },
    });
    await until(() => polls > 3);
    expect([told.scans, told.states]).toEqual([2, ["following", "cut", "following"]]);
  });

  test("it ends when it is told to, in a wait, in a quiet stream, or before it began", async () => {
    const told = follow();
    await until(() => told.states.includes("following"));
    stop.abort();
    await following;
    const never = follow();
    await following;
    expect(never.scans).toBe(0);
    stop = new AbortController();
    const waits = follow({ mode: "poll", pollMs: 60_000 });
    await until(() => waits.states.includes("following"));
    stop.abort();
    await following;
    expect(waits.lines).toEqual([]);
  });

  test("nothing is told after its end", async () => {
    const told = follow();
    await until(() => told.states.includes("following"));
    stop.abort();
    await following;
    await insert(1);
    await sleep(50); // an event takes a few milliseconds
    expect(told.ids).toEqual([]);
  });
});
