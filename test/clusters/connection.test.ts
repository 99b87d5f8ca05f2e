// The way to one API server: what is tried again and what is not, deadlines, and connections that died without a word.
import { describe, expect, test } from "@jest/globals";
import type { Cluster } from "../../src/clusters/kubernetes.ts";
import { Traffic, UNLIMITED } from "../../src/clusters/traffic.ts";
import { OpjobError } from "../../src/errors.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { refusalOf } from "../refusal.ts";
import { until } from "../until.ts";
import { type Asked, accessTo, clientOf, type Handler, JOB, json, scripted, status } from "./scripted.ts";

const MANIFEST = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "a" },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } },
};
const CONFLICT = "the object has been modified; please apply your changes to the latest version and try again";
const UID = "the UID in the precondition (1) does not match the UID in record (2)";

const ok: Handler = (asked) => json(asked, 200, JOB);
/** Answers so many times in this way, then as it should be. */
const first = (times: number, handler: Handler): Handler => {
  let left = times;
  return (asked) => (left-- > 0 ? handler(asked) : ok(asked));
};
const said =
  (code: number, reason = "", message = ""): Handler =>
  (asked: Asked) =>
    status(asked, code, reason, message);
const reset: Handler = ({ request }) => void request.socket.destroy();

describe("a fault that passes is tried again at once:", () => {
  test.each<[string, Handler]>([
    ["a connection that breaks", reset],
    ["500", said(500)],
    ["502", said(502)],
    ["503", said(503)],
    ["504", said(504)],
    ["429", said(429)],
    ["a write that came between", said(409, "Conflict", CONFLICT)],
    ["a webhook that cannot be reached", said(500, "InternalError", 'failed calling webhook "w"')],
  ])("%s", async (_, fault) => {
    await using server = await scripted(first(2, fault));
    await using cluster = clientOf(accessTo(server.url));
    expect(await cluster.createJob("n", "a", MANIFEST)).toMatchObject({ kind: "created" });
    expect(await cluster.deleteJob("n", "a", "u")).toBe(true);
    expect(server.asked).toHaveLength(4);
  });

  test("four times, then its error is told", async () => {
    await using server = await scripted(said(500, "InternalError", "etcd is on fire"));
    await using cluster = clientOf(accessTo(server.url));
    const error = await refusalOf(cluster.getJob("n", "a"));
    expect([error.code, error.message]).toEqual(["CLUSTER_ERROR", expect.stringContaining("etcd is on fire")]);
    expect(server.asked).toHaveLength(4);
  });

  test("never beyond the deadline of the call", async () => {
    await using server = await scripted(said(500));
    await using cluster = clientOf(accessTo(server.url), { timeoutMs: 200 });
    await refusalOf(cluster.getJob("n", "a"));
    expect(server.asked.length).toBeLessThan(4);
  });
});

describe("what cannot pass is sent once:", () => {
  test.each([
    [400, "JOB_REFUSED"],
    [403, "CLUSTER_FORBIDDEN"],
    [404, "CLUSTER_NAMESPACE_MISSING"],
    [422, "JOB_REFUSED"],
  ])("%i is %s", async (code, expected) => {
    await using server = await scripted(said(code, "", "because"));
    await using cluster = clientOf(accessTo(server.url));
    expect((await refusalOf(cluster.createJob("n", "a", MANIFEST))).code).toBe(expected);
    expect(server.asked).toHaveLength(1);
  });

  test("a name that is taken, and a uid that is another's, are answers", async () => {
    await using server = await scripted(said(409, "AlreadyExists", "exists"));
    await using cluster = clientOf(accessTo(server.url));
    expect(await cluster.createJob("n", "a", MANIFEST)).toEqual({ kind: "exists" });
    server.answer(said(409, "Conflict", UID));
    expect(await cluster.deleteJob("n", "a", "1")).toBe(false);
    expect(server.asked).toHaveLength(2);
  });
});

