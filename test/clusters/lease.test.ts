// The door to a Lease, on a Kubernetes API server: compare-and-set, what others wrote stays, and a change is told at once.
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { accessFromText } from "../../src/clusters/kubeconfig.ts";
import { connect } from "../../src/clusters/kubernetes.ts";
import { type LeaseDoor, openLease } from "../../src/clusters/lease.ts";
import { Traffic, UNLIMITED } from "../../src/clusters/traffic.ts";
import { type LocalKubernetes, startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { CLAIM } from "../lease-claim.ts";

const NAMESPACE = "fiftyone";

let kubernetes: LocalKubernetes;
let door: LeaseDoor;
let count = 0;
let name: string;
const open = (): LeaseDoor => {
  const access = accessFromText(kubernetes.kubeconfig(), "a test", { context: undefined, allowExec: false });
  const traffic = new Traffic(access.server, UNLIMITED);
  const speaker = connect(access, { timeoutMs: 5_000, onCall: () => undefined, traffic });
  return openLease(speaker, access.server, { namespace: NAMESPACE, name });
};
const url = (): string => `${kubernetes.url}/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${name}`;
const object = async (): Promise<Record<string, Record<string, unknown>>> => (await fetch(url())).json() as never;

beforeAll(async () => {
  kubernetes = await startLocalKubernetes({ run: "simulated", namespaces: [NAMESPACE] });
});
beforeEach(() => {
  name = `lease-${++count}`;
  door = open();
});
afterAll(() => kubernetes.stop());

test("is none, is made, and is read as it was written, in Kubernetes' own fields", async () => {
  expect(await door.get()).toBeUndefined();
  const made = await door.put(undefined, CLAIM);
  expect(made).toMatchObject({ holder: "a", durationMs: 15_000, epoch: 7, instance: "db" });
  expect(await door.get()).toEqual(made);
  expect((await object())["spec"]).toEqual({
    holderIdentity: "a",
    leaseDurationSeconds: 15,
    acquireTime: "2026-01-01T00:00:00.000000Z",
    renewTime: "2026-01-01T00:00:05.030000Z",
    leaseTransitions: 7,
  });
  await door.close();
});

test("of two that write to the same one, the second is told that it came too late", async () => {
  const first = await door.put(undefined, CLAIM);
  expect(await door.put(undefined, { ...CLAIM, holder: "b" })).toBeUndefined();
  expect(await door.put(first, { ...CLAIM, holder: "b" })).toMatchObject({ holder: "b" });
  const refused = (): number => kubernetes.counts().requests["update leases 409"] ?? 0;
  const before = refused();
  expect(await door.put(first, { ...CLAIM, holder: "c" })).toBeUndefined();
  expect(refused()).toBe(before + 1); // it is not tried again
  expect((await door.get())?.holder).toBe("b");
  await fetch(url(), { method: "DELETE" });
  expect(await door.put(first, CLAIM)).toBeUndefined();
  await door.close();
});

test("keeps the labels that others gave it", async () => {
  await kubernetes.create(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`, {
    metadata: { name, labels: { team: "vision" } },
    spec: { strategy: "OldestEmulationVersion" },
  });
  const empty = await door.get();
  expect(empty).toMatchObject({ holder: "", epoch: 0, instance: "" });
  await door.put(empty, CLAIM);
  expect(await object()).toMatchObject({ metadata: { labels: { team: "vision" } }, spec: { holderIdentity: "a" } });
  await door.close();
});

test("tells a change, and waits no longer than it is told to", async () => {
  const lease = await door.put(undefined, CLAIM);
  if (lease === undefined) throw new Error("there is no Lease");
  const { signal } = new AbortController();
  // Longer than this test may take: nothing but the change ends the wait.
  const told = door.changed(lease, 3_600_000, signal);
  const other = open();
  await other.put(lease, { ...CLAIM, holder: "" });
  await told;
  const now = await door.get();
  if (now === undefined) throw new Error("there is no Lease");
  await door.changed(now, 200, signal);
  const stop = new AbortController();
  const stopped = door.changed(now, 3_600_000, stop.signal);
  stop.abort();
  await stopped;
  await Promise.all([door.close(), other.close()]);
});

test("a refusal is an error with the Lease's name in it", async () => {
  await using guarded = await startLocalKubernetes({
    run: "simulated",
    namespaces: [NAMESPACE],
    tokens: { nobody: { user: "nobody", allow: () => false } },
  });
  const access = accessFromText(guarded.kubeconfig({ token: "nobody" }), "a test", {
    context: undefined,
    allowExec: false,
  });
  const speaker = connect(access, { timeoutMs: 5_000, onCall: () => undefined, traffic: new Traffic("x", UNLIMITED) });
  const refused = openLease(speaker, access.server, { namespace: NAMESPACE, name });
  await expect(refused.get()).rejects.toMatchObject({
    code: "CLUSTER_FORBIDDEN",
    message: expect.stringContaining(name),
  });
  await refused.close();
  await door.close();
});
