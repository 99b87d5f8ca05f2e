// Batches: what goes out together, in which order, and who is told of a failure.
import { expect, test } from "@jest/globals";
import { batched } from "../../src/operations/batch.ts";
import { VirtualTime } from "../virtual-clock.ts";

/** A send whose batches are answered by hand. */
function byHand() {
  const sent: { inputs: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const send = (inputs: readonly number[]) =>
    new Promise<number[]>((resolve, reject) => {
      sent.push({ inputs, answer: () => resolve(inputs.map((input) => input * 10)), fail: reject });
    });
  return { sent, send };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a single call is sent at once, alone", () => {
  const { sent, send } = byHand();
  void batched(send, { largest: 8, width: 1 })(1);
  expect(sent.map(({ inputs }) => inputs)).toEqual([[1]]);
});

test("calls that come while others are under way go out together, in order, so many at the most", async () => {
  const { sent, send } = byHand();
  const call = batched(send, { largest: 3, width: 1 });
  const outputs = Promise.all([1, 2, 3, 4, 5].map(call));
  for (const expected of [[1], [2, 3, 4], [5]]) {
    expect(sent.at(-1)?.inputs).toEqual(expected);
    sent.at(-1)?.answer();
    await settled();
  }
  expect(await outputs).toEqual([10, 20, 30, 40, 50]);
});

test("as many batches are under way as may be", () => {
  const { sent, send } = byHand();
  const call = batched(send, { largest: 3, width: 2 });
  for (const input of [1, 2, 3, 4]) void call(input);
  expect(sent.map(({ inputs }) => inputs)).toEqual([[1], [2]]);
});

test("a batch that fails is told to each of its callers, and the next one goes out", async () => {
  const { sent, send } = byHand();
  const call = batched(send, { largest: 3, width: 1 });
  const outputs = Promise.allSettled([1, 2, 3].map(call));
  sent[0]?.answer();
  await settled();
  sent[1]?.fail(new Error("away"));
  expect((await outputs).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  const later = call(4);
  await settled();
  sent[2]?.answer();
  expect(await later).toBe(40);
});

/** Calls that are answered at once, and what went out when: [ms, how many]. */
function paced(ms: number, largest: number) {
  const time = new VirtualTime();
  const clock = time.clock();
  const sent: [number, number][] = [];
  const send = (inputs: readonly number[]) => {
    sent.push([clock.elapsed(), inputs.length]);
    return Promise.resolve(inputs);
  };
  return { time, sent, call: batched(send, { largest, width: 1, pace: { ms, clock } }) };
}

test("calls that come now and then, or a few at once, are never kept waiting by a pace", async () => {
  const { time, sent, call } = paced(10, 8);
  for (let i = 0; i < 20; i++) {
    const begun = time.now;
    await call(i);
    await call(i);
    expect(time.now).toBe(begun);
    await time.pass(25);
  }
  expect(sent).toHaveLength(40);
});

test("while calls come in crowds, batches go out at the pace, and none is left over", async () => {
  const { time, sent, call } = paced(10, 100);
  const outputs: Promise<number>[] = [];
  for (let i = 0; i < 200; i++) {
    outputs.push(call(i));
    await time.pass(1);
  }
  await time.pass(10);
  expect(await Promise.all(outputs)).toHaveLength(200);
  expect(sent.length).toBeLessThanOrEqual(200 / 10 + 4);
});

test("a full batch waits for no pace", async () => {
  const { time, sent, call } = paced(1_000, 4);
  for (let i = 0; i < 8; i++) {
    void call(i);
    await time.pass(0);
  }
  for (let i = 0; i < 8; i++) void call(i);
  await time.pass(0);
  expect(sent.filter(([, size]) => size === 4).length).toBeGreaterThanOrEqual(2);
});

test("a pause is whole ticks, so that a clock whose times have fractions goes on", async () => {
  const time = new VirtualTime();
  const clock = time.clock();
  const pauses: number[] = [];
  const after: typeof clock.after = (ms, call) => {
    pauses.push(ms);
    return clock.after(ms, call);
  };
  const call = batched((inputs: readonly number[]) => Promise.resolve(inputs), {
    largest: 100,
    width: 1,
    pace: { ms: 10, clock: { elapsed: clock.elapsed, after } },
  });
  for (let i = 0; i < 50; i++) {
    void call(i);
    await time.pass(0.7);
  }
  expect(pauses.length).toBeGreaterThan(0);
  expect(pauses.filter((ms) => !Number.isInteger(ms) || ms < 1)).toEqual([]);
});