describe("a guard is asked again before each time that a call is sent:", () => {
  const LOST = new OpjobError("LEADERSHIP_LOST", "somebody else leads");
  /** Lets pass until it is told not to. */
  const guarding = () => {
    let lost = false;
    const lose = (): void => {
      lost = true;
    };
    const guard = (): void => {
      if (lost) throw LOST;
    };
    return { lose, guard };
  };
  const ACTS: [string, (cluster: Cluster, guard: () => void) => Promise<unknown>][] = [
    ["a create", (cluster, guard) => cluster.createJob("n", "a", MANIFEST, guard)],
    ["a delete", (cluster, guard) => cluster.deleteJob("n", "a", "u", { guard })],
  ];

  test.each(ACTS)("%s that has waited for its turn is not sent any more", async (_, act) => {
    await using server = await scripted(ok);
    const traffic = new Traffic(server.url, { ...UNLIMITED, rate: 5, burst: 1 });
    await using cluster = clientOf(accessTo(server.url), { traffic });
    await cluster.getJob("n", "a");
    const { lose, guard } = guarding();
    const acting = refusalOf(act(cluster, guard));
    lose();
    expect(await acting).toBe(LOST);
    // Whatever else goes to the cluster still does.
    await cluster.getJob("n", "a");
    expect(server.asked.map((one) => one.split(" ")[0])).toEqual(["GET", "GET"]);
  });

  test.each(ACTS)("%s that would be tried again is not", async (_, act) => {
    const { lose, guard } = guarding();
    await using server = await scripted((asked) => {
      lose();
      said(500)(asked);
    });
    await using cluster = clientOf(accessTo(server.url));
    expect(await refusalOf(act(cluster, guard))).toBe(LOST);
    expect(server.asked).toHaveLength(1);
  });

  test("a create that is refused for old credentials is not sent with new ones", async () => {
    const { lose, guard } = guarding();
    await using server = await scripted((asked) => {
      lose();
      said(401)(asked);
    });
    await using cluster = clientOf(accessTo(server.url));
    expect(await refusalOf(cluster.createJob("n", "a", MANIFEST, guard))).toBe(LOST);
    expect(server.asked).toHaveLength(1);
  });
});

test("a create whose answer is lost is found again, and is made once", async () => {
  await using kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: ["n"] });
  await using cluster = clientOf(accessTo(kubernetes.url));
  kubernetes.faults.loseReplies(1, { verb: "create", resource: "jobs" });
  expect(await cluster.createJob("n", "a", MANIFEST)).toEqual({ kind: "exists" });
  expect(await cluster.getJob("n", "a")).toMatchObject({ name: "a" });
});

