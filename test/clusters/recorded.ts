// What a real node (Kubernetes 1.37, containerd 1.6) showed of Jobs and Pods, one file a case: what it is to be judged by.
// Recorded by test/kubernetes/node-failures.test.ts; shapes only, nothing of what is concluded from them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Recording } from "../kubernetes/record.ts";

export type RecordedCase = Recording & { readonly case: string };

const DIRECTORY = join(import.meta.dirname, "recorded");

export const RECORDED: readonly RecordedCase[] = readdirSync(DIRECTORY)
  .toSorted()
  .map((file) => JSON.parse(readFileSync(join(DIRECTORY, file), "utf8")) as RecordedCase);

/** @throws Error where nothing of that name was recorded */
export function recorded(name: string): RecordedCase {
  const found = RECORDED.find(({ case: of }) => of === name);
  if (found === undefined) throw new Error(`nothing is recorded of "${name}"`);
  return found;
}
