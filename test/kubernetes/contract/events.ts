// Events: what they tell of a Job and its Pods, and how one object's are asked for.
import { expect, test } from "@jest/globals";
import type { Thing } from "../client.ts";
import { seen } from "../seen.ts";
import { job, suspended } from "./jobs.ts";
import { condition, type Space, type World } from "./space.ts";

const STRANGER = { pod: { serviceAccountName: "nobody" } };

export function eventCases(world: () => World): void {
  const list = async ({ name }: Space, fieldSelector: string, more: object = {}): Promise<readonly Thing[]> => {
    const query = { fieldSelector, ...more };
    return (await world().admin.send("GET", `/api/v1/namespaces/${name}/events`, { query })).body.items;
  };
  const refusal = (space: Space, of: string, count = 1): Promise<Thing> =>
    seen("the refusal", async () => {
      const [event] = await list(space, `involvedObject.name=${of},reason=FailedCreate`);
      return event && event.count >= count && event;
    });

  test("tell why a Job gets no Pod: its service account is missing", async () => {
    const space = await world().space();
    await space.create(job("stranger", STRANGER));
    const event = await refusal(space, "stranger");
    expect(event).toMatchObject({ type: "Warning", involvedObject: { kind: "Job", name: "stranger" } });
    expect(event.message).toBe(
      `Error creating: pods "stranger-" is forbidden: error looking up service account ${space.name}/nobody: serviceaccount "nobody" not found`,
    );
    expect(await space.podsOf("stranger")).toEqual([]);
  });

  test("tell a Job's story", async () => {
    const space = await world().space();
    await space.create(job("story", { does: "succeed" }));
    const events = await seen("two events of the Job", async () => {
      const found = await list(space, "involvedObject.kind=Job,involvedObject.name=story");
      return found.length === 2 && found;
    });
    const [pod] = await space.podsOf("story");
    const lines = events.map(({ reason, message }) => `${reason}: ${message}`);
    expect(lines.toSorted()).toEqual([
      "Completed: Job completed",
      `SuccessfulCreate: Created pod: ${pod?.metadata.name}`,
    ]);
  });

  test("tell why a Job was ended", async () => {
    const space = await world().space();
    await space.create(job("late", { spec: { activeDeadlineSeconds: 1 } }));
    await seen("its end", async () => condition(await space.find("late"), "Failed") !== undefined);
    const [event] = await seen("the word of it", async () => {
      const found = await list(space, "involvedObject.name=late,reason=DeadlineExceeded");
      return found.length > 0 && found;
    });
    expect(event).toMatchObject({ type: "Warning", message: "Job was active longer than specified deadline" });
  });

  test("tell a Pod's way to its node", async () => {
    const space = await world().space();
    await space.create(job("placed"));
    const { metadata } = await space.pod("placed", "Running");
    const [event] = await seen("the scheduler's word", async () => {
      const found = await list(space, `involvedObject.uid=${metadata.uid},reason=Scheduled`);
      return found.length > 0 && found;
    });
    expect(event?.message).toMatch(new RegExp(`^Successfully assigned ${space.name}/${metadata.name} to \\S+$`));
  });

  test("that say the same are counted in one", async () => {
    const space = await world().space();
    const { metadata } = await space.create(job("stranger", STRANGER));
    const event = await refusal(space, "stranger", 2);
    expect(event).toMatchObject({
      involvedObject: { uid: metadata.uid, apiVersion: "batch/v1", namespace: space.name },
      firstTimestamp: expect.stringMatching(/Z$/),
      lastTimestamp: expect.stringMatching(/Z$/),
    });
    expect(await list(space, `involvedObject.uid=${metadata.uid},reason=FailedCreate`)).toHaveLength(1);
  });

  test("of one object are had by its uid, and by its name, as opjob's client asks", async () => {
    const { cluster, space } = world();
    const here = await space();
    const { metadata } = await here.create(job("mine"));
    const pod = await here.pod("mine", "Running");
    await here.create(job("other"));
    await here.pod("other", "Running");
    const ofJob = await seen("the Job's", async () => {
      const found = await cluster.events(here.name, { uid: metadata.uid });
      return found.length > 0 && found;
    });
    expect(ofJob).toEqual([
      { kind: "Job", uid: metadata.uid, reason: "SuccessfulCreate", message: `Created pod: ${pod.metadata.name}` },
    ]);
    const ofPod = await seen("the Pod's", async () => {
      const found = await cluster.events(here.name, { name: pod.metadata.name });
      return found.length > 0 && found;
    });
    expect(new Set(ofPod.map(({ kind }) => kind))).toEqual(new Set(["Pod"]));
  });

  test("of all Jobs that were refused their Pods are had at once, as opjob's client asks", async () => {
    const { cluster, space } = world();
    const here = await space();
    const jobs = [await here.create(job("one", STRANGER)), await here.create(job("two", STRANGER))];
    await here.create(job("fine"));
    const refused = await seen("both", async () => {
      const found = await cluster.events(here.name, { reason: "FailedCreate" });
      return new Set(found.map(({ uid }) => uid)).size === 2 && found;
    });
    expect(new Set(refused.map(({ uid }) => uid))).toEqual(new Set(jobs.map(({ metadata }) => metadata.uid)));
  });

  test("outlive their object", async () => {
    const { cluster, space } = world();
    const here = await space();
    const { metadata } = await here.create(job("short"));
    await here.pod("short", "Running");
    await seen("its Event", async () => (await cluster.events(here.name, { uid: metadata.uid })).length > 0);
    await cluster.deleteJob(here.name, "short", metadata.uid);
    await seen("the Job gone", async () => (await here.find("short")) === undefined);
    expect((await cluster.events(here.name, { uid: metadata.uid }))[0]?.reason).toBe("SuccessfulCreate");
  });

  test("of nobody are none, in a namespace as in one that does not exist", async () => {
    const { cluster, space } = world();
    const here = await space();
    await here.create(suspended("quiet"));
    expect(await cluster.events(here.name, { name: "nobody" })).toEqual([]);
    expect(await cluster.events("nowhere", { name: "nobody" })).toEqual([]);
  });

  test("come in pages, too", async () => {
    const space = await world().space();
    await space.create(job("one"));
    await space.pod("one", "Running");
    await seen("two Events", async () => (await list(space, "type=Normal")).length > 1);
    expect(await list(space, "type=Normal", { limit: 1 })).toHaveLength(1);
  });

  test("are not selected by what they do not have", async () => {
    const { admin, space } = world();
    const { name } = await space();
    const query = { fieldSelector: "spec.x=1" };
    const { code, body } = await admin.send("GET", `/api/v1/namespaces/${name}/events`, { query });
    expect(code).toBe(400);
    expect(body).toMatchObject({ reason: "BadRequest", message: "field label not supported: spec.x" });
  });
}
