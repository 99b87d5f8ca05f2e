// Watches: what comes, in which order, from where, with which selector, and how they end.
import { expect, test } from "@jest/globals";
import { LABELS } from "../../../src/clusters/observation.ts";
import type { Event, Query } from "../client.ts";
import { seen } from "../seen.ts";
import { job, suspended } from "./jobs.ts";
import { condition, type Space, type World } from "./space.ts";

const LONGEST_MS = 15_000;

type Watching = {
  readonly events: readonly Event[];
  readonly stop: () => Promise<void>;
  readonly ended: Promise<void>;
};

function watch({ admin }: World, path: string, query: Query = {}): Watching {
  const events: Event[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(LONGEST_MS)]);
  const ended = (async () => {
    for await (const event of admin.watch(path, query, signal)) events.push(event);
  })();
  ended.catch(() => undefined);
  const end = (): Promise<void> => {
    stop.abort();
    return ended;
  };
  return { events, ended, stop: end };
}

const told = (events: readonly Event[]): string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata.name}`);
const versionsOf = (events: readonly Event[]): number[] =>
  events.map(({ object }) => Number(object.metadata.resourceVersion));

/** A Job that the controller has looked at, so that nothing more changes by itself. */
async function settled(space: Space, name: string, labels: Record<string, string> = {}): Promise<void> {
  await space.create(suspended(name, { metadata: { labels: { [LABELS.operation]: name, ...labels } } }));
  await seen(`${name} suspended`, async () => condition(await space.find(name), "Suspended") !== undefined);
}

const relabel = async (
  { admin }: World,
  { jobs }: Space,
  name: string,
  labels: Record<string, string | null>,
): Promise<void> => {
  const headers = { "content-type": "application/merge-patch+json" };
  const { code, text } = await admin.send("PATCH", `${jobs}/${name}`, { body: { metadata: { labels } }, headers });
  if (code !== 200) throw new Error(text);
};

const BACKGROUND = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" };

export function watchingCases(world: () => World): void {
  test("from a list's version tells every later change, and nothing before", async () => {
    const { admin, space } = world();
    const here = await space();
    await settled(here, "before");
    const { metadata } = await here.list();
    const watching = watch(world(), here.jobs, { resourceVersion: metadata.resourceVersion });
    await settled(here, "after");
    await relabel(world(), here, "before", { touched: "yes" });
    await admin.send("DELETE", `${here.jobs}/before`, { body: BACKGROUND });
    await seen("the end of before", () => told(watching.events).includes("DELETED before"));
    await watching.stop();
    expect(told(watching.events)).toEqual(["ADDED after", "MODIFIED after", "MODIFIED before", "DELETED before"]);
    const versions = versionsOf(watching.events);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions[0]).toBeGreaterThan(Number(metadata.resourceVersion));
    expect(watching.events[0]?.object).toMatchObject({ kind: "Job", apiVersion: "batch/v1" });
  });

  test("goes on from the version of any event", async () => {
    const here = await world().space();
    const { metadata } = await here.list();
    await settled(here, "one");
    await settled(here, "two");
    const whole = watch(world(), here.jobs, { resourceVersion: metadata.resourceVersion });
    await seen("four events", () => whole.events.length === 4);
    await whole.stop();
    const resourceVersion = whole.events[1]?.object.metadata.resourceVersion ?? "";
    const rest = watch(world(), here.jobs, { resourceVersion });
    await seen("two events", () => rest.events.length === 2);
    await rest.stop();
    expect(rest.events).toEqual(whole.events.slice(2));
  });

  test("without a version begins with all that is there", async () => {
    const here = await world().space();
    await settled(here, "a");
    await settled(here, "b");
    const watching = watch(world(), here.jobs);
    await seen("two events", () => watching.events.length === 2);
    await settled(here, "c");
    await seen("the third", () => told(watching.events).includes("ADDED c"));
    await watching.stop();
    expect(told(watching.events).slice(0, 3)).toEqual(["ADDED a", "ADDED b", "ADDED c"]);
  });

  test("with a selector tells of what enters and leaves it, as if it began and ended", async () => {
    const here = await world().space();
    await settled(here, "in", { app: "x" });
    await settled(here, "out");
    const { metadata } = await here.list();
    const query = { resourceVersion: metadata.resourceVersion, labelSelector: "app=x" };
    const watching = watch(world(), here.jobs, query);
    await relabel(world(), here, "out", { app: "x" });
    await relabel(world(), here, "out", { more: "y" });
    await relabel(world(), here, "in", { app: null });
    await relabel(world(), here, "in", { app: "z" });
    await relabel(world(), here, "out", { app: "w" });
    await seen("the end of out", () => told(watching.events).includes("DELETED out"));
    await watching.stop();
    expect(told(watching.events)).toEqual(["ADDED out", "MODIFIED out", "DELETED in", "DELETED out"]);
    // Whoever goes on from a DELETED event must not see the change again that it stands for.
    const versions = versionsOf(watching.events);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    // What is told of an object that left is how it was inside.
    expect(watching.events[2]?.object.metadata.labels).toMatchObject({ app: "x" });
  });

  test("with a field selector tells of one object only", async () => {
    const here = await world().space();
    const watching = watch(world(), here.jobs, { fieldSelector: "metadata.name=wanted" });
    await settled(here, "other");
    await settled(here, "wanted");
    await seen("two events", () => watching.events.length === 2);
    await watching.stop();
    expect(told(watching.events)).toEqual(["ADDED wanted", "MODIFIED wanted"]);
  });

  test("of Pods tells their way from Pending to Succeeded", async () => {
    const here = await world().space();
    const watching = watch(world(), here.pods);
    await here.create(job("way", { does: "succeed" }));
    await seen("the end", () => watching.events.some(({ object }) => object.status.phase === "Succeeded"));
    await watching.stop();
    const phases = watching.events.map(({ object }) => object.status.phase);
    expect(phases.filter((phase, i) => phase !== phases[i - 1])).toEqual(["Pending", "Running", "Succeeded"]);
  });

  test("by opjob's client tells of our own Jobs only, and of nothing that was before its version", async () => {
    const { cluster, space } = world();
    const here = await space();
    await settled(here, "before");
    const { metadata } = await here.list();
    const stop = AbortSignal.timeout(LONGEST_MS);
    const body = await cluster.watch("jobs", here.name, { resourceVersion: metadata.resourceVersion }, stop);
    if (body === undefined) throw new Error("the version is too old");
    await here.create(suspended("theirs", { metadata: { labels: { app: "x" } } }));
    await here.create(suspended("ours"));
    let text = "";
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.includes("\n")) break;
    }
    const [first = ""] = text.split("\n");
    expect(JSON.parse(first)).toMatchObject({ type: "ADDED", object: { metadata: { name: "ours" } } });
  });

  test("from version 0 begins with what is there, too", async () => {
    const here = await world().space();
    await settled(here, "a");
    const watching = watch(world(), here.jobs, { resourceVersion: "0" });
    await seen("the first event", () => watching.events.length > 0);
    await watching.stop();
    expect(told(watching.events)[0]).toBe("ADDED a");
  });

  test("of Pods tells of a deletion when it is asked for, and again when the Pod is gone", async () => {
    const { admin, space } = world();
    const here = await space();
    await here.create(job("goes", { does: "linger", pod: { terminationGracePeriodSeconds: 10 } }));
    const { metadata } = await here.pod("goes", "Running");
    const { resourceVersion } = (await admin.send("GET", here.pods)).body.metadata;
    const watching = watch(world(), here.pods, { resourceVersion, fieldSelector: `metadata.name=${metadata.name}` });
    await admin.send("DELETE", `${here.pods}/${metadata.name}`);
    await seen("its end", () => watching.events.at(-1)?.type === "DELETED");
    await watching.stop();
    expect(watching.events[0]?.type).toBe("MODIFIED");
    expect(watching.events[0]?.object.metadata.deletionTimestamp).toMatch(/Z$/);
  });

  test("ends by itself after timeoutSeconds, with a whole last line", async () => {
    const here = await world().space();
    const begun = performance.now();
    await watch(world(), here.jobs, { timeoutSeconds: 1 }).ended;
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(900);
    expect(took).toBeLessThan(5_000);
  });

  test("sends bookmarks to who allows them, and no one else", async () => {
    const here = await world().space();
    const { metadata } = await here.list();
    const query = { resourceVersion: metadata.resourceVersion, timeoutSeconds: 6 };
    const allowed = watch(world(), here.jobs, { ...query, allowWatchBookmarks: true });
    const plain = watch(world(), here.jobs, query);
    // Something happens, but nothing that these watches tell of: only bookmarks carry them on.
    await settled(await world().space(), "elsewhere");
    await Promise.all([allowed.ended, plain.ended]);
    expect(plain.events).toEqual([]);
    const bookmark = allowed.events.at(-1);
    expect(bookmark).toMatchObject({ type: "BOOKMARK", object: { kind: "Job", apiVersion: "batch/v1" } });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
    expect(bookmark?.object.metadata.name).toBeUndefined();
  });
}
