// What opjob needs of a Kubernetes API: one suite, run against the real API server and against the local one.
// Knows what a server must be able to do for the suite; the cases are in contract/, by theme.
import { afterAll, beforeAll, describe } from "@jest/globals";
import { accessCases } from "./contract/access.ts";
import { checkingCases } from "./contract/checking.ts";
import { creatingCases } from "./contract/creating.ts";
import { deletingCases } from "./contract/deleting.ts";
import { eventCases } from "./contract/events.ts";
import { followingCases } from "./contract/following.ts";
import { leaseCases } from "./contract/leasing.ts";
import { loggingCases } from "./contract/logging.ts";
import { readingCases } from "./contract/reading.ts";
import { refusingCases } from "./contract/refusing.ts";
import { runningCases } from "./contract/running.ts";
import { openWorld, type World } from "./contract/space.ts";
import { watchingCases } from "./contract/watching.ts";

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

export type Server = {
  /** Text of a kubeconfig; without a user, the administrator's. "alice" and "bob" may do nothing at first. */
  readonly kubeconfig: (user?: "alice" | "bob") => string;
  /** From now on a user may do in this namespace what the rules say, and nothing else. */
  readonly permit: (user: "alice" | "bob", namespace: string, rules: readonly Rule[]) => Promise<void>;
  /** From now on every resourceVersion and every continue token of the past is too old; watches are cut. */
  readonly forgetHistory: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const START_WITHIN_MS = 90_000;

/** @param start of a server whose node takes images of any name and plays Pods as contract/jobs.ts asks */
export function describeContract(name: string, start: () => Promise<Server>): void {
  describe(`${name}:`, () => {
    let world: World | undefined;
    const opened = (): World => {
      if (world === undefined) throw new Error("the server did not start");
      return world;
    };
    beforeAll(async () => {
      world = openWorld(await start());
    }, START_WITHIN_MS);
    afterAll(async () => {
      await world?.close();
    }, START_WITHIN_MS);

    describe("a create", () => creatingCases(opened));
    describe("a refusal", () => refusingCases(opened));
    describe("access", () => accessCases(opened));
    describe("a check", () => checkingCases(opened));
    describe("a read", () => readingCases(opened));
    describe("a watch", () => watchingCases(opened));
    describe("a delete", () => deletingCases(opened));
    describe("a log", () => loggingCases(opened));
    describe("a Job", () => runningCases(opened));
    describe("a Lease", () => leaseCases(opened));
    describe("Events", () => eventCases(opened));
    // Last, for they make the server forget.
    describe("after the server forgot its history", () => followingCases(opened));
  });
}
