// What is observed, by operation: hints only for differences, and only for our own database's Jobs.
import { beforeEach, describe, expect, test } from "@jest/globals";
import { Observed } from "../../src/clusters/observed.ts";

type Raw = Record<string, unknown>;

const ours = (name: string, operation: string, fields: { uid?: string; database?: string; more?: Raw } = {}): Raw => ({
  metadata: {
    name,
    namespace: "fiftyone",
    uid: fields.uid ?? `uid-${name}`,
    labels: { "opjob/operation": operation, "batch.kubernetes.io/job-name": `job-${operation}` },
    annotations: { "opjob/database": fields.database ?? "mine" },
  },
  ...fields.more,
});
const job = (operation: string, more: Raw = {}, uid?: string): Raw =>
  ours(`job-${operation}`, operation, { more, ...(uid === undefined ? {} : { uid }) });
const ENDED = { status: { conditions: [{ type: "Complete", status: "True" }] } };

let hints: string[];
let observed: Observed;
beforeEach(() => {
  hints = [];
  observed = new Observed("mine", (operation) => hints.push(operation));
});

type Handlers<V> = {
  readonly view: (raw: Raw) => V | undefined;
  readonly onList: (views: readonly V[]) => void;
  readonly onChange: (view: V) => void;
  readonly onDelete: (view: V) => void;
};

/** As the watch calls them: each object is made into a view as it arrives. */
const fed = <V>({ view, onList, onChange, onDelete }: Handlers<V>) => {
  const one = (handle: (view: V) => void) => (raw: Raw) => {
    const seen = view(raw);
    if (seen !== undefined) handle(seen);
  };
  const all = (raws: readonly Raw[]) => onList(raws.flatMap((raw) => view(raw) ?? []));
  return { onList: all, onChange: one(onChange), onDelete: one(onDelete) };
};
const handlersOf = (scope: string) => {
  const { jobs, pods } = observed.handlers(scope);
  return { jobs: fed(jobs), pods: fed(pods) };
};

/** The hints since the last call. */
const told = (): string[] => hints.splice(0).toSorted();

describe("hints", () => {
  test("a new Job, a changed one and one that is gone are told; an unchanged one is not", () => {
    const { jobs } = handlersOf("s");
    jobs.onChange(job("a"));
    expect(told()).toEqual(["a"]);
    jobs.onChange(job("a"));
    jobs.onChange(job("a", { metadata: { ...(job("a")["metadata"] as Raw), resourceVersion: "9" } }));
    expect(told()).toEqual([]);
    jobs.onChange(job("a", ENDED));
    expect(told()).toEqual(["a"]);
    jobs.onDelete(job("a", ENDED));
    expect(told()).toEqual(["a"]);
    jobs.onDelete(job("a", ENDED));
    expect(told()).toEqual([]);
  });

  test("a list tells what is new, different or missing in it, and nothing else", () => {
    const { jobs } = handlersOf("s");
    jobs.onList([job("same"), job("changed"), job("gone")]);
    expect(told()).toEqual(["changed", "gone", "same"]);
    jobs.onList([job("same"), job("changed", ENDED), job("new")]);
    expect(told()).toEqual(["changed", "gone", "new"]);
    expect(observed.find("gone")).toEqual([]);
  });

  test("a Pod is told as its operation", () => {
    handlersOf("s").pods.onChange(ours("pod-1", "a"));
    expect(told()).toEqual(["a"]);
  });

  test("Jobs of another database, and objects without our labels, are neither kept nor told", () => {
    const { jobs, pods } = handlersOf("s");
    const foreign = ours("x", "a", { database: "theirs" });
    jobs.onList([foreign, { metadata: { name: "y" } }, {}]);
    jobs.onChange(foreign);
    pods.onChange(foreign);
    jobs.onDelete(foreign);
    expect([told(), observed.find("a"), observed.sizes]).toEqual([[], [], { jobs: 0, pods: 0 }]);
  });
});

