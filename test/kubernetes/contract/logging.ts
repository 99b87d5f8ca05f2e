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
