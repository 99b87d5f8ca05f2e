// The last log lines: whose they are, and that they outlive a Pod that is deleted.
import { describe, expect, test } from "@jest/globals";
import type { PodView } from "../src/clusters/observation.ts";
import { OpjobError } from "../src/errors.ts";
import { createLastWords } from "../src/last-words.ts";
import { createLog } from "../src/log.ts";
import { containerView, ended, podView, running } from "./clusters/views.ts";
import { until } from "./until.ts";

const LOG = createLog({ level: "fatal", secrets: [], destination: { write: () => undefined } });
const LINES = Array.from({ length: 9 }, (_, i) => `line ${i + 1}\n`).join("");
const PLACE = { pod: "echo-x", container: "task-worker", previous: false };

/** The logs of one node, by Pod; what it has none of is empty, as an API server's 404 is to opjob's client. */
function node(logs: Record<string, string | Error>) {
  const asked: unknown[] = [];
  return {
    asked,
    logs,
    podLog: async (namespace: string, pod: string, query: object): Promise<string> => {
      asked.push({ namespace, pod, ...query });
      const log = logs[pod] ?? "";
      if (log instanceof Error) throw log;
      return log;
    },
  };
}

const lastWords = (logTail = { lines: 3, bytes: 4_096 }, secrets: string[] = []) =>
  createLastWords({ logTail, secrets: new Set(secrets), log: LOG });
const going = (fields: Partial<PodView> = {}): PodView =>
  podView({ phase: "Running", deleting: true, containers: [running()], ...fields });

describe("when an operation fails", () => {
  test("the last lines are asked for, and more bytes than are shown", async () => {
    const cluster = node({ "echo-x": LINES });
    const words = await lastWords({ lines: 3, bytes: 12 }).of("a", cluster, "fiftyone", PLACE);
    expect(words).toEqual({ container: "task-worker", lines: "line 9" });
    expect(cluster.asked).toEqual([
      { namespace: "fiftyone", pod: "echo-x", container: "task-worker", tailLines: 3, limitBytes: 96 },
    ]);
  });

  test("those of the run before are asked for where that one ended it", async () => {
    const cluster = node({ "echo-x": LINES });
    await lastWords().of("a", cluster, "fiftyone", { ...PLACE, previous: true });
    expect(cluster.asked).toMatchObject([{ previous: true }]);
    const silent = node({});
    await lastWords().of("a", silent, "fiftyone", { ...PLACE, previous: true });
    expect(silent.asked).toEqual([
      expect.objectContaining({ previous: true }),
      expect.not.objectContaining({ previous: true }),
    ]);
  });

  test("a known secret is cut out, and a log that cannot be read says so", async () => {
    const cluster = node({
      "echo-x": "uri hunter2-hunter2\n",
      away: new OpjobError("CLUSTER_UNREACHABLE", "no answer"),
    });
    const words = lastWords(undefined, ["hunter2-hunter2"]);
    expect((await words.of("a", cluster, "n", PLACE))?.lines).toBe("uri [hidden]");
    expect((await words.of("a", cluster, "n", { ...PLACE, pod: "away" }))?.lines).toBe(
      "(the log could not be read: no answer)",
    );
  });

  test("nothing is asked for where no lines are wanted, or where nothing ever ran", async () => {
    const cluster = node({ "echo-x": LINES });
    const none = lastWords({ lines: 0, bytes: 9 });
    none.readAhead("a", cluster, [going()]);
    expect(await none.of("a", cluster, "n", PLACE)).toBeUndefined();
    expect(await lastWords().of("a", cluster, "n", undefined)).toBeUndefined();
    expect(cluster.asked).toEqual([]);
  });
});

describe("of a Pod on its way out", () => {
  test("the log is read ahead, and told when it is gone, also where nobody knows any more whose it was", async () => {
    const cluster = node({ "echo-x": LINES });
    const words = lastWords();
    words.readAhead("a", cluster, [going()]);
    expect(cluster.asked).toHaveLength(1);
    cluster.logs["echo-x"] = "";
    const last = { container: "task-worker", lines: "line 7\nline 8\nline 9" };
    expect(await words.of("a", cluster, "fiftyone", PLACE)).toEqual(last);
    expect(await words.of("a", cluster, "fiftyone", undefined)).toEqual(last);
    expect(await words.of("b", cluster, "fiftyone", undefined)).toBeUndefined();
  });

  test("what it says later is told instead", async () => {
    const cluster = node({ "echo-x": "before\n" });
    const words = lastWords();
    words.readAhead("a", cluster, [going()]);
    cluster.logs["echo-x"] = "after\n";
    expect((await words.of("a", cluster, "n", PLACE))?.lines).toBe("after");
    cluster.logs["echo-x"] = "last\n";
    words.readAhead("a", cluster, [going({ containers: [ended(143)] })]);
    cluster.logs["echo-x"] = "";
    expect((await words.of("a", cluster, "n", PLACE))?.lines).toBe("last");
  });

  test.each<[string, PodView]>([
    ["stays", going({ deleting: false })],
    ["is gone already", going({ gone: true })],
    ["never began", going({ containers: [containerView()] })],
  ])("that %s, no log is read ahead", (_, pod) => {
    const cluster = node({ "echo-x": LINES });
    lastWords().readAhead("a", cluster, [pod]);
    expect(cluster.asked).toEqual([]);
  });

  test("on a node that does not answer, the log keeps nobody waiting but its own operation, and few are asked for", async () => {
    const answer = Promise.withResolvers<string>();
    let asked = 0;
    const silent = {
      podLog: (): Promise<string> => {
        asked++;
        return answer.promise;
      },
    };
    const words = lastWords();
    for (let i = 0; i < 100; i++) words.readAhead(`op-${i}`, silent, [going()]);
    words.readAhead("op-0", silent, [going()]);
    expect(asked).toBe(8);
    const other = await words.of("op-50", node({ "echo-x": "mine\n" }), "n", PLACE);
    expect(other?.lines).toBe("mine");
    answer.reject(new OpjobError("CLUSTER_UNREACHABLE", "too late"));
    expect(await words.of("op-0", node({}), "n", undefined)).toBeUndefined();
    await until(() => {
      words.readAhead("op-50", silent, [going()]);
      return asked === 9;
    });
  });

  test("it is forgotten with the operation's own result, and with the oldest where there are many", async () => {
    const cluster = node({ "echo-x": LINES });
    const words = lastWords();
    for (let i = 0; i < 501; i++) {
      words.readAhead(`op-${i}`, cluster, [going()]);
      await words.of(`op-${i}`, cluster, "n", undefined);
    }
    words.forget("op-1");
    const told = ["op-0", "op-1", "op-2", "op-500"].map((id) => words.of(id, cluster, "n", undefined));
    expect((await Promise.all(told)).map((one) => one !== undefined)).toEqual([false, false, true, true]);
  });
});
