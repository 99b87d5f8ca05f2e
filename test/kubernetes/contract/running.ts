// Jobs and their Pods from creation to end: conditions, counters, labels, deadlines, tries, suspension, tidying up.
import { expect, test } from "@jest/globals";
import { LABELS } from "../../../src/clusters/observation.ts";
import type { Thing } from "../client.ts";
import { seen } from "../seen.ts";
import { job, suspended } from "./jobs.ts";
import { condition, type Space, type World } from "./space.ts";

const ended = (space: Space, name: string, ms?: number): Promise<Thing> =>
  seen(
    `the end of ${name}`,
    async () => {
      const found = await space.find(name);
      return condition(found, "Complete") || condition(found, "Failed") ? found : undefined;
    },
    ms,
  );

const told = (thing: Thing): string[] =>
  (thing.status.conditions ?? [])
    .filter(({ status }) => status === "True")
    .map(({ type, reason }) => `${type} ${reason}`);

export function runningCases(world: () => World): void {
  test("that succeeds is Complete, with its times and counters", async () => {
    const space = await world().space();
    await space.create(job("good", { does: "succeed" }));
    const end = await ended(space, "good");
    expect(told(end)).toEqual(["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    expect(condition(end, "Complete")?.message).toBe("Reached expected number of succeeded pods");
    expect(end.status).toMatchObject({
      succeeded: 1,
      ready: 0,
      startTime: expect.stringMatching(/Z$/),
      completionTime: expect.stringMatching(/Z$/),
    });
    expect(end.status["active"] ?? 0).toBe(0);
    const [pod] = await space.podsOf("good");
    expect(pod?.status.phase).toBe("Succeeded");
    expect(pod?.status.containerStatuses?.[0]?.state["terminated"]).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test("whose worker exits with 3 is Failed, and the Pod keeps the exit code", async () => {
    const space = await world().space();
    await space.create(job("bad", { does: "exit-3" }));
    const end = await ended(space, "bad");
    expect(told(end)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    expect(condition(end, "Failed")?.message).toBe("Job has reached the specified backoff limit");
    expect(end.status).toMatchObject({ failed: 1, ready: 0 });
    expect(end.status).not.toHaveProperty("completionTime");
    const [pod] = await space.podsOf("bad");
    expect(pod?.status.phase).toBe("Failed");
    const terminated = pod?.status.containerStatuses?.[0]?.state["terminated"];
    expect(terminated).toMatchObject({
      exitCode: 3,
      reason: "Error",
      startedAt: expect.stringMatching(/Z$/),
      finishedAt: expect.stringMatching(/Z$/),
    });
  });

  test("that runs has one active Pod, owned and labelled by it", async () => {
    const space = await world().space();
    const { metadata } = await space.create(job("runs"));
    const pod = await space.pod("runs", "Running");
    expect(pod.metadata.name).toMatch(/^runs-[a-z0-9]{5}$/);
    expect(pod.metadata.labels).toEqual({
      [LABELS.operation]: "runs",
      "batch.kubernetes.io/controller-uid": metadata.uid,
      "batch.kubernetes.io/job-name": "runs",
      "controller-uid": metadata.uid,
      "job-name": "runs",
    });
    expect(pod.metadata.annotations).toHaveProperty("plane/hang");
    expect(pod.metadata.ownerReferences).toEqual([
      {
        apiVersion: "batch/v1",
        kind: "Job",
        name: "runs",
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    const found = await seen("an active Pod", async () => {
      const now = await space.find("runs");
      return now?.status["active"] === 1 ? now : undefined;
    });
    expect(found.status["startTime"]).toMatch(/Z$/);
    expect(told(found)).toEqual([]);
    expect(pod.status.containerStatuses?.[0]?.state["running"]).toMatchObject({
      startedAt: expect.stringMatching(/Z$/),
    });
  });

  test("over its activeDeadlineSeconds is Failed with DeadlineExceeded, and its Pod is deleted", async () => {
    const space = await world().space();
    await space.create(job("late", { spec: { activeDeadlineSeconds: 1 } }));
    const end = await ended(space, "late");
    expect(told(end)).toEqual(["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
    expect(condition(end, "Failed")?.message).toBe("Job was active longer than specified deadline");
    await seen("its Pod gone", async () => (await space.podsOf("late")).length === 0);
  });

  test("over its deadline is as good as Failed while its Pod is on its way out, and Failed when it is gone", async () => {
    const space = await world().space();
    const slow = { does: "linger", pod: { terminationGracePeriodSeconds: 10 } } as const;
    await space.create(job("late", { ...slow, spec: { activeDeadlineSeconds: 1 } }));
    const target = await seen("its end decided", async () => {
      const found = await space.find("late");
      return condition(found, "FailureTarget") && found;
    });
    expect(told(target)).toEqual(["FailureTarget DeadlineExceeded"]);
    expect((await space.podsOf("late"))[0]?.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(told(await ended(space, "late"))).toEqual(["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
    expect(await space.podsOf("late")).toEqual([]);
  });

  test("that is suspended has all the time of its deadline left when it is resumed", async () => {
    const space = await world().space();
    // The Job controller tells of a success a second late: too late for a deadline of one.
    const spec = { suspend: true, activeDeadlineSeconds: 3 };
    await space.create(job("queued", { does: "succeed", spec }));
    const created = performance.now();
    await seen("more than its deadline gone", () => performance.now() - created > 3_500);
    const headers = { "content-type": "application/merge-patch+json" };
    await world().admin.send("PATCH", `${space.jobs}/queued`, { body: { spec: { suspend: false } }, headers });
    expect(told(await ended(space, "queued"))).toEqual([
      "SuccessCriteriaMet CompletionsReached",
      "Complete CompletionsReached",
    ]);
  });

  test("that is suspended while it runs loses its Pod without a failure, and gets another one when it is resumed", async () => {
    const space = await world().space();
    const { admin } = world();
    const headers = { "content-type": "application/merge-patch+json" };
    const suspend = (yes: boolean) =>
      admin.send("PATCH", `${space.jobs}/yields`, { body: { spec: { suspend: yes } }, headers });
    await space.create(job("yields"));
    const first = await space.pod("yields", "Running");
    await suspend(true);
    await seen("its Pod gone", async () => (await space.podsOf("yields")).length === 0);
    const waiting = await seen("it suspended", async () => {
      const found = await space.find("yields");
      return condition(found, "Suspended") && found;
    });
    expect(waiting.status["failed"] ?? 0).toBe(0);
    await suspend(false);
    const second = await space.pod("yields", "Running");
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
  });

  test("whose Pod somebody deletes is Failed, and its Pod is not there to ask", async () => {
    const space = await world().space();
    await space.create(job("robbed"));
    const { metadata } = await space.pod("robbed", "Running");
    await world().admin.send("DELETE", `${space.pods}/${metadata.name}`);
    const end = await ended(space, "robbed");
    expect(told(end)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    await seen("its Pod gone", async () => (await space.podsOf("robbed")).length === 0);
  });

  test("with a time to live of 0 is gone as soon as it has ended", async () => {
    const space = await world().space();
    await space.create(job("brief", { does: "succeed", spec: { ttlSecondsAfterFinished: 0 } }));
    await seen("the Job gone", async () => (await space.find("brief")) === undefined);
  });

  test("with a backoffLimit of 1 gets a second Pod before it is Failed", async () => {
    const space = await world().space();
    await space.create(job("tries", { does: "exit-3", spec: { backoffLimit: 1 } }));
    const end = await ended(space, "tries", 40_000);
    expect(told(end)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    expect(end.status).toMatchObject({ failed: 2 });
    expect(await space.podsOf("tries")).toHaveLength(2);
  }, 60_000);

  test("that is suspended has no Pod until it is resumed", async () => {
    const space = await world().space();
    await space.create(suspended("waits", { does: "succeed" }));
    const waiting = await seen("it suspended", async () => {
      const found = await space.find("waits");
      return condition(found, "Suspended") && found;
    });
    expect(told(waiting)).toEqual(["Suspended JobSuspended"]);
    expect(waiting.status).not.toHaveProperty("startTime");
    expect(await space.podsOf("waits")).toEqual([]);
    const headers = { "content-type": "application/merge-patch+json" };
    await world().admin.send("PATCH", `${space.jobs}/waits`, { body: { spec: { suspend: false } }, headers });
    const end = await ended(space, "waits");
    expect(told(end)).toEqual(["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    expect(end.status.conditions?.find(({ type }) => type === "Suspended")).toMatchObject({
      status: "False",
      reason: "JobResumed",
      message: "Job resumed",
    });
  });

  test("is tidied up with its Pod ttlSecondsAfterFinished after its end", async () => {
    const space = await world().space();
    await space.create(job("tidy", { does: "succeed", spec: { ttlSecondsAfterFinished: 1 } }));
    await ended(space, "tidy");
    await seen("the Job gone", async () => (await space.find("tidy")) === undefined);
    await seen("its Pod gone", async () => (await space.podsOf("tidy")).length === 0);
  });

  test.each([
    ["cpu beyond any node", { container: { resources: { requests: { cpu: "100000" } } } }, "1 Insufficient cpu."],
    [
      "a GPU that no node has",
      { container: { resources: { limits: { "nvidia.com/gpu": "1" } } } },
      "1 Insufficient nvidia.com/gpu.",
    ],
    [
      "a node that is not there",
      { pod: { nodeSelector: { disk: "none" } } },
      "1 node(s) didn't match Pod's node affinity/selector.",
    ],
  ])("that wants %s waits, and its Pod says why", async (_what, changes, why) => {
    const space = await world().space();
    await space.create(job("homeless", changes));
    const pod = await seen("the scheduler's word", async () =>
      (await space.podsOf("homeless")).find(({ status }) => status.conditions !== undefined),
    );
    expect(pod.status.phase).toBe("Pending");
    const scheduled = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
    expect(scheduled).toMatchObject({ status: "False", reason: "Unschedulable" });
    expect(scheduled?.message).toBe(
      `0/1 nodes are available: ${why} preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
    );
  });
}
