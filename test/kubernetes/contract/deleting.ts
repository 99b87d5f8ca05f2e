// Deletes: whom they meet, and what becomes of the Pods.
import { expect, test } from "@jest/globals";
import type { Query, Reply } from "../client.ts";
import { seen } from "../seen.ts";
import { job, suspended } from "./jobs.ts";
import { type Space, type World, warningsOf } from "./space.ts";

const OTHER_UID = "00000000-0000-0000-0000-000000000000";
const PRESERVED =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

export function deletingCases(world: () => World): void {
  const remove = ({ jobs }: Space, name: string, options?: object, query: Query = {}): Promise<Reply> =>
    world().admin.send("DELETE", `${jobs}/${name}`, {
      ...(options && { body: { kind: "DeleteOptions", apiVersion: "v1", ...options } }),
      query,
    });

  test("in the background answers with Success; the Job is gone at once, its Pod soon after", async () => {
    const space = await world().space();
    const { metadata } = await space.create(job("gone"));
    await space.pod("gone", "Running");
    const reply = await remove(space, "gone", { propagationPolicy: "Background" });
    expect(reply.code).toBe(200);
    expect(warningsOf(reply)).toEqual([]);
    expect(reply.body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "gone", group: "batch", kind: "jobs", uid: metadata.uid },
    });
    expect(await space.find("gone")).toBeUndefined();
    await seen("its Pod gone", async () => (await space.podsOf("gone")).length === 0);
  });

  test("of another uid's Job is 409 and leaves it alone, which opjob's client tells as a value", async () => {
    const { cluster } = world();
    const space = await world().space();
    const { metadata } = await space.create(suspended("kept"));
    const { code, body } = await remove(space, "kept", {
      propagationPolicy: "Background",
      preconditions: { uid: OTHER_UID },
    });
    expect(code).toBe(409);
    expect(body).toMatchObject({
      reason: "Conflict",
      message: expect.stringMatching(/^Operation cannot be fulfilled on (jobs|Job)\.batch "kept": /),
      details: { name: "kept", group: "batch" },
    });
    expect(body.message).toContain(
      `the UID in the precondition (${OTHER_UID}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
    expect(await cluster.deleteJob(space.name, "kept", OTHER_UID)).toBe(false);
    expect((await space.find("kept"))?.metadata).toMatchObject({ uid: metadata.uid });
    expect((await space.find("kept"))?.metadata).not.toHaveProperty("deletionTimestamp");
  });

  test("of another version is 409", async () => {
    const space = await world().space();
    await space.create(suspended("kept"));
    const { code, body } = await remove(space, "kept", {
      propagationPolicy: "Background",
      preconditions: { resourceVersion: "1" },
    });
    expect(code).toBe(409);
    expect(body.message).toContain(
      "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record",
    );
  });

  test("by opjob's client takes the Job and its Pod, and is the same when it is gone already", async () => {
    const { cluster } = world();
    const space = await world().space();
    const { metadata } = await space.create(job("ours"));
    await space.pod("ours", "Running");
    expect(await cluster.deleteJob(space.name, "ours", metadata.uid)).toBe(true);
    expect(await cluster.getJob(space.name, "ours")).toBeUndefined();
    expect(await cluster.deleteJob(space.name, "ours", metadata.uid)).toBe(true);
    await seen(
      "its Pod gone",
      async () => (await cluster.podsOf({ namespace: space.name, name: "ours" })).length === 0,
    );
  });

  test("of what is not there is 404", async () => {
    const space = await world().space();
    const { code, body } = await remove(space, "nope", { propagationPolicy: "Background" });
    expect(code).toBe(404);
    expect(body).toMatchObject({ message: 'jobs.batch "nope" not found', reason: "NotFound" });
  });

  test("in a namespace that does not exist is 404, and gone for opjob's client", async () => {
    const { admin, cluster } = world();
    const { code, body } = await admin.send("DELETE", "/apis/batch/v1/namespaces/nowhere/jobs/nope");
    expect(code).toBe(404);
    expect(body.message).toBe('jobs.batch "nope" not found');
    expect(await cluster.deleteJob("nowhere", "nope", OTHER_UID)).toBe(true);
  });

  test("once more of a Job that is on its way out changes nothing", async () => {
    const { cluster } = world();
    const space = await world().space();
    const { metadata } = await space.create(
      job("slow", { does: "linger", pod: { terminationGracePeriodSeconds: 10 } }),
    );
    await space.pod("slow", "Running");
    await remove(space, "slow", { propagationPolicy: "Foreground" });
    const marked = await cluster.getJob(space.name, "slow");
    expect(marked).toMatchObject({ deleting: true, uid: metadata.uid });
    expect(await cluster.deleteJob(space.name, "slow", metadata.uid)).toBe(true);
    await seen("the Job gone", async () => (await space.find("slow")) === undefined);
    await seen("its Pod gone", async () => (await space.podsOf("slow")).length === 0);
  });

  test("in the foreground keeps the Job, marked, until its Pod is gone", async () => {
    const space = await world().space();
    await space.create(job("front"));
    await space.pod("front", "Running");
    const { code, body } = await remove(space, "front", { propagationPolicy: "Foreground" });
    expect(code).toBe(200);
    expect(body.kind).toBe("Job");
    expect(body.metadata.finalizers).toEqual(["foregroundDeletion"]);
    expect(body.metadata.deletionTimestamp).toMatch(/Z$/);
    await seen("the Job gone", async () => (await space.find("front")) === undefined);
    expect(await space.podsOf("front")).toEqual([]);
  });

  test("that orphans leaves the Pod, without an owner", async () => {
    const space = await world().space();
    await space.create(job("parent"));
    await space.pod("parent", "Running");
    const { body } = await remove(space, "parent", { propagationPolicy: "Orphan" });
    expect(body.metadata.finalizers).toEqual(["orphan"]);
    await seen("the Job gone", async () => (await space.find("parent")) === undefined);
    const [orphan] = await space.podsOf("parent");
    expect(orphan?.metadata).toBeDefined();
    expect(orphan?.metadata).not.toHaveProperty("ownerReferences");
    expect(orphan?.metadata).not.toHaveProperty("deletionTimestamp");
  });

  test("without a policy orphans, and warns of it", async () => {
    const space = await world().space();
    await space.create(job("plain"));
    await space.pod("plain", "Running");
    const reply = await remove(space, "plain");
    expect(reply.code).toBe(200);
    expect(warningsOf(reply)).toEqual([PRESERVED]);
    await seen("the Job gone", async () => (await space.find("plain")) === undefined);
    expect(await space.podsOf("plain")).toHaveLength(1);
  });

  test("takes its options from the query where there is no body", async () => {
    const space = await world().space();
    await space.create(suspended("queried"));
    const { body } = await remove(space, "queried", undefined, { propagationPolicy: "Background" });
    expect(body).toMatchObject({ kind: "Status", status: "Success" });
    expect(await space.find("queried")).toBeUndefined();
  });

  test("with a body takes nothing from the query", async () => {
    const space = await world().space();
    await space.create(suspended("mixed"));
    const { code } = await remove(space, "mixed", { propagationPolicy: "Background" }, { dryRun: "All" });
    expect(code).toBe(200);
    expect(await space.find("mixed")).toBeUndefined();
  });

  test("as a dry run takes nothing", async () => {
    const space = await world().space();
    await space.create(suspended("tried"));
    const { code } = await remove(space, "tried", { propagationPolicy: "Background", dryRun: ["All"] });
    expect(code).toBe(200);
    expect((await space.find("tried"))?.metadata).not.toHaveProperty("deletionTimestamp");
  });

  test("with an unknown policy is 422", async () => {
    const space = await world().space();
    await space.create(suspended("kept"));
    const { code, body } = await remove(space, "kept", { propagationPolicy: "Never" });
    expect(code).toBe(422);
    expect(body.message).toBe(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"',
    );
  });

  test("frees the name: a Job made after it is another one", async () => {
    const space = await world().space();
    const first = await space.create(suspended("again"));
    await remove(space, "again", { propagationPolicy: "Background" });
    const second = await space.create(suspended("again"));
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
  });
}
