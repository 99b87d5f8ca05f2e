// List and watch: what is kept, where they go on from, and that a server in trouble is not asked without end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { viewJob } from "../../src/clusters/observation.ts";
import { followResource } from "../../src/clusters/watch.ts";
import { OpjobError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { until } from "../until.ts";
import { VirtualTime } from "../virtual-clock.ts";
import { type Asked, accessTo, clientOf, type Handler, json, type Scripted, scripted, status } from "./scripted.ts";

const job = (name: string, resourceVersion = "5") => ({
  metadata: { name, namespace: "n", uid: name, resourceVersion },
});
const isWatch = ({ request }: Asked): boolean => request.url?.includes("watch=true") ?? false;
const LIST: Handler = (asked) => json(asked, 200, { metadata: { resourceVersion: "7" }, items: [job("a")] });
/** Lists are answered; watches as given. */
const watches =
  (handler: Handler): Handler =>
  (asked) =>
    (isWatch(asked) ? handler : LIST)(asked);
const stays =
  (...events: object[]): Handler =>
  ({ response }) => {
    response.writeHead(200).flushHeaders();
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
  };

function follow(server: Scripted, timeoutMs = 5_000) {
  const cluster = clientOf(accessTo(server.url), { timeoutMs });
  const told: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const stop = new AbortController();
  const done = followResource({
    cluster,
    resource: "jobs",
    namespace: "n",
    view: (raw) => viewJob(raw).name,
    onList: (names) => void told.push(`list ${names.join()}`),
    onChange: (name) => void told.push(`change ${name}`),
    onDelete: (name) => void told.push(`delete ${name}`),
    onState: (state) => void told.push(state),
    signal: stop.signal,
    log: createLog({ level: "debug", secrets: [], destination }),
  });
  const asked = (what: "lists" | "watches"): number =>
    server.asked.filter((one) => one.includes("watch=true") === (what === "watches")).length;
  return {
    told,
    lines,
    asked,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
      await cluster.close();
    },
  };
}

describe("goes on from where it was", () => {
  const event = (type: string, name: string, version: string) => ({ type, object: job(name, version) });

  test("after an end, a cut, and refusals of a moment: it lists once", async () => {
    let watch = 0;
    const steps: Handler[] = [
      (asked) => {
        stays(event("ADDED", "b", "8"))(asked);
        asked.response.end();
      },
      (asked) => status(asked, 500, "InternalError", "no"),
      (asked) => {
        stays({ type: "BOOKMARK", object: { metadata: { resourceVersion: "12" } } })(asked);
        setTimeout(() => asked.request.socket.destroy(), 50);
      },
      stays(event("DELETED", "b", "13")),
    ];
    await using server = await scripted(watches((asked) => steps[Math.min(watch++, steps.length - 1)]?.(asked)));
    await using following = follow(server);
    await until(() => following.told.includes("delete b"));
    expect(following.told.filter((one) => one !== "following" && one !== "cut")).toEqual([
      "list a",
      "change b",
      "delete b",
    ]);
    const versions = server.asked.flatMap((one) => /resourceVersion=(\d+)/.exec(one)?.[1] ?? []);
    expect(versions.slice(0, 4)).toEqual(["7", "8", "8", "12"]);
    expect(following.asked("lists")).toBe(1);
  });

  test.each<[string, Handler]>([
    ["as a status", (asked) => status(asked, 410, "Expired", "too old resource version")],
    ["as an event", stays({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })],
  ])("but lists anew after 410 %s", async (_, gone) => {
    let watch = 0;
    await using server = await scripted(watches((asked) => (watch++ === 0 ? gone : stays())(asked)));
    await using following = follow(server);
    await until(() => following.asked("watches") === 2);
    expect(following.told).toEqual(expect.arrayContaining(["list a", "list a"]));
    expect(following.lines).toMatchObject([{ msg: "watch too old: listing anew" }]);
  });

  test("but lists anew when the server goes on refusing: its versions may be others by now", async () => {
    let watch = 0;
    await using server = await scripted(
      watches((asked) => (watch++ < 4 ? status(asked, 504, "Timeout", "Too large resource version") : stays()(asked))),
    );
    await using following = follow(server);
    await until(() => following.told.at(-1) === "following", 15_000);
    expect(following.asked("lists")).toBe(2);
  });

  test("a page whose token is too old (410) begins the list anew, and nothing is listed twice", async () => {
    let list = 0;
    const page = (asked: Asked): void => {
      if (list++ === 1) status(asked, 410, "Expired", "The provided continue parameter is too old");
      else {
        const more = asked.request.url?.includes("continue=") ? {} : { continue: "next" };
        json(asked, 200, { metadata: { resourceVersion: "7", ...more }, items: [job(`page-${list}`)] });
      }
    };
    await using server = await scripted((asked) => (isWatch(asked) ? stays() : page)(asked));
    await using following = follow(server);
    await until(() => following.told.includes("following"));
    expect(following.told[0]).toBe("list page-3,page-4");
  });
});

