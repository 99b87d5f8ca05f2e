// Events: in which order they tell, how seldom they are asked for, and that nothing hangs on them.
import { beforeEach, describe, expect, test } from "@jest/globals";
import { createInquiry, type EventQuery, type EventView, type Inquiry, viewEvents } from "../../src/clusters/events.ts";
import { OpjobError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import * as raw from "./states.ts";
import { event } from "./views.ts";

const LOG = createLog({ level: "fatal", secrets: [], destination: { write: () => undefined } });
const TOLD = [event("Job", "FailedCreate", "no")];

describe("what is kept of Events", () => {
  test("is told in the order in which they last happened, in whichever generation they are written", () => {
    const again = { ...raw.event("Job", "FailedCreate", "again"), lastTimestamp: raw.at(30) };
    const series = {
      ...raw.event("Pod", "FailedScheduling", "series", 0),
      lastTimestamp: null,
      series: { count: 9, lastObservedTime: raw.at(20) },
    };
    const single = {
      ...raw.event("Pod", "Scheduled", "single", 0),
      lastTimestamp: null,
      eventTime: "2026-11-23T00:00:10.5Z",
    };
    const views = viewEvents([again, raw.event("Pod", "Pulling", "first", 2), series, single, {}]);
    expect(views.map(({ message }) => message)).toEqual(["", "first", "single", "series", "again"]);
    expect(views[1]).toEqual({ kind: "Pod", uid: "pod-echo-x7k2p", reason: "Pulling", message: "first" });
  });
});

describe("an inquiry", () => {
  let now: number;
  let asked: string[];
  let answer: () => readonly EventView[];
  let inquiry: Inquiry;
  beforeEach(() => {
    now = 1_000_000;
    asked = [];
    answer = () => TOLD;
    inquiry = createInquiry({ now: () => now, log: LOG });
  });
  const cluster = (key = "c") => ({
    key,
    events: async (namespace: string, about: EventQuery): Promise<EventView[]> => {
      asked.push(`${namespace} ${Object.values(about).join()}`);
      return [...answer()];
    },
  });
  const ask = (uid: string, fresh = false, of = cluster()) => inquiry.ask(of, "fiftyone", { uid }, fresh);

  test("asks again later and later, and says when; in between it knows what it was told", async () => {
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const { events, again } = await ask("a");
      expect(events).toEqual(TOLD);
      pauses.push(again);
      now += again / 2;
      expect(await ask("a")).toEqual({ events: TOLD, again: again / 2 });
      now += again / 2;
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(asked).toHaveLength(8);
  });

  test("asks at once where an operation is about to fail", async () => {
    await ask("a");
    await ask("a", true);
    expect(asked).toEqual(["fiftyone a", "fiftyone a"]);
  });

  test("asks about names as well, apart from uids", async () => {
    await ask("a");
    await inquiry.ask(cluster(), "fiftyone", { name: "b" });
    expect(asked).toEqual(["fiftyone a", "fiftyone b"]);
  });

  test("of many at once has twenty answered, and two in each second after that", async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => ask(`a-${i}`)));
    expect(asked).toHaveLength(20);
    expect(answers.at(-1)).toEqual({ events: undefined, again: 1_000 });
    now += 1_000;
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ask(`b-${i}`)));
    expect(asked).toHaveLength(22);
  });

  describe("why Jobs have no Pod", () => {
    const refusal = (uid: string): EventView => ({ ...event("Job", "FailedCreate", "no"), uid });
    const refused = (uid: string, fresh = false) => inquiry.ask(cluster(), "fiftyone", { refusedTo: uid }, fresh);

    test("is asked once for all of a namespace, in one moment", async () => {
      answer = () => [refusal("a"), refusal("b"), refusal("a")];
      const answers = await Promise.all(["a", "b", "c", "d"].map((uid) => refused(uid)));
      expect(answers.map(({ events }) => events?.length)).toEqual([2, 1, 0, 0]);
      expect(asked).toEqual(["fiftyone FailedCreate"]);
      now += 299;
      await refused("e");
      expect(asked).toHaveLength(1);
      now += 1;
      await refused("f");
      expect(asked).toHaveLength(2);
    });

    test("is asked for less and less often while there is nothing to tell, and often again when there is", async () => {
      answer = () => [];
      let uid = 0;
      const within = async (ms: number): Promise<number> => {
        const before = asked.length;
        for (const end = now + ms; now < end; now += 100) await refused(`a-${uid++}`);
        return asked.length - before;
      };
      expect(await within(60_000)).toBeLessThan(20);
      answer = () => [refusal("b")];
      await within(5_000);
      expect(await within(3_000)).toBe(10);
    });

    test("of a thousand Jobs takes a single turn", async () => {
      answer = () => [];
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => refused(`a-${i}`)));
      await Promise.all(Array.from({ length: 19 }, (_, i) => ask(`b-${i}`)));
      expect(asked).toHaveLength(20);
    });

    test("is asked of one by itself where there are too many for one answer", async () => {
      answer = () => Array.from({ length: 500 }, (_, i) => refusal(`other-${i}`));
      await refused("a");
      expect(asked).toEqual(["fiftyone FailedCreate", "fiftyone a"]);
      await refused("other-7");
      expect(asked).toHaveLength(2);
    });
  });

  test("remembers a bounded number of objects", async () => {
    for (let i = 0; i < 1_100; i++) {
      await ask(`a-${i}`);
      now += 501;
    }
    // The pauses of all are over; only what is still remembered has one that is longer than the first.
    expect([(await ask("a-0")).again, (await ask("a-1099")).again]).toEqual([1_000, 499]);
  });

  test("that is refused asks nothing more in that namespace for a while, and nobody fails", async () => {
    answer = () => {
      throw new OpjobError("CLUSTER_FORBIDDEN", "no");
    };
    expect(await ask("a")).toEqual({ events: undefined, again: 1_000 });
    expect(await ask("b")).toEqual({ events: undefined, again: 1_000 });
    await ask("b", false, cluster("another"));
    expect(asked).toEqual(["fiftyone a", "fiftyone b"]);
    now += 600_000;
    answer = () => TOLD;
    expect((await ask("b")).events).toEqual(TOLD);
  });

  test("keeps what it was told while the cluster is away", async () => {
    await ask("a");
    now += 1_000;
    answer = () => {
      throw new OpjobError("CLUSTER_UNREACHABLE", "away");
    };
    expect(await ask("a")).toEqual({ events: TOLD, again: 2_000 });
  });
});
