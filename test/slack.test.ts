// Slack: when memory is given back, and when it is not.
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { giveBackSlack } from "../src/slack.ts";
import { VirtualTime } from "./virtual-clock.ts";

const MB = 2 ** 20;
let time: VirtualTime;
let taken: number;
let begun: number;
let collected: number;
let stop: AbortController;
let following: Promise<void>;

beforeEach(async () => {
  [time, stop] = [new VirtualTime(), new AbortController()];
  [taken, begun, collected] = [40 * MB, 0, 0];
  const heap = {
    taken: () => taken,
    collect: () => {
      collected++;
      taken = 40 * MB;
    },
  };
  following = giveBackSlack({ heap, begun: () => begun, clock: time.clock(), signal: stop.signal });
  await time.pass(40_000); // what the start left behind
  collected = 0;
});

afterEach(async () => {
  stop.abort();
  await following;
});

test("what a backlog has left is given back when little is begun any more, and only once", async () => {
  taken = 100 * MB;
  begun = 2_000;
  await time.pass(5_000);
  expect(collected).toBe(0);
  await time.pass(60_000);
  expect(collected).toBe(1);
});

test("it does not stand still again and again, whatever is taken", async () => {
  for (let i = 0; i < 60; i++) {
    taken = 100 * MB;
    await time.pass(1_000);
  }
  expect(collected).toBe(2);
});

test("nothing is collected while work is begun, however much is taken", async () => {
  taken = 300 * MB;
  for (let i = 0; i < 20; i++) {
    begun += 300;
    await time.pass(4_000);
  }
  expect(collected).toBe(0);
});

test("little is left alone", async () => {
  taken = 50 * MB;
  await time.pass(60_000);
  expect(collected).toBe(0);
});

test("it ends with the signal, and without a collector at once", async () => {
  stop.abort();
  await following;
  taken = 300 * MB;
  await time.pass(60_000);
  expect(collected).toBe(0);
  await giveBackSlack({ heap: undefined, begun: () => 0, clock: time.clock(), signal: new AbortController().signal });
});