describe("what is found", () => {
  test("an operation's Jobs, one for each attempt, each with its own Pods", () => {
    const { jobs, pods } = handlersOf("s");
    jobs.onChange(job("a"));
    jobs.onChange(ours("job-a-2", "a"));
    pods.onChange(ours("pod-1", "a"));
    const found = observed.find("a");
    expect(found.map((one) => [one.job.name, one.pods.map(({ name }) => name), one.scope])).toEqual([
      ["job-a", ["pod-1"], "s"],
      ["job-a-2", [], "s"],
    ]);
  });

  test("a Job of the same name with another uid is another Job", () => {
    const { jobs } = handlersOf("s");
    jobs.onChange(job("a", {}, "1"));
    jobs.onChange(job("a", {}, "2"));
    jobs.onDelete(job("a", {}, "1"));
    expect(observed.find("a").map((one) => one.job.uid)).toEqual(["2"]);
  });

  test("live Jobs: each once, whichever watches show it, and whether a node took its Pod", () => {
    const scheduled = (status: string, reason: string): Raw => ({
      status: { conditions: [{ type: "PodScheduled", status, reason }] },
    });
    for (const scope of ["one", "two"]) {
      const { jobs, pods } = handlersOf(scope);
      jobs.onList([job("a"), job("b"), job("c"), job("d", ENDED)]);
      pods.onList([
        ours("pod-a", "a", { more: scheduled("True", "") }),
        ours("pod-b", "b", { more: scheduled("False", "Unschedulable") }),
      ]);
    }
    const live = [...observed.liveJobs()].map(({ job: { operation }, node }) => [operation, node]);
    expect(live).toEqual([
      ["a", "taken"],
      ["b", "refused"],
      ["c", "undecided"],
    ]);
    expect([observed.hasAttempt("d", 1), observed.hasAttempt("d", 2)]).toEqual([true, false]);
  });

  test("live Jobs tell the present, however often they are asked for", () => {
    const { jobs, pods } = handlersOf("s");
    const conditions = [{ type: "PodScheduled", status: "True" }];
    const now = () => [...observed.liveJobs()].map(({ node }) => node);
    jobs.onChange(job("a"));
    expect(now()).toEqual(["undecided"]);
    pods.onChange(ours("pod-a", "a", { more: { status: { conditions } } }));
    expect(now()).toEqual(["taken"]);
    pods.onDelete(ours("pod-a", "a", { more: { status: { conditions } } }));
    expect(now()).toEqual(["undecided"]);
    jobs.onChange(job("a", ENDED));
    expect(now()).toEqual([]);
    jobs.onChange(job("a", {}, "another"));
    expect(now()).toEqual(["undecided"]);
    observed.forget("s");
    expect(now()).toEqual([]);
  });

  test("live: operations with a Job that has not ended", () => {
    const { jobs } = handlersOf("s");
    jobs.onList([job("a"), job("b", ENDED)]);
    expect([observed.live(), observed.hasLive("s"), observed.hasLive("other")]).toEqual([["a"], true, false]);
    jobs.onChange(job("a", ENDED));
    expect([observed.live(), observed.hasLive("s")]).toEqual([[], false]);
  });
});

