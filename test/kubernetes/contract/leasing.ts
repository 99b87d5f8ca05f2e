// Leases, of which leadership is made: who writes second is told so, a change is told at once, and nothing is written blindly.
import { expect, test } from "@jest/globals";
import { accessFromText } from "../../../src/clusters/kubeconfig.ts";
import { connect } from "../../../src/clusters/kubernetes.ts";
import { type LeaseDoor, openLease } from "../../../src/clusters/lease.ts";
import { Traffic, UNLIMITED } from "../../../src/clusters/traffic.ts";
import { CLAIM } from "../../lease-claim.ts";
import type { Space, World } from "./space.ts";

const TIMES = { acquireTime: "2026-01-01T00:00:00.000000Z", renewTime: "2026-01-01T00:00:05.030000Z" };
const LEASE = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
const leases = ({ name }: Space): string => `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`;

export function leaseCases(world: () => World): void {
  const doorTo = (namespace: string, kubeconfig: string): LeaseDoor & AsyncDisposable => {
    const access = accessFromText(kubeconfig, "the test", { context: undefined, allowExec: false });
    const traffic = new Traffic(access.server, UNLIMITED);
    const speaker = connect(access, { timeoutMs: 10_000, onCall: () => undefined, traffic });
    const door = openLease(speaker, access.server, { namespace, name: "opjob" });
    return { ...door, [Symbol.asyncDispose]: () => door.close() };
  };
  const opened = async () => {
    const space = await world().space();
    return { space, door: doorTo(space.name, world().server.kubeconfig()) };
  };

  test("by opjob's client is none, is made, and is read as it was written", async () => {
    const { space, door } = await opened();
    await using _ = door;
    expect(await door.get()).toBeUndefined();
    const made = await door.put(undefined, CLAIM);
    expect(made).toMatchObject({ holder: "a", durationMs: 15_000, epoch: 7, instance: "db" });
    expect(await door.get()).toEqual(made);
    const { code, body } = await world().admin.send("GET", `${leases(space)}/opjob`);
    expect([code, body["spec"]]).toEqual([
      200,
      { holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 7, ...TIMES },
    ]);
    expect(body.metadata).toMatchObject({ uid: expect.any(String), creationTimestamp: expect.any(String) });
  });

  test("that exists is 409 AlreadyExists for a second creator", async () => {
    const { space, door } = await opened();
    await using _ = door;
    await door.put(undefined, CLAIM);
    expect(await door.put(undefined, { ...CLAIM, holder: "b" })).toBeUndefined();
    const body = { ...LEASE, metadata: { name: "opjob" }, spec: {} };
    const reply = await world().admin.send("POST", leases(space), { body });
    expect(reply.code).toBe(409);
    expect(reply.body).toMatchObject({ reason: "AlreadyExists", details: { name: "opjob", kind: "leases" } });
    expect(reply.body.message).toBe('leases.coordination.k8s.io "opjob" already exists');
  });

  test("that somebody else wrote since is 409 Conflict, and stays as that one wrote it", async () => {
    const { space, door } = await opened();
    await using _ = door;
    const first = await door.put(undefined, CLAIM);
    expect(await door.put(first, { ...CLAIM, holder: "b", epoch: 8 })).toMatchObject({ holder: "b", epoch: 8 });
    expect(await door.put(first, { ...CLAIM, holder: "c", epoch: 9 })).toBeUndefined();
    const reply = await world().admin.send("PUT", `${leases(space)}/opjob`, { body: first?.raw });
    expect(reply.code).toBe(409);
    expect(reply.body).toMatchObject({ reason: "Conflict", details: { name: "opjob", kind: "leases" } });
    expect(await door.get()).toMatchObject({ holder: "b", epoch: 8 });
  });

  test("that is gone cannot be written on the word of what it was", async () => {
    const { space, door } = await opened();
    await using _ = door;
    const first = await door.put(undefined, CLAIM);
    expect((await world().admin.send("DELETE", `${leases(space)}/opjob`)).code).toBe(200);
    expect(await door.put(first, CLAIM)).toBeUndefined();
    expect(await door.get()).toBeUndefined();
  });

  test("keeps what others wrote to it, and takes a holder's leave", async () => {
    const { space, door } = await opened();
    await using _ = door;
    const metadata = { name: "opjob", labels: { team: "vision" }, annotations: { note: "ours" } };
    expect((await world().admin.send("POST", leases(space), { body: { ...LEASE, metadata } })).code).toBe(201);
    const taken = await door.put(await door.get(), CLAIM);
    const left = await door.put(taken, { ...CLAIM, holder: "" });
    expect(left).toMatchObject({ holder: "", epoch: 7 });
    const { body } = await world().admin.send("GET", `${leases(space)}/opjob`);
    expect(body.metadata).toMatchObject({ labels: { team: "vision" }, annotations: { note: "ours" } });
  });

  test("that changes wakes who waits for it", async () => {
    const { door } = await opened();
    await using _ = door;
    const first = await door.put(undefined, CLAIM);
    if (first === undefined) throw new Error("there is no Lease");
    // Longer than this test may take: nothing but the change ends the wait.
    const woken = door.changed(first, 3_600_000, new AbortController().signal);
    await door.put(first, { ...CLAIM, holder: "b" });
    await woken;
    // What changed before it is waited for counts, too.
    await door.changed(first, 3_600_000, new AbortController().signal);
  });

  test("with a time that is none is 400, and one with no duration 422", async () => {
    const { space, door } = await opened();
    await using _ = door;
    const post = (spec: object) =>
      world().admin.send("POST", leases(space), { body: { ...LEASE, metadata: { name: "x" }, spec } });
    const unreadable = await post({ renewTime: "yesterday" });
    expect(unreadable.code).toBe(400);
    expect(unreadable.body.message).toContain(
      `cannot be handled as a Lease: parsing time "yesterday" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "yesterday" as "2006"`,
    );
    const { code, body } = await post({ leaseDurationSeconds: 0 });
    expect(code).toBe(422);
    expect(body.details.causes).toEqual([
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 0: must be greater than 0",
        field: "spec.leaseDurationSeconds",
      },
    ]);
  });

  test("without the right to it is 403", async () => {
    const { server, space: made } = world();
    const space = await made();
    await using door = doorTo(space.name, server.kubeconfig("bob"));
    await server.permit("bob", space.name, []);
    await expect(door.get()).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
  });
}
