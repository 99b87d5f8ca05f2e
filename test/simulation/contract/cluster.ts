// What opjob needs of a cluster: one suite, through opjob's own client, run on the local Kubernetes server (whose contract with
// a real one is test/kubernetes/) and on the simulated one. Knows opjob's client; nothing of how the servers are made.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Cluster, RawObject } from "../../../src/clusters/kubernetes.ts";
import { DATABASE_ANNOTATION, type JobView, jobEnd, LABELS, viewJob } from "../../../src/clusters/observation.ts";

export type ServedCluster = {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Waits, in the server's own time, until a look gives something. */
  readonly seen: <T>(what: string, look: () => Promise<T | undefined | false>) => Promise<T>;
  /** From now on every resourceVersion of the past is too old. */
  readonly forgetHistory: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type Deed = "succeed" | "fail" | "hang";

/** Operations whose workers the servers know to play: by their ids' last digit. */
export const DEEDS: Readonly<Record<Deed, string>> = { succeed: "1", fail: "2", hang: "3" };

/** An operation's id that says what its worker does. */
export const operationFor = (nth: number, deed: Deed): string => `${nth}`.padStart(23, "a") + DEEDS[deed];

const ANNOTATIONS: Readonly<Record<Deed, Record<string, string>>> = {
  succeed: { "local/run-for-ms": "50" },
  fail: { "local/run-for-ms": "50", "local/exit-code": "3" },
  hang: {},
};

let count = 0;

function manifest(deed: Deed, spec: object = {}): { name: string; body: object; operation: string } {
  const operation = operationFor(++count, deed);
  const name = `job-${operation}`;
  const labels = { [LABELS.operation]: operation, [LABELS.attempt]: "2" };
  const annotations = { [DATABASE_ANNOTATION]: "contract", ...ANNOTATIONS[deed] };
  const template = {
    metadata: { labels, annotations },
    spec: { restartPolicy: "Never", containers: [{ name: "worker", image: "contract/worker:1" }] },
  };
  const body = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels, annotations },
    spec: { backoffLimit: 0, ...spec, template },
  };
  return { name, body, operation };
}

