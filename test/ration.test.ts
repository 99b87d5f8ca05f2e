// A ration of acts: so many in a time, and when there are more.
import { expect, test } from "@jest/globals";
import { createRation } from "../src/ration.ts";

test("so many are allowed in a time, and then it says when there are more", () => {
  let now = 1_000;
  const ration = createRation({ most: 2, ms: 30_000, now: () => now });
  expect([ration.take(), ration.take()]).toEqual([0, 0]);
  now += 10_000;
  expect([ration.take(), ration.take()]).toEqual([20_000, 20_000]);
  now += 20_000;
  expect([ration.take(), ration.take(), ration.take()]).toEqual([0, 0, 30_000]);
});

test("a time in which nobody asked does not add up", () => {
  let now = 0;
  const ration = createRation({ most: 1, ms: 1_000, now: () => now });
  ration.take();
  now += 60_000;
  expect([ration.take(), ration.take()]).toEqual([0, 1_000]);
});