/** How many requests there may be is said for so long a time (ms). */
const SPAN_MS = 1_500;

describe("does not ask without end", () => {
  /** Lets that time pass. @returns how many times as long it was: a busy machine sleeps longer */
  async function passed(): Promise<number> {
    const begun = performance.now();
    await sleep(SPAN_MS);
    return Math.ceil((performance.now() - begun) / SPAN_MS - 0.1);
  }

  test.each<[string, Handler, number]>([
    ["that ends every watch at once", ({ response }) => void response.writeHead(200).end(), 6],
    [
      "that cuts every watch at once",
      ({ response }) => {
        response.writeHead(200).flushHeaders();
        response.destroy();
      },
      6,
    ],
    ["that refuses every watch (403)", (asked) => status(asked, 403, "Forbidden", "no"), 2],
    ["that refuses the credential (401)", (asked) => status(asked, 401, "Unauthorized", "no"), 2],
    ["that fails (500)", (asked) => status(asked, 500, "InternalError", "no"), 5],
    ["that forgets at once (410)", (asked) => status(asked, 410, "Expired", "too old"), 12],
  ])("a server %s", async (_, handler, most) => {
    await using server = await scripted(watches(handler));
    await using following = follow(server);
    const spans = await passed();
    expect(following.asked("watches")).toBeGreaterThan(0);
    expect(following.asked("watches")).toBeLessThanOrEqual(most * spans);
  });

  test("a server whose lists are refused", async () => {
    await using server = await scripted((asked) => status(asked, 403, "Forbidden", "no"));
    await using following = follow(server);
    const spans = await passed();
    expect(following.asked("lists")).toBeLessThanOrEqual(2 * spans);
    expect(following.lines[0]).toMatchObject({ msg: "watch cut off", namespace: "n", resource: "jobs" });
    expect(following.lines[0]?.["again_ms"]).toBeGreaterThan(900);
  });
});

test("a server that is away is asked every few seconds, and that is not told of each time", async () => {
  const time = new VirtualTime();
  let lists = 0;
  const away = (): Promise<never> => {
    lists++;
    return Promise.reject(new OpjobError("CLUSTER_UNREACHABLE", "away"));
  };
  const lines: string[] = [];
  const stop = new AbortController();
  const done = followResource({
    cluster: { server: "https://away", listPage: away, watch: away },
    resource: "jobs",
    namespace: "n",
    view: () => undefined,
    onList: () => undefined,
    onChange: () => undefined,
    onDelete: () => undefined,
    onState: () => undefined,
    signal: stop.signal,
    log: createLog({ level: "debug", secrets: [], destination: { write: (line) => void lines.push(line) } }),
    clock: time.clock(),
  });
  await time.pass(600_000);
  stop.abort();
  await done;
  expect(lists).toBeGreaterThanOrEqual(120);
  expect(lists).toBeLessThan(130);
  expect(lines.length).toBeLessThan(30);
});

test("10,000 Pods are listed in pages and kept as views: the whole would not fit into the memory that there is", async () => {
  const child = spawn(process.execPath, ["--max-old-space-size=96", "test/clusters/list-many.ts"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = (await once(child, "exit")) as [number | null];
  const text = Buffer.concat(output).toString();
  expect([code, text]).toEqual([0, expect.stringMatching(/^listed 10000 Pods of \d+ MB$/m)]);
}, 60_000);
