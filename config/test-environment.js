// Where a test file runs: as in Node. What a test has left open that ran out of time is closed when the last one is over: else it would
// work on beside the next files, and a run would never end. That fails the file, for a test that passes must close what it opens.
import { TestEnvironment } from "jest-environment-node";

/** What closes is given so long (ms). */
const CLOSED_WITHIN = 30_000;

export default class extends TestEnvironment {
  async handleTestEvent({ name }, { unhandledErrors }) {
    const open = this.global.opjobLeftOpen;
    if (name !== "run_finish" || open === undefined || open.size === 0) return;
    const left = [...open.values()];
    unhandledErrors.push(
      new Error(`left open at the end of the file, and closed now: ${left.map(({ what }) => what).join(", ")}`),
    );
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSED_WITHIN);
    });
    // All at once: what holds up the end of one may end with another.
    const closed = Promise.all(left.map(({ close }) => close().catch((error) => void unhandledErrors.push(error))));
    await Promise.race([closed, late]);
    clearTimeout(timer);
  }
}
