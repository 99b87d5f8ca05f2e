// Waits for a state of a cluster, with a deadline; what is waited for is the caller's.
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a look gives as soon as it gives something.
 * @throws Error with what was wanted, when nothing was given within so many milliseconds
 */
export async function seen<T>(
  wanted: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 15_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not seen within ${ms} ms: ${wanted}`);
    await sleep(20);
  }
}
