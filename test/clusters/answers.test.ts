// What an API server's refusals become: one of our errors, with the server's own words.
import { describe, expect, test } from "@jest/globals";
import { parseStatus, refusal } from "../../src/clusters/answers.ts";

const body = (message: string): string => JSON.stringify({ kind: "Status", status: "Failure", message });
const refused = (status: number, text = body("words of the server"), retryAfter?: string) =>
  refusal({ status, body: text, retryAfter }, "create the Job a/b", "https://k8s.example");

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
  test.each([
    ["7", 7_000],
    ["0", 0],
    ["1000000", 3_600_000],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    [undefined, undefined],
  ])("of %p is %p ms", (header, ms) => {
    expect(refused(429, body("slow"), header).retryAfterMs).toBe(ms);
  });
});

test("a Status is read from its JSON", () => {
  expect(parseStatus('{"reason": "AlreadyExists"}').reason).toBe("AlreadyExists");
});
