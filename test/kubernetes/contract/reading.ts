// Reads: one object, lists, their pages and selectors.
import { expect, test } from "@jest/globals";
import type { Thing } from "../client.ts";
import { job, suspended } from "./jobs.ts";
import type { Space, World } from "./space.ts";

const namesOf = ({ items }: Thing): string[] => items.map(({ metadata }) => metadata.name);
const LABELLED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "a-1": { app: "a", tier: "1" },
  "a-2": { app: "a", tier: "2" },
  "b-1": { app: "b", tier: "1" },
  none: {},
};

async function labelled(space: Space): Promise<void> {
  for (const [name, labels] of Object.entries(LABELLED)) await space.create(suspended(name, { metadata: { labels } }));
}

export function readingCases(world: () => World): void {
  test.each([
    ["jobs", "batch", 'jobs.batch "nope" not found'],
    ["pods", undefined, 'pods "nope" not found'],
  ] as const)("of one of the %s that does not exist is 404", async (kind, group, message) => {
    const { admin, space } = world();
    const here = await space();
    const { code, body } = await admin.send("GET", `${here[kind]}/nope`);
    expect(code).toBe(404);
    expect(body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason: "NotFound",
      details: { name: "nope", ...(group && { group }), kind },
      code: 404,
    });
  });

  test("of a Job in a namespace that does not exist is the same 404, which names the Job", async () => {
    const { code, body } = await world().admin.send("GET", "/apis/batch/v1/namespaces/nowhere/jobs/nope");
    expect(code).toBe(404);
    expect(body).toMatchObject({ reason: "NotFound", details: { name: "nope", group: "batch", kind: "jobs" } });
  });

  test("of a path that is none is a 404 that names nothing: opjob's client must not take it for a Job's", async () => {
    const { code, body } = await world().admin.send("GET", "/apis/batch/v9/namespaces/default/jobs/nope");
    expect(code).toBe(404);
    expect(body.details?.name).toBeUndefined();
  });

  test("by opjob's client of a Job that does not exist is undefined", async () => {
    const { cluster, space } = world();
    expect(await cluster.getJob((await space()).name, "nope")).toBeUndefined();
    expect(await cluster.getJob("nowhere", "nope")).toBeUndefined();
  });

  test("of a namespace that does not exist lists nothing", async () => {
    const { code, body } = await world().admin.send("GET", "/apis/batch/v1/namespaces/nowhere/jobs");
    expect(code).toBe(200);
    expect(body).toMatchObject({ kind: "JobList", apiVersion: "batch/v1", items: [] });
    expect(body.metadata.resourceVersion).toMatch(/^\d+$/);
  });

  test("of a namespace that does not exist watches in vain", async () => {
    const query = { watch: true, timeoutSeconds: 1 };
    const { code, text } = await world().admin.send("GET", "/apis/batch/v1/namespaces/nowhere/jobs", { query });
    expect({ code, text }).toEqual({ code: 200, text: "" });
  });

  test("of a list gives the objects by name, without kind and apiVersion of their own", async () => {
    const space = await world().space();
    for (const name of ["c", "a", "b"]) await space.create(suspended(name));
    const list = await space.list();
    expect(namesOf(list)).toEqual(["a", "b", "c"]);
    expect(list.items[0]).not.toHaveProperty("kind");
    expect(list.items[0]).not.toHaveProperty("apiVersion");
  });

  test("of all namespaces holds each one's", async () => {
    const { admin, space } = world();
    const spaces = [await space(), await space()];
    for (const one of spaces)
      await one.create(suspended("everywhere", { metadata: { labels: { everywhere: "yes" } } }));
    const { body } = await admin.send("GET", "/apis/batch/v1/jobs", { query: { labelSelector: "everywhere=yes" } });
    expect(body.items.map(({ metadata }) => metadata.namespace)).toEqual(
      expect.arrayContaining(spaces.map(({ name }) => name)),
    );
  });

  test("in pages is one moment's list, whatever is written meanwhile", async () => {
    const space = await world().space();
    for (const name of ["a", "b", "d", "e", "f"]) await space.create(suspended(name));
    const first = await space.list({ limit: 2 });
    expect(namesOf(first)).toEqual(["a", "b"]);
    expect(first.metadata.remainingItemCount).toBe(3);
    await space.create(suspended("c"));
    const pages = [first];
    for (let token = first.metadata.continue; token !== undefined; token = pages.at(-1)?.metadata.continue) {
      pages.push(await space.list({ limit: 2, continue: token }));
    }
    expect(pages.flatMap(namesOf)).toEqual(["a", "b", "d", "e", "f"]);
    expect(new Set(pages.map(({ metadata }) => metadata.resourceVersion)).size).toBe(1);
    expect(pages.at(-1)?.metadata).not.toHaveProperty("remainingItemCount");
    expect(namesOf(await space.list())).toContain("c");
  });

  test("in pages with a selector counts nothing that remains", async () => {
    const space = await world().space();
    await labelled(space);
    const first = await space.list({ limit: 1, labelSelector: "app" });
    expect(first.metadata).not.toHaveProperty("remainingItemCount");
    const token = first.metadata.continue ?? "";
    const second = await space.list({ limit: 1, labelSelector: "app", continue: token });
    expect([...namesOf(first), ...namesOf(second)]).toEqual(["a-1", "a-2"]);
  });

  test("in pages by opjob's client holds our own Jobs only", async () => {
    const { cluster, space } = world();
    const here = await space();
    await here.create(suspended("ours"));
    await here.create(suspended("theirs", { metadata: { labels: { app: "x" } } }));
    const page = await cluster.listPage("jobs", here.name, undefined);
    expect(page?.items.map(({ metadata }) => (metadata as { name: string }).name)).toEqual(["ours"]);
    expect(page?.continue).toBeUndefined();
    expect(page?.resourceVersion).toMatch(/^\d+$/);
  });

  test.each([
    ["app=a", ["a-1", "a-2"]],
    ["app==a,tier!=2", ["a-1"]],
    ["tier!=2", ["a-1", "b-1", "none"]],
    ["app in (b, c)", ["b-1"]],
    ["app notin (a)", ["b-1", "none"]],
    ["app", ["a-1", "a-2", "b-1"]],
    ["!app", ["none"]],
    ["app,tier in (1),app!=b", ["a-1"]],
  ])("with the label selector %s", async (labelSelector, names) => {
    const space = await world().space();
    await labelled(space);
    expect(namesOf(await space.list({ labelSelector }))).toEqual(names);
  });

  test.each([
    ["metadata.name=a-1", ["a-1"]],
    ["metadata.name!=a-1", ["a-2", "b-1", "none"]],
    ["metadata.namespace=default", []],
  ])("with the field selector %s", async (fieldSelector, names) => {
    const space = await world().space();
    await labelled(space);
    expect(namesOf(await space.list({ fieldSelector }))).toEqual(names);
  });

  test("of Pods can be by their phase and by their Job", async () => {
    const { admin, space } = world();
    const here = await space();
    await here.create(job("runs"));
    await here.create(job("done", { does: "succeed" }));
    const [runs, done] = [await here.pod("runs", "Running"), await here.pod("done", "Succeeded")];
    const list = async (query: Record<string, string>) => namesOf((await admin.send("GET", here.pods, { query })).body);
    expect(await list({ fieldSelector: "status.phase=Succeeded" })).toEqual([done.metadata.name]);
    expect(await list({ fieldSelector: `spec.nodeName!=,status.phase=Running` })).toEqual([runs.metadata.name]);
    expect(await list({ labelSelector: "batch.kubernetes.io/job-name=runs" })).toEqual([runs.metadata.name]);
  });

  test.each([
    ["labelSelector", "a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["labelSelector", "a==b==c", "found '==', expected: ',' or 'end of string'"],
    ["fieldSelector", "spec.x=1", 'field label "spec.x" not supported for Job'],
    ["fieldSelector", "nope", "invalid selector: 'nope'; can't understand 'nope'"],
    ["limit", "x", 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      "continue",
      "abc",
      "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    ],
  ])("with %s=%s is 400", async (option, value, message) => {
    const { admin, space } = world();
    const { code, body } = await admin.send("GET", (await space()).jobs, { query: { limit: 1, [option]: value } });
    expect(code).toBe(400);
    expect(body).toMatchObject({ reason: "BadRequest", message });
  });
}
