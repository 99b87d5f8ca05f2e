// Logs of containers: whole, their end, and what cannot be had.
import { expect, test } from "@jest/globals";
import type { Query, Reply, Thing } from "../client.ts";
import { seen } from "../seen.ts";
import { type Deed, job } from "./jobs.ts";
import type { Space, World } from "./space.ts";

const WHOLE = "line 1\nline 2\nline 3\nline 4\nline 5\n";

export function loggingCases(world: () => World): void {
  const read = ({ pods }: Space, pod: Thing | string, query: Query = {}): Promise<Reply> =>
    world().admin.send("GET", `${pods}/${typeof pod === "string" ? pod : pod.metadata.name}/log`, { query });

  /** A Pod that has written its lines. */
  async function written(does: Deed, phase: string): Promise<{ readonly space: Space; readonly pod: Thing }> {
    const space = await world().space();
    await space.create(job("talks", { does }));
    const pod = await space.pod("talks", phase);
    await seen("its lines", async () => (await read(space, pod)).text === WHOLE);
    return { space, pod };
  }

  test.each([
    ["hang", "Running"],
    ["succeed", "Succeeded"],
    ["exit-3", "Failed"],
  ] as const)("of a Pod that is to %s can be read while it is %s", async (does, phase) => {
    const { space, pod } = await written(does, phase);
    const { code, headers } = await read(space, pod);
    expect(code).toBe(200);
    expect(headers["content-type"]).toMatch(/^text\/plain/);
  });

  test.each([
    [{ tailLines: 2 }, "line 4\nline 5\n"],
    [{ tailLines: 0 }, ""],
    [{ tailLines: 99 }, WHOLE],
    [{ limitBytes: 9 }, "line 1\nli"],
    [{ container: "worker", tailLines: 1 }, "line 5\n"],
  ])("with %j", async (query, text) => {
    const { space, pod } = await written("hang", "Running");
    expect(await read(space, pod, query)).toMatchObject({ code: 200, text });
  });

  test("with timestamps begins each line with its time", async () => {
    const { space, pod } = await written("hang", "Running");
    const { text } = await read(space, pod, { timestamps: true, tailLines: 1 });
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) line 5\n$/);
  });

  test("of the run before can be read while a container runs that was started again", async () => {
    const { cluster, space } = world();
    const here = await space();
    const again = { spec: { backoffLimit: 3 }, pod: { restartPolicy: "OnFailure" } };
    await here.create(job("again", { does: "crash-once", ...again }));
    const pod = await seen("the second run", async () =>
      (await here.podsOf("again")).find(({ status }) => {
        const [one] = status.containerStatuses ?? [];
        return one?.restartCount === 1 && one.state["running"] !== undefined;
      }),
    );
    const before = pod.status.containerStatuses?.[0]?.lastState?.["terminated"];
    expect(before).toMatchObject({ exitCode: 7, reason: "Error" });
    const { code, text } = await read(here, pod, { previous: true });
    expect({ code, text }).toEqual({ code: 200, text: WHOLE });
    const query = { container: "worker", tailLines: 1, limitBytes: 100, previous: true };
    expect(await cluster.podLog(here.name, pod.metadata.name, query)).toBe("line 5\n");
  });

  test("can be read from a Pod that is deleted, as long as it is there", async () => {
    const { admin, cluster, space } = world();
    const here = await space();
    await here.create(job("goes", { does: "linger", pod: { terminationGracePeriodSeconds: 10 } }));
    const { metadata } = await here.pod("goes", "Running");
    await seen("its lines", async () => (await read(here, metadata.name)).text === WHOLE);
    await admin.send("DELETE", `${here.pods}/${metadata.name}`);
    const [going] = await here.podsOf("goes");
    expect(going?.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(await read(here, metadata.name, { tailLines: 1 })).toMatchObject({ code: 200, text: "line 5\n" });
    await seen("it gone", async () => (await read(here, metadata.name)).code === 404);
    const query = { container: "worker", tailLines: 5, limitBytes: 100 };
    expect(await cluster.podLog(here.name, metadata.name, query)).toBe("");
  });

  test.each([
    ["limitBytes", 0, "must be greater than 0"],
    ["sinceSeconds", 0, "must be greater than 0"],
  ])("with %s=%i is 422", async (option, value, why) => {
    const { space, pod } = await written("hang", "Running");
    const { code, body } = await read(space, pod, { [option]: value });
    expect(code).toBe(422);
    expect(body.message).toBe(
      `PodLogOptions "${pod.metadata.name}" is invalid: ${option}: Invalid value: ${value}: ${why}`,
    );
  });

  test("of a container that the Pod has not is 400", async () => {
    const { space, pod } = await written("hang", "Running");
    const { code, body } = await read(space, pod, { container: "nope" });
    expect(code).toBe(400);
    expect(body).toMatchObject({
      reason: "BadRequest",
      message: `container nope is not valid for pod ${pod.metadata.name}`,
    });
  });

  test("of one of two containers must be named", async () => {
    const space = await world().space();
    const [first, second] = ["one", "two"].map((name) => ({
      name,
      image: "contract/worker:1",
      command: ["/bin/sleep", "600"],
    }));
    await space.create(job("pair", { containers: [first, second] }));
    const pod = await space.pod("pair", "Running");
    const { code, body } = await read(space, pod);
    expect(code).toBe(400);
    expect(body.message).toBe(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [one two]`,
    );
  });

  test("of an init container can be read beside its Pod's own", async () => {
    const space = await world().space();
    const command = ["/bin/sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done"];
    const initContainers = [{ name: "first", image: "contract/worker:1", command }];
    await space.create(job("prepared", { pod: { initContainers } }));
    const pod = await space.pod("prepared", "Running");
    await seen("its lines", async () => (await read(space, pod, { container: "first" })).text === WHOLE);
  });

  test("with a negative tail is 422", async () => {
    const { space, pod } = await written("hang", "Running");
    const { code, body } = await read(space, pod, { tailLines: -1 });
    expect(code).toBe(422);
    expect(body.message).toBe(
      `PodLogOptions "${pod.metadata.name}" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0`,
    );
  });

  test("of a Pod that is not there is 404, and no log for opjob's client", async () => {
    const space = await world().space();
    const { code, body } = await read(space, "nope");
    expect(code).toBe(404);
    expect(body.message).toBe('pods "nope" not found');
    const query = { container: "worker", tailLines: 5, limitBytes: 100 };
    expect(await world().cluster.podLog(space.name, "nope", query)).toBe("");
  });

  test("of a Pod without a node is empty", async () => {
    const space = await world().space();
    await space.create(job("homeless", { container: { resources: { requests: { cpu: "100000" } } } }));
    const pod = await space.pod("homeless", "Pending");
    const { code, text } = await read(space, pod);
    expect({ code, text }).toEqual({ code: 204, text: "" });
  });
}
