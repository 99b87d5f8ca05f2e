// Suites that need a real node: run where this machine can have one, else left out with the reason said. Never counted as
// passed, and never left out on a CI that could run them.
import { describe } from "@jest/globals";
import { mustHaveNode, whyNoNode } from "./plane/able.ts";

/** The reason is found once, before the suites are described. */
const reason = await whyNoNode();

export function describeOnNode(name: string, suite: () => void): void {
  if (reason === undefined) {
    describe(name, suite);
    return;
  }
  if (mustHaveNode()) throw new Error(`${name}: a real node cannot run here, and on a CI it must: ${reason}`);
  process.stderr.write(`${name}: left out, for a real node cannot run here: ${reason}\n`);
  describe.skip(`${name} (left out: ${reason})`, suite);
}
