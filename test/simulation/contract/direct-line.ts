// A line on which nothing goes wrong, in real time: for trying the simulated parts against the real ones.
import type { Line } from "../calls.ts";

export const directLine: Line = {
  name: "direct",
  now: () => performance.now(),
  call: (_, { effect }) => Promise.resolve().then(() => effect(() => false)),
  tell: (ms, call) => void setTimeout(call, Math.min(ms, 5)).unref(),
};
