// What begins and ends with leadership: nothing is worked on by a standby, and nothing of an earlier term is written in a later one.
import { beforeEach, expect, test } from "@jest/globals";
import { createLog } from "../src/log.ts";
import { Term, type TermParts } from "../src/term.ts";
import { VirtualTime } from "./virtual-clock.ts";

let time: VirtualTime;
let term: Term;
let did: string[];
let holds: boolean;
let fails: number;
let busy: number;
let scanned: boolean;
let parts: TermParts;

beforeEach(() => {
  time = new VirtualTime();
  [did, holds, fails, busy, scanned] = [[], true, 0, 0, true];
  term = new Term({ alone: false, clock: time.clock(), log: createLog({ level: "silent", secrets: [] }) });
  term.heldBy(() => holds);
  parts = {
    operations: {
      takeOver: async (epoch) => {
        term.fence.require();
        if (fails-- > 0) throw new Error("away");
        did.push(`took over ${epoch}`);
      },
    },
    lanes: {
      get busy() {
        return busy;
      },
      clear: () => void did.push("lanes cleared"),
    } as TermParts["lanes"],
    queue: { clear: () => void did.push("queue cleared") },
    sweep: { firstOfTerm: async () => void did.push(`looked, ${term.role}`) },
    state: {
      get scanned() {
        return scanned;
      },
      cut: new Set(),
    },
  };
});
const refused = (): boolean => {
  try {
    term.fence.require();
    return false;
  } catch {
    return true;
  }
};

test("a standby works on nothing and writes nothing", () => {
  expect([term.role, term.active, refused()]).toEqual(["standby", false, true]);
});

test("a daemon that is alone always may, and has no epoch", () => {
  const alone = new Term({ alone: true, clock: time.clock(), log: createLog({ level: "silent", secrets: [] }) });
  alone.fence.require();
  expect([alone.role, alone.active, alone.fence.epoch()]).toEqual(["alone", true, undefined]);
});

test("who comes to lead takes over what is in hand, and only then looks at everything", async () => {
  await term.begin(7, parts);
  expect(did).toEqual(["took over 7", "queue cleared", "looked, leader"]);
  expect([term.role, term.fence.epoch(), refused()]).toEqual(["leader", 7, false]);
});

test("a database that does not answer is asked again, and nothing is worked on before", async () => {
  fails = 3;
  const begun = term.begin(7, parts);
  await time.pass(250);
  expect([did, term.active]).toEqual([[], false]);
  await time.pass(100);
  await begun;
  expect(did[0]).toBe("took over 7");
});

test("a leader waits for the first scan: before that no operation is known to be its own", async () => {
  scanned = false;
  const begun = term.begin(7, parts);
  await time.pass(1_000);
  expect(did).not.toContain("looked, leader");
  scanned = true;
  await time.pass(100);
  await begun;
  expect(did).toContain("looked, leader");
});

test("leadership that ends stops everything, and what is in hand is refused", async () => {
  await term.begin(7, parts);
  holds = false;
  expect([term.active, refused()]).toEqual([false, true]);
  term.end(parts);
  expect(did.slice(-2)).toEqual(["lanes cleared", "queue cleared"]);
});

test("who leads again writes nothing until what it had in hand in its last term is finished", async () => {
  await term.begin(7, parts);
  term.end(parts);
  busy = 1;
  const begun = term.begin(9, parts);
  await time.pass(10_000);
  // Leadership is held, but what is judged now may have been begun before another one led.
  expect([holds, refused(), term.active]).toEqual([true, true, false]);
  busy = 0;
  await time.pass(100);
  await begun;
  expect([refused(), term.fence.epoch()]).toEqual([false, 9]);
});

test("leadership that is lost before it has begun begins nothing", async () => {
  fails = 100;
  const begun = term.begin(7, parts);
  await time.pass(300);
  holds = false;
  await time.pass(200);
  await begun;
  expect([did, term.active]).toEqual([[], false]);
});
