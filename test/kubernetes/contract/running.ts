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

  test("whose service account is missing gets no Pod, and an event says why", async () => {
    const space = await world().space();
    await space.create(job("stranger", { pod: { serviceAccountName: "nobody" } }));
    const event = await seen("the event", async () => {
      const query = { fieldSelector: "involvedObject.name=stranger,reason=FailedCreate" };
      const { body } = await world().admin.send("GET", `/api/v1/namespaces/${space.name}/events`, { query });
      return body.items[0];
    });
    expect(event).toMatchObject({ type: "Warning", involvedObject: { kind: "Job", name: "stranger" } });
    expect(event.message).toBe(
      `Error creating: pods "stranger-" is forbidden: error looking up service account ${space.name}/nobody: serviceaccount "nobody" not found`,
    );
    expect(await space.podsOf("stranger")).toEqual([]);
  });

  test("tells its story in events", async () => {
    const space = await world().space();
    await space.create(job("story", { does: "succeed" }));
    await ended(space, "story");
    const [pod] = await space.podsOf("story");
    const events = await seen("two events of the Job", async () => {
      const query = { fieldSelector: "involvedObject.kind=Job,involvedObject.name=story" };
      const { body } = await world().admin.send("GET", `/api/v1/namespaces/${space.name}/events`, { query });
      return body.items.length === 2 ? body.items : undefined;
    });
    const lines = events.map(({ reason, message }) => `${reason}: ${message}`);
    expect(lines.toSorted()).toEqual([
      "Completed: Job completed",
      `SuccessfulCreate: Created pod: ${pod?.metadata.name}`,
    ]);
  });
}