describe("an API server that asks to wait", () => {
  const busy =
    (code: number, headers: Record<string, string>): Handler =>
    (asked) =>
      json(asked, code, { message: "slow down" }, headers);

  test.each<[string, number, () => Record<string, string>]>([
    ["in seconds, with 429", 429, () => ({ "retry-after": "1" })],
    ["in seconds, with 503", 503, () => ({ "retry-after": "1" })],
    [
      "as a time by its own clock",
      503,
      () => ({ date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:01 GMT" }),
    ],
  ])("%s, gets no call of any credential until then", async (_, code, headers) => {
    await using server = await scripted(first(1, busy(code, headers())));
    const traffic = new Traffic(server.url, UNLIMITED);
    const heard: string[] = [];
    const onCall = (answered: string) => void heard.push(answered);
    await using one = clientOf(accessTo(server.url, { token: "one" }), { traffic, onCall });
    await using two = clientOf(accessTo(server.url, { token: "two" }), { traffic });
    const begun = performance.now();
    const creating = one.createJob("n", "a", MANIFEST);
    await until(() => heard.includes(String(code)));
    const looking = two.getJob("n", "a");
    const stop = new AbortController();
    const watching = two.watch("jobs", "n", { resourceVersion: "1" }, stop.signal);
    await until(() => server.asked.length > 1, 3_000);
    expect(performance.now() - begun).toBeGreaterThan(990);
    expect(await creating).toMatchObject({ kind: "created" });
    await looking;
    (await watching)?.destroy();
    expect(server.asked).toHaveLength(4);
  });

  test("for longer than a call waits is not called at all, and the error says for how long", async () => {
    await using server = await scripted(busy(429, { "retry-after": "30" }));
    await using cluster = clientOf(accessTo(server.url));
    const errors = [await refusalOf(cluster.createJob("n", "a", MANIFEST)), await refusalOf(cluster.getJob("n", "a"))];
    for (const { code, retryAfterMs = 0 } of errors) {
      expect(code).toBe("CLUSTER_OVERLOADED");
      expect(retryAfterMs).toBeGreaterThan(28_000);
      expect(retryAfterMs).toBeLessThanOrEqual(30_000);
    }
    expect(server.asked).toHaveLength(1);
  });

  test("is told apart from another one", async () => {
    await using slow = await scripted(busy(429, { "retry-after": "30" }));
    await using quick = await scripted(ok);
    await using one = clientOf(accessTo(slow.url));
    await using two = clientOf(accessTo(quick.url));
    await refusalOf(one.getJob("n", "a"));
    expect(await two.getJob("n", "a")).toMatchObject({ name: "a" });
  });
});

describe("a connection that does not answer any more", () => {
  /** Silent on the connections that there are; what is opened later is answered. */
  const deaf =
    (before: number): Handler =>
    (asked) => {
      if (asked.connection > before) ok(asked);
    };

  test("ends its calls at their deadline, and the next one goes over a new connection", async () => {
    await using server = await scripted(ok);
    await using cluster = clientOf(accessTo(server.url), { timeoutMs: 300 });
    await cluster.getJob("n", "a");
    server.answer(() => undefined);
    const error = await refusalOf(cluster.getJob("n", "a"));
    const before = server.connections();
    server.answer(deaf(before));
    expect([error.code, error.message]).toEqual([
      "CLUSTER_UNREACHABLE",
      `The cluster ${server.url} could not be reached to read the Job n/a: no answer before the deadline.`,
    ]);
    await until(async () => (await cluster.getJob("n", "a").catch(() => undefined))?.name === "a");
    expect(server.connections()).toBeGreaterThan(before);
  });

  test("cuts the watches over it as well: they would wait in vain", async () => {
    await using server = await scripted(({ response, request, connection }) => {
      if (request.url?.includes("watch=true")) response.writeHead(200).flushHeaders();
      else if (connection > 9) response.end();
    });
    await using cluster = clientOf(accessTo(server.url), { timeoutMs: 300 });
    const watching = await cluster.watch("jobs", "n", { resourceVersion: "1" }, new AbortController().signal);
    const cut = readAll(watching);
    await refusalOf(cluster.getJob("n", "a"));
    await expect(cut).rejects.toThrow("the connection does not answer");
  });

  test("is noticed by a watch that gets no byte for too long", async () => {
    await using server = await scripted(({ response }) => {
      response.writeHead(200).flushHeaders();
      response.write("{}\n");
    });
    await using cluster = clientOf(accessTo(server.url));
    const from = { resourceVersion: "1", silenceMs: 500 };
    const silent = await cluster.watch("jobs", "n", from, new AbortController().signal);
    await expect(readAll(silent)).rejects.toThrow();
    (await cluster.watch("jobs", "n", from, new AbortController().signal))?.destroy();
    expect(server.connections()).toBe(2);
  });
});

test("while nothing answers one call at a time finds out, and the others fail at once", async () => {
  const codes: string[] = [];
  const server = await scripted(ok);
  await using cluster = clientOf(accessTo(server.url), { onCall: (code) => codes.push(code) });
  await server[Symbol.asyncDispose]();
  const error = await refusalOf(cluster.getJob("n", "a"));
  expect(error.message).toContain("could not be reached to read the Job n/a: ECONNREFUSED.");
  expect(codes).toHaveLength(4);
  const errors = await Promise.all(Array.from({ length: 20 }, () => refusalOf(cluster.createJob("n", "b", {}))));
  expect(codes).toHaveLength(4);
  expect(new Set(errors.map(({ message }) => message))).toEqual(
    new Set([`The cluster ${server.url} could not be reached to create the Job n/b: ECONNREFUSED.`]),
  );
  await until(() => {
    void cluster.getJob("n", "a").catch(() => undefined);
    return codes.length > 4;
  });
});

async function readAll(body: AsyncIterable<Buffer> | undefined): Promise<void> {
  if (body === undefined) throw new Error("no watch");
  for await (const chunk of body) void chunk;
}
