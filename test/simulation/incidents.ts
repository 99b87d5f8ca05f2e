// Incidents: what happens to the database and the clusters themselves, by the plan. Knows what each one does to whom.
import { MongoNetworkError } from "mongodb";
import type { Incident } from "./plan.ts";
import type { World } from "./world.ts";

export function letIncidentsHappen(world: World): void {
  for (const { at, kind } of world.plan.mishaps ?? []) world.moments.strike(at, kind);
  for (const incident of world.plan.incidents) {
    const happens = (): void => {
      world.trace.note(`incident: ${incident.kind}`);
      INCIDENTS[incident.kind](world, incident.ms);
    };
    if (typeof incident.at === "number") world.time.after(incident.at, happens);
    // What is to happen at a call that comes only after the plan's end does not happen.
    else world.moments.at(incident.at, undefined, () => world.time.elapsed <= world.plan.horizonMs && happens());
  }
}

type Happens = (world: World, ms: number) => void;

const cutStreams: Happens = ({ streams }) => {
  for (const stream of [...streams.open]) stream.cut(new MongoNetworkError("connection reset"));
};

const isolate =
  (failover: boolean): Happens =>
  (world, ms) => {
    const { server, time, trace } = world;
    if (server.isolated) return;
    server.isolate();
    time.after(ms, () => {
      trace.note(failover ? "the new primary knows nothing of it" : "the set is whole again");
      server.heal(failover);
      cutStreams(world, ms);
    });
  };

const INCIDENTS: Readonly<Record<Incident["kind"], Happens>> = {
  "cut-streams": cutStreams,
  "cut-watches": ({ watches }) => {
    for (const watch of [...watches.open]) watch.cut(new Error("socket hang up"));
  },
  "silence-watches": ({ watches }) => {
    for (const watch of watches.open) watch.silence();
  },
  "forget-oplog": (world, ms) => {
    if (world.server.isolated) return;
    world.server.forgetHistory();
    cutStreams(world, ms);
  },
  "forget-versions": ({ clusters, watches }) => {
    for (const { store, api } of clusters) {
      store.forgetHistory();
      api.forgetLists();
    }
    for (const watch of [...watches.open]) watch.cut(new Error("socket hang up"));
  },
  "delete-lease": ({ home: { store }, checks }) => {
    for (const lease of store.all("leases")) store.remove("leases", lease);
    checks.leaseDeleted();
  },
  failover: isolate(true),
  partition: isolate(false),
};
