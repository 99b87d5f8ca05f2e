// The simulated cluster is one: what opjob needs of an API server it does as the local Kubernetes server does.
import { ObjectId } from "mongodb";
import { accessFromText } from "../../src/clusters/kubeconfig.ts";
import { Cluster } from "../../src/clusters/kubernetes.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { until } from "../local-daemon.ts";
import { queued } from "../operations/documents.ts";
import type { Line } from "./calls.ts";
import { chance } from "./chance.ts";
import { DEEDS, type Deed, describeCluster, type ServedCluster } from "./contract/cluster.ts";
import { type Fates, simulatedCluster } from "./kubernetes/cluster.ts";
import { simulatedConnect } from "./kubernetes/speaker.ts";
import { MongoServer } from "./mongo/server.ts";
import { drained, FOREVER, Time } from "./time.ts";
import { OPERATIONS } from "./worker.ts";

const NAMESPACE = "team";

async function localCluster(): Promise<ServedCluster> {
  const kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: [NAMESPACE] });
  const access = accessFromText(kubernetes.kubeconfig(), "the test", { context: undefined, allowExec: false });
  const cluster = new Cluster(access, { timeoutMs: 10_000, onCall: () => undefined });
  return {
    cluster,
    namespace: NAMESPACE,
    seen: until,
    forgetHistory: () => kubernetes.faults.expireHistory(),
    [Symbol.asyncDispose]: async () => {
      await cluster.close();
      await kubernetes.stop();
    },
  };
}

const FATES: Fates = {
  job: { seen: 500, twin: false, replaces: false, suspendedMs: 0, refused: false },
  pod: { schedule: 10, start: 50, obstacle: undefined, obstacleMs: 0, graceMs: 10, evictedMs: FOREVER },
  worker: { bootMs: 10, runMs: 50, ends: "completes", lingerMs: 10 },
};
const ENDS: Readonly<Record<Deed, Fates["worker"]["ends"]>> = {
  succeed: "completes",
  fail: "completes",
  hang: "hangs",
};

function simulated(): ServedCluster {
  const time = new Time();
  const server = new MongoServer(() => undefined);
  const address = "http://simulated";
  const simulation = simulatedCluster({
    time,
    server,
    ledger: [],
    log: "",
    name: "c",
    address,
    namespaces: new Set([NAMESPACE]),
    skewMs: 0,
    chance: chance(1, "contract"),
    fatesOf: (operation) => {
      const deed = (Object.keys(DEEDS) as Deed[]).find((one) => operation.endsWith(DEEDS[one])) ?? "hang";
      return { ...FATES, worker: { ...FATES.worker, ends: ENDS[deed] } };
    },
    refusalOf: () => undefined,
    missingFor: () => 0,
    watches: { delay: () => 5, times: () => 1, goneAsEvent: () => true, open: new Set() },
    onSend: () => undefined,
    onCall: ({ request: { method, body } }) => {
      if (method === "POST") enqueue(server, body);
    },
  });
  const line: Line = {
    name: "direct",
    now: () => time.now,
    call: (_, { effect }) => Promise.resolve().then(() => effect(() => false)),
    tell: (ms, call) => void time.after(ms, call),
  };
  const access = accessFromText(kubeconfig(address), "the test", { context: undefined, allowExec: false });
  const connect = simulatedConnect(new Map([[address, simulation]]), line);
  return {
    cluster: new Cluster(access, { timeoutMs: 10_000, onCall: () => undefined, connect }),
    namespace: NAMESPACE,
    seen: async (what, look) => {
      for (let steps = 0; steps < 5_000; steps++) {
        const found = await look();
        if (found !== undefined && found !== false) return found;
        time.step();
        await drained();
      }
      throw new Error(`not seen: ${what}`);
    },
    forgetHistory: () => simulation.store.forgetHistory(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A worker that is to succeed finds its operation queued; one that is to fail finds none, and ends with 3. */
function enqueue(server: MongoServer, body: unknown): void {
  const { metadata } = body as { metadata: { labels: Record<string, string> } };
  const operation = Object.values(metadata.labels).find((label) => label.length === 24) ?? "";
  if (operation.endsWith(DEEDS.fail) || server.get(OPERATIONS, operation)) return;
  server.insert({ kind: "user", name: "test" }, OPERATIONS, queued({ _id: new ObjectId(operation) }));
}

const kubeconfig = (address: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: address, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });

describeCluster("the local Kubernetes server", localCluster);
describeCluster("the simulated cluster", () => Promise.resolve(simulated()));