describe("a Pod that is gone", () => {
  const RUNS = { status: { phase: "Running", containerStatuses: [{ name: "a", state: { running: {} } }] } };
  const DISRUPTED = {
    status: { conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }] },
  };
  const pod = (more: Raw = RUNS): Raw => ours("pod-1", "a", { more });
  const seenPods = () => observed.find("a").flatMap(({ pods }) => pods);

  test("is kept as it was last seen, for it may have been the only one to know why its Job failed", () => {
    const { jobs, pods } = handlersOf("s");
    jobs.onChange(job("a"));
    pods.onChange(pod());
    told();
    pods.onDelete(pod(DISRUPTED));
    expect(told()).toEqual(["a"]);
    expect(seenPods()).toMatchObject([
      { gone: true, deleting: true, conditions: [{ reason: "PreemptionByScheduler" }] },
    ]);
    pods.onDelete(pod(DISRUPTED));
    pods.onList([]);
    expect([told(), seenPods().length, observed.sizes]).toEqual([[], 1, { jobs: 1, pods: 1 }]);
  });

  test("is known also where a list without it was the first to tell", () => {
    const { jobs, pods } = handlersOf("s");
    jobs.onChange(job("a"));
    pods.onList([pod()]);
    told();
    pods.onList([]);
    expect([told(), seenPods().map(({ gone }) => gone)]).toEqual([["a"], [true]]);
  });

  test("is forgotten with its Job, whichever goes first", () => {
    const { jobs, pods } = handlersOf("s");
    jobs.onChange(job("a"));
    pods.onChange(pod());
    pods.onDelete(pod());
    jobs.onDelete(job("a"));
    expect(observed.sizes).toEqual({ jobs: 0, pods: 0 });
    jobs.onChange(job("a"));
    pods.onChange(pod());
    jobs.onDelete(job("a"));
    expect(observed.pods("a").map(({ name, gone }) => [name, gone])).toEqual([["pod-1", false]]);
    pods.onDelete(pod());
    expect(observed.sizes).toEqual({ jobs: 0, pods: 0 });
  });

  test("is not that of a Job of the same name that was made later", () => {
    const { jobs, pods } = handlersOf("s");
    const of = (uid: string): Raw => {
      const made = ours("pod-1", "a", { uid: `pod-of-${uid}` });
      const metadata = made["metadata"] as Raw;
      const labels = { ...(metadata["labels"] as Raw), "batch.kubernetes.io/controller-uid": uid };
      return { ...made, metadata: { ...metadata, labels } };
    };
    jobs.onChange(job("a", {}, "new"));
    pods.onChange(of("old"));
    pods.onChange(of("new"));
    expect(seenPods().map(({ uid }) => uid)).toEqual(["pod-of-new"]);
  });
});

describe("scopes", () => {
  test("an empty list of one scope forgets nothing of another", () => {
    handlersOf("one").jobs.onList([job("a")]);
    handlersOf("two").jobs.onList([job("b")]);
    told();
    handlersOf("one").jobs.onList([]);
    expect([told(), observed.find("b").length]).toEqual([["a"], 1]);
  });

  test("a Job that two scopes show is found once, with its Pods once, until neither shows it", () => {
    for (const scope of ["one", "two"]) {
      handlersOf(scope).jobs.onChange(job("a"));
      handlersOf(scope).pods.onChange(ours("pod-1", "a"));
    }
    expect(observed.find("a").map(({ pods }) => pods.length)).toEqual([1]);
    handlersOf("one").jobs.onDelete(job("a"));
    expect(observed.find("a").map(({ scope }) => scope)).toEqual(["two"]);
    handlersOf("two").jobs.onDelete(job("a"));
    expect(observed.find("a")).toEqual([]);
  });

  test("a scope that is no longer watched is forgotten: nothing is concluded from that", () => {
    const { jobs, pods } = handlersOf("s");
    jobs.onChange(job("a"));
    pods.onChange(ours("pod-1", "a"));
    told();
    observed.forget("s");
    expect([told(), observed.sizes]).toEqual([[], { jobs: 0, pods: 0 }]);
  });
});

test("what is kept grows and shrinks with what exists", () => {
  const { jobs } = handlersOf("s");
  const many = Array.from({ length: 1_000 }, (_, i) => job(`op-${i}`));
  jobs.onList(many);
  expect(observed.sizes.jobs).toBe(1_000);
  for (const one of many.slice(0, 500)) jobs.onDelete(one);
  jobs.onList(many.slice(900));
  expect(observed.sizes.jobs).toBe(100);
});
