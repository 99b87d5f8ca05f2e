// What opjob's own list-and-watch makes of a server that forgets: 410 as a status and as an event, and nothing missed.
import { expect, test } from "@jest/globals";
import type { Resource } from "../../../src/clusters/kubernetes.ts";
import { viewJob } from "../../../src/clusters/observation.ts";
import { followResource } from "../../../src/clusters/watch.ts";
import { createLog } from "../../../src/log.ts";
import { seen } from "../seen.ts";
import { suspended } from "./jobs.ts";
import type { World } from "./space.ts";

const LOG = createLog({ level: "fatal", secrets: [], destination: { write: () => undefined } });

/** Follows as opjob does, and keeps the names that are there. */
function follow({ cluster }: World, resource: Resource, namespace: string) {
  const present = new Set<string>();
  const stop = new AbortController();
  const done = followResource({
    cluster,
    resource,
    namespace,
    view: (object) => viewJob(object).name,
    onList: (names) => {
      present.clear();
      for (const name of names) present.add(name);
    },
    onChange: (name) => void present.add(name),
    onDelete: (name) => void present.delete(name),
    onState: () => undefined,
    signal: stop.signal,
    log: LOG,
  });
  const end = (): Promise<void> => {
    stop.abort();
    return done;
  };
  return { present, stop: end };
}

const FORGET_WITHIN_MS = 60_000;

export function followingCases(world: () => World): void {
  test(
    "a watch from an old version is told 410 as an event, and a page of an old list 410 as a status",
    async () => {
      const { admin, server, space } = world();
      const here = await space();
      for (const name of ["a", "b", "c"]) await here.create(suspended(name));
      const first = await here.list({ limit: 1 });
      const token = first.metadata.continue ?? "";
      await here.create(suspended("d"));
      await server.forgetHistory();

      const page = await admin.send("GET", here.jobs, { query: { limit: 1, continue: token } });
      expect(page.code).toBe(410);
      expect(page.body).toMatchObject({ kind: "Status", status: "Failure", reason: "Expired", code: 410 });
      expect(page.body.message).toMatch(
        /^The provided continue parameter is too old to display a consistent list result\./,
      );
      expect(page.body.metadata.continue).toEqual(expect.any(String));

      const query = { resourceVersion: first.metadata.resourceVersion, timeoutSeconds: 5 };
      const events = [];
      for await (const event of admin.watch(here.jobs, query, AbortSignal.timeout(10_000))) events.push(event);
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({
        type: "ERROR",
        object: { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410 },
      });
      expect(events[0]?.object.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
    },
    FORGET_WITHIN_MS,
  );

  test(
    "the list goes on from the token that comes with the 410",
    async () => {
      const { admin, server, space } = world();
      const here = await space();
      for (const name of ["a", "b", "c"]) await here.create(suspended(name));
      const { metadata } = await here.list({ limit: 1 });
      await server.forgetHistory();
      const refused = await admin.send("GET", here.jobs, { query: { limit: 1, continue: metadata.continue ?? "" } });
      const token = refused.body.metadata.continue ?? "";
      const rest = await here.list({ limit: 5, continue: token });
      expect(rest.items.map((item) => item.metadata.name)).toEqual(["b", "c"]);
    },
    FORGET_WITHIN_MS,
  );

  test(
    "opjob's client takes an old page and an old version as values",
    async () => {
      const { cluster, server, space } = world();
      const here = await space();
      await here.create(suspended("a"));
      await here.create(suspended("b"));
      const { metadata } = await here.list({ limit: 1 });
      await here.create(suspended("c"));
      await server.forgetHistory();
      expect(await cluster.listPage("jobs", here.name, metadata.continue)).toBeUndefined();
    },
    FORGET_WITHIN_MS,
  );

  test(
    "opjob's followers see all that came, went and stayed while the server forgot",
    async () => {
      const { admin, server, space } = world();
      const here = await space();
      await here.create(suspended("stays"));
      await here.create(suspended("goes"));
      const following = follow(world(), "jobs", here.name);
      try {
        await seen("both", () => following.present.size === 2);
        const forgotten = server.forgetHistory();
        await forgotten;
        await admin.send("DELETE", `${here.jobs}/goes`, { body: { propagationPolicy: "Background" } });
        await here.create(suspended("comes"));
        await seen("the change", () => following.present.has("comes") && !following.present.has("goes"), 40_000);
        expect([...following.present].toSorted()).toEqual(["comes", "stays"]);
      } finally {
        await following.stop();
      }
    },
    FORGET_WITHIN_MS,
  );
}
