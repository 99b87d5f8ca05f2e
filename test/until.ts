// Waits for a state of the world, with a deadline; what is waited for is the caller's.
import { setTimeout as sleep } from "node:timers/promises";

/** @throws Error when the state was not reached within so many milliseconds */
export async function until(reached: () => boolean | Promise<boolean>, ms = 8_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await reached())) {
    if (performance.now() > deadline) throw new Error(`not reached within ${ms} ms: ${reached.toString()}`);
    await sleep(5);
  }
}
