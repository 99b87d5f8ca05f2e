// The simulated cluster of the Lease is one: what opjob's leadership needs of it it does as the local Kubernetes server does.
import type { Clock } from "../../src/clock.ts";
import { accessFromText } from "../../src/clusters/kubeconfig.ts";
import { connect } from "../../src/clusters/kubernetes.ts";
import { openLease } from "../../src/clusters/lease.ts";
import { Traffic, UNLIMITED } from "../../src/clusters/traffic.ts";
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import type { Line } from "./calls.ts";
import { describeLeases, type ServedLeases } from "./contract/lease.ts";
import { accessToHome, HOME, leaseHome } from "./kubernetes/home.ts";
import { simulatedConnect } from "./kubernetes/speaker.ts";
import { drained, Time } from "./time.ts";

const NAMESPACE = "fiftyone";
const options = { timeoutMs: 4_000, traffic: new Traffic("x", UNLIMITED), onCall: () => undefined };

async function local(): Promise<ServedLeases> {
  const kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: [NAMESPACE] });
  const access = accessFromText(kubernetes.kubeconfig(), "the test", { context: undefined, allowExec: false });
  const speaker = connect(access, options);
  return {
    open: (name) => openLease(speaker, access.server, { namespace: NAMESPACE, name }),
    remove: async (name) => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${name}`;
      await fetch(`${kubernetes.url}${path}`, { method: "DELETE" });
    },
    now: () => performance.now(),
    settled: (promise) => promise,
    forgetHistory: () => kubernetes.faults.expireHistory(),
    [Symbol.asyncDispose]: async () => {
      await speaker.close();
      await kubernetes.stop();
    },
  };
}

function simulated(): ServedLeases {
  const time = new Time();
  const home = leaseHome({
    now: () => time.now,
    watches: { delay: () => 5, times: () => 1, goneAsEvent: () => true, open: new Set() },
    onSend: () => undefined,
    onCall: () => undefined,
  });
  const line: Line = {
    name: "direct",
    now: () => time.now,
    call: (_, { effect }) => Promise.resolve().then(() => effect(() => false)),
    tell: (ms, call) => void time.after(ms, call),
  };
  const speaker = simulatedConnect(new Map([[HOME, home]]), line)(accessToHome(), options);
  const after: Clock["after"] = (ms, call) => ({ ...time.after(ms, call), refresh: () => undefined });
  const clock = { after } as Clock;
  return {
    open: (name) => openLease(speaker, HOME, { namespace: NAMESPACE, name }, clock),
    remove: async (name) => {
      for (const one of home.store.all("leases")) if (one.metadata.name === name) home.store.remove("leases", one);
    },
    now: () => time.now,
    settled: async (promise) => {
      let over = false;
      const end = (): void => {
        over = true;
      };
      promise.then(end, end);
      for (let steps = 0; !over && steps < 1_000; steps++) {
        await drained();
        if (!over) time.step();
      }
      return promise;
    },
    forgetHistory: () => home.store.forgetHistory(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describeLeases("the local Kubernetes server", local);
describeLeases("the simulated cluster", () => Promise.resolve(simulated()));
