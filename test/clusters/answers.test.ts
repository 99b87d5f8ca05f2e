// What an API server's refusals become: one of our errors, with the server's own words.
import { describe, expect, test } from "@jest/globals";
import {
  isAlreadyThere,
  isPreconditionFailure,
  parseStatus,
  refusal,
  retryAfterOf,
} from "../../src/clusters/answers.ts";

const body = (message: string): string => JSON.stringify({ kind: "Status", status: "Failure", message });
const refused = (status: number, text = body("words of the server"), retryAfterMs?: number) =>
  refusal({ status, body: text, retryAfterMs }, "create the Job a/b", "https://k8s.example");

test.each([
  [400, "JOB_REFUSED", false],
  [401, "CLUSTER_UNAUTHORIZED", true],
  [403, "CLUSTER_FORBIDDEN", true],
  [404, "CLUSTER_NAMESPACE_MISSING", true],
  [409, "CLUSTER_ERROR", true],
  [422, "JOB_REFUSED", false],
  [429, "CLUSTER_OVERLOADED", true],
  [500, "CLUSTER_ERROR", true],
  [502, "CLUSTER_ERROR", true],
  [503, "CLUSTER_OVERLOADED", true],
  [504, "CLUSTER_ERROR", true],
])("%i is %s", (status, code, retryable) => {
  const error = refused(status);
  expect(error).toMatchObject({ code, retryable });
  expect(error.message).toContain("https://k8s.example");
  expect(error.message).toContain("words of the server");
});

test.each([
  ["nothing", ""],
  ["a proxy's page", "<html>502 Bad Gateway</html>"],
  ["null", "null"],
  ["a list", "[1]"],
  ["a Status without words", "{}"],
])("a body that is %s leaves the number", (_, text) => {
  expect(refused(502, text).message).toBe("The cluster https://k8s.example failed to create the Job a/b: HTTP 502.");
});

describe("Retry-After", () => {
  const DATE = "Wed, 21 Oct 2026 07:28:00 GMT";

  test.each([
    ["7", DATE, 7_000],
    [" 7 ", undefined, 7_000],
    ["0", DATE, 0],
    ["1000000", DATE, 600_000],
    // A time is by the clock of who sent it, not by ours.
    ["Wed, 21 Oct 2026 07:28:30 GMT", DATE, 30_000],
    ["Wed, 21 Oct 2026 07:00:00 GMT", DATE, 0],
    ["Thu, 22 Oct 2026 07:28:00 GMT", DATE, 600_000],
    ["Wed, 21 Oct 2026 07:28:30 GMT", undefined, undefined],
    ["soon", DATE, undefined],
    ["-5", DATE, 0],
    [undefined, DATE, undefined],
  ])("of %p at %p is %p ms", (header, date, ms) => {
    expect(retryAfterOf(header, date)).toBe(ms);
  });

  test("is kept in the error", () => {
    expect(refused(429, body("slow"), 5_000).retryAfterMs).toBe(5_000);
    expect(refused(503, body("slow")).retryAfterMs).toBeUndefined();
  });
});

/** Answers of kube-apiserver 1.37, word for word. */
const SAID = {
  quota:
    'jobs.batch "b" is forbidden: exceeded quota: few, requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1',
  denied: 'admission webhook "deny.example.com" denied the request: no team label',
  deniedSilently: 'admission webhook "deny.example.com" denied the request without explanation',
  away: 'Internal error occurred: failed calling webhook "away.example.com": failed to call webhook: Post "https://127.0.0.1:1/?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused',
  policy:
    "jobs.batch \"d\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: a team must be named",
  ending: 'jobs.batch "d" is forbidden: unable to create new content in namespace term because it is being terminated',
  uid: 'Operation cannot be fulfilled on Job.batch "a": the UID in the precondition (0) does not match the UID in record (8). The object might have been deleted and then recreated',
  conflict:
    'Operation cannot be fulfilled on resourcequotas "few": the object has been modified; please apply your changes to the latest version and try again',
};

describe("admission", () => {
  test.each([
    [403, SAID.quota, "CLUSTER_QUOTA_EXCEEDED", true],
    [403, 'jobs.batch is forbidden: User "u" cannot create resource "jobs"', "CLUSTER_FORBIDDEN", true],
    [403, SAID.denied, "JOB_DENIED", false],
    [400, SAID.denied, "JOB_DENIED", false],
    [409, SAID.denied, "JOB_DENIED", false],
    [422, SAID.denied, "JOB_DENIED", false],
    [400, SAID.deniedSilently, "JOB_DENIED", false],
    [429, SAID.denied, "CLUSTER_WEBHOOK_FAILED", true],
    [500, SAID.denied, "CLUSTER_WEBHOOK_FAILED", true],
    [503, SAID.denied, "CLUSTER_WEBHOOK_FAILED", true],
    [500, SAID.away, "CLUSTER_WEBHOOK_FAILED", true],
    [422, SAID.policy, "JOB_DENIED", false],
    [403, SAID.policy, "JOB_DENIED", false],
  ])("%i %s is %s", (status, message, code, retryable) => {
    const error = refused(status, body(message));
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toContain(message);
  });

  test("a namespace that is being deleted is no lack of rights", () => {
    const causes = [{ reason: "NamespaceTerminating", message: "namespace term is being terminated", field: "x" }];
    const text = JSON.stringify({ message: SAID.ending, reason: "Forbidden", details: { causes } });
    expect(refused(403, text).code).toBe("CLUSTER_NAMESPACE_MISSING");
  });
});

test("causes that the message does not tell are told, with their fields", () => {
  const told = { field: "spec.a", message: "Required value" };
  const causes = [
    told,
    { field: "spec.b", message: "must be a number." },
    { message: "no field" },
    { field: "spec.c" },
  ];
  const text = JSON.stringify({ message: 'Job "x" is invalid: spec.a: Required value', details: { causes } });
  expect(refused(422, text).message).toBe(
    'The cluster https://k8s.example refused to create the Job a/b: Job "x" is invalid: spec.a: Required value; spec.b: must be a number; no field.',
  );
});

test("a 409 is another Job's name, another Job's uid, or a write that came between", () => {
  const answer = (message: string, reason = "Conflict") => ({
    status: 409,
    body: JSON.stringify({ message, reason }),
    retryAfterMs: undefined,
  });
  const kinds = [answer("x", "AlreadyExists"), answer(SAID.uid), answer(SAID.conflict)].map((one) => [
    isAlreadyThere(one),
    isPreconditionFailure(one),
  ]);
  expect(kinds).toEqual([
    [true, false],
    [false, true],
    [false, false],
  ]);
  expect(isPreconditionFailure({ ...answer(SAID.uid), status: 500 })).toBe(false);
});

test("a Status is read from its JSON", () => {
  expect(parseStatus('{"reason": "AlreadyExists"}').reason).toBe("AlreadyExists");
});