export function describeCluster(name: string, open: () => Promise<ServedCluster>): void {
  describe(`${name}:`, () => {
    let served: ServedCluster;
    beforeAll(async () => {
      served = await open();
    });
    afterAll(() => served[Symbol.asyncDispose]());

    const create = async (deed: Deed = "hang", spec: object = {}): Promise<JobView> => {
      const { name: job, body } = manifest(deed, spec);
      const created = await served.cluster.createJob(served.namespace, job, body);
      if (created.kind !== "created") throw new Error("it exists already");
      return created.job;
    };
    const get = (job: JobView): Promise<JobView | undefined> => served.cluster.getJob(job.namespace, job.name);
    const ended = (job: JobView) =>
      served.seen("the Job's end", async () => {
        const now = await get(job);
        return now && jobEnd(now);
      });
    const list = async (): Promise<{ objects: RawObject[]; version: string }> => {
      const objects: RawObject[] = [];
      let token: string | undefined;
      for (;;) {
        const page = await served.cluster.listPage("jobs", served.namespace, token);
        if (page === undefined) throw new Error("the token is too old");
        objects.push(...page.items);
        token = page.continue;
        if (token === undefined) return { objects, version: page.resourceVersion };
      }
    };

    test("a Job is created once, and is found as it was made", async () => {
      const { name: job, body, operation } = manifest("hang");
      const first = await served.cluster.createJob(served.namespace, job, body);
      expect(first).toMatchObject({ kind: "created", warnings: [] });
      expect(await served.cluster.createJob(served.namespace, job, body)).toEqual({ kind: "exists" });
      const found = await served.cluster.getJob(served.namespace, job);
      expect(found).toMatchObject({ name: job, operation, attempt: 2, database: "contract", deleting: false });
      expect(found?.uid).not.toBe("");
      expect(Date.parse(found?.createdAt ?? "")).toBeGreaterThan(0);
      expect(first.kind === "created" && first.job.uid).toBe(found?.uid);
    });

    test("nothing is created in a namespace that does not exist", async () => {
      const { name: job, body } = manifest("hang");
      const creating = served.cluster.createJob("nowhere", job, body);
      await expect(creating).rejects.toMatchObject({ code: "CLUSTER_NAMESPACE_MISSING" });
    });

    test("what is not there is not found, and is gone when it is deleted", async () => {
      expect(await served.cluster.getJob(served.namespace, "none")).toBeUndefined();
      expect(await served.cluster.deleteJob(served.namespace, "none", "any")).toBe(true);
    });

    test("a Job is deleted by its uid only, and its Pods after it", async () => {
      const job = await create();
      await served.seen("its Pod", async () => (await served.cluster.podsOf(job)).length === 1);
      expect(await served.cluster.deleteJob(job.namespace, job.name, "another")).toBe(false);
      expect((await get(job))?.uid).toBe(job.uid);
      expect(await served.cluster.deleteJob(job.namespace, job.name, job.uid)).toBe(true);
      await served.seen("it is gone", async () => (await get(job)) === undefined);
      await served.seen("its Pods are gone", async () => (await served.cluster.podsOf(job)).length === 0);
    });

    test("a Job has one Pod, with our labels, which is scheduled and runs", async () => {
      const job = await create();
      const pod = await served.seen("the Pod runs", async () =>
        (await served.cluster.podsOf(job)).find(({ phase }) => phase === "Running"),
      );
      expect(pod).toMatchObject({ job: job.name, operation: job.operation, database: "contract", deleting: false });
      expect(pod.conditions).toContainEqual(expect.objectContaining({ type: "PodScheduled", status: "True" }));
      expect(pod.containers[0]?.startedAt).toBeDefined();
      expect((await served.cluster.podsOf(job)).length).toBe(1);
    });

    test.each([
      ["succeed", "complete", 0],
      ["fail", "failed", 3],
    ] as const)("a Job whose worker does %s is %s", async (deed, outcome, exitCode) => {
      const job = await create(deed);
      expect((await ended(job)).outcome).toBe(outcome);
      const [pod] = await served.cluster.podsOf(job);
      expect(pod?.containers[0]?.terminated?.exitCode).toBe(exitCode);
    });

    test("a finished Job is tidied up after its time", async () => {
      const job = await create("succeed", { ttlSecondsAfterFinished: 1 });
      await served.seen("it is gone", async () => (await get(job)) === undefined);
    });

    test("a list has every Job once, page by page", async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => create()));
      const names = (await list()).objects.map((object) => viewJob(object).name);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toEqual(expect.arrayContaining(made.map(({ name: job }) => job)));
    });

    test("a watch from a list's version tells all that comes after, in order", async () => {
      const { version } = await list();
      const job = await create("succeed");
      await ended(job);
      await served.cluster.deleteJob(job.namespace, job.name, job.uid);
      const told: string[] = [];
      const watching = await watch(version);
      await served.seen("the deletion", async () => {
        told.push(
          ...watching
            .take()
            .filter((event) => event.name === job.name)
            .map(({ type }) => type),
        );
        return told.includes("DELETED");
      });
      watching.stop();
      expect(told[0]).toBe("ADDED");
      expect(told.slice(1, -1).every((type) => type === "MODIFIED")).toBe(true);
    });

    test("a watch from a version that is too old says so, by its status or by an event", async () => {
      const { version } = await list();
      await create();
      served.forgetHistory();
      await create();
      const stop = new AbortController();
      const body = await served.cluster.watch("jobs", served.namespace, { resourceVersion: version }, stop.signal);
      if (body === undefined) return;
      const watching = await watch(version);
      await served.seen("410", async () => watching.take().some(({ type, code }) => type === "ERROR" && code === 410));
      watching.stop();
      stop.abort();
    });

    /** Opens a watch, and keeps what it tells. */
    async function watch(version: string) {
      const stop = new AbortController();
      const body = await served.cluster.watch("jobs", served.namespace, { resourceVersion: version }, stop.signal);
      if (body === undefined) throw new Error("the version is too old");
      let text = "";
      const reading = (async () => {
        for await (const chunk of body as AsyncIterable<Buffer>) text += String(chunk);
      })().catch(() => undefined);
      return {
        take: () => {
          const lines = text.split("\n");
          text = lines.pop() ?? "";
          return lines.filter((line) => line !== "").map(told);
        },
        stop: () => {
          stop.abort();
          body.destroy();
          void reading;
        },
      };
    }
  });
}

type Told = { readonly type: string; readonly name: string; readonly code: unknown };

function told(line: string): Told {
  const { type, object } = JSON.parse(line) as { type: string; object: RawObject };
  return { type, name: viewJob(object).name, code: object["code"] };
}
