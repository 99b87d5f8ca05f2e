// What opjob needs of the API server that keeps its Lease: one suite, through opjob's own door, run on the local Kubernetes
// server and on the simulated one. Knows opjob's door; nothing of how the servers are made.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Lease, LeaseDoor } from "../../../src/clusters/lease.ts";
import { CLAIM } from "../../lease-claim.ts";

export type ServedLeases = {
  readonly open: (name: string) => LeaseDoor;
  /** As by a person. */
  readonly remove: (name: string) => Promise<void>;
  /** In the server's own time (ms). */
  readonly now: () => number;
  /** Lets time pass until it is settled. */
  readonly settled: <T>(promise: Promise<T>) => Promise<T>;
  /** From now on every resourceVersion of the past is too old. */
  readonly forgetHistory: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const NEVER = new AbortController().signal;

let count = 0;

export function describeLeases(name: string, open: () => Promise<ServedLeases>): void {
  describe(`Leases on ${name}:`, () => {
    let served: ServedLeases;
    beforeAll(async () => {
      served = await open();
    });
    afterAll(() => served[Symbol.asyncDispose]());

    const fresh = (): { door: LeaseDoor; lease: string } => {
      const lease = `lease-${++count}`;
      return { door: served.open(lease), lease };
    };
    const made = async (door: LeaseDoor, claim = CLAIM): Promise<Lease> => {
      const lease = await served.settled(door.put(undefined, claim));
      if (lease === undefined) throw new Error("it exists already");
      return lease;
    };

    test("there is none, then it is as it was written, with a version", async () => {
      const { door } = fresh();
      expect(await served.settled(door.get())).toBeUndefined();
      const lease = await made(door);
      expect(lease).toMatchObject({ holder: "a", durationMs: 15_000, epoch: 7, instance: "db" });
      expect(lease.version).not.toBe("");
      expect(await served.settled(door.get())).toMatchObject({ holder: "a", epoch: 7, version: lease.version });
    });

    test("of two that make it, one does", async () => {
      const { door } = fresh();
      await made(door);
      expect(await served.settled(door.put(undefined, { ...CLAIM, holder: "b" }))).toBeUndefined();
      expect((await served.settled(door.get()))?.holder).toBe("a");
    });

    test("of two that read the same one and write, the first does; each write has a version of its own", async () => {
      const { door } = fresh();
      const read = await made(door);
      const first = await served.settled(door.put(read, { ...CLAIM, holder: "b", epoch: 8 }));
      expect(first).toMatchObject({ holder: "b", epoch: 8 });
      expect(first?.version).not.toBe(read.version);
      expect(await served.settled(door.put(read, { ...CLAIM, holder: "c", epoch: 8 }))).toBeUndefined();
      expect((await served.settled(door.get()))?.holder).toBe("b");
    });

    test("one that was deleted is gone, is not written to, and can be made anew", async () => {
      const { door, lease } = fresh();
      const read = await made(door);
      await served.remove(lease);
      expect(await served.settled(door.get())).toBeUndefined();
      expect(await served.settled(door.put(read, CLAIM))).toBeUndefined();
      expect((await made(door, { ...CLAIM, epoch: 9 })).epoch).toBe(9);
    });

    test.each(["changed", "deleted"])("whoever waits is told when it is %s", async (how) => {
      const { door, lease } = fresh();
      const read = await made(door);
      const told = door.changed(read, 600_000, NEVER);
      const does = how === "deleted" ? served.remove(lease) : door.put(read, { ...CLAIM, holder: "" });
      await served.settled(Promise.all([told, does]));
    });

    test("whoever waits is not told of another Lease, and waits no longer than it wants", async () => {
      const { door } = fresh();
      const read = await made(door);
      const told = door.changed(read, 300, NEVER);
      await made(fresh().door);
      const begun = served.now();
      await served.settled(told);
      expect(served.now() - begun).toBeGreaterThan(200);
    });

    test("whoever waits from a version that is too old is told at once, or refused", async () => {
      const { door } = fresh();
      const read = await made(door);
      served.forgetHistory();
      await made(fresh().door);
      const ended = door.changed(read, 600_000, NEVER).then(
        () => "told",
        () => "refused",
      );
      expect(["told", "refused"]).toContain(await served.settled(ended));
    });
  });
}
