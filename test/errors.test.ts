// The family of errors: each code can be explained to a person, and anything thrown becomes one of them.
import { expect, test } from "@jest/globals";
import { COMMAND_ERRORS } from "../src/command-errors.ts";
import { asOpjobError, ERRORS, type ErrorCode, OpjobError } from "../src/errors.ts";

test.each(Object.entries(ERRORS))(
  "%s has a meaning and a remedy that are whole sentences",
  (_, { meaning, remedy }) => {
    expect(meaning).toMatch(/^[A-Z].*\.$/s);
    expect(remedy).toMatch(/^[A-Z`].*\.$/s);
    expect(`${meaning} ${remedy}`).not.toMatch(/expired/i);
  },
);

test("what stands in the way from outside is tried again; a Job that can never be made is not", () => {
  const ofLaunches = Object.keys(ERRORS).filter((code) => !(code in COMMAND_ERRORS));
  const final = ofLaunches.filter((code) => !ERRORS[code as ErrorCode].retryable);
  expect(final.toSorted()).toEqual([
    "JOB_DENIED",
    "JOB_NAME_TAKEN",
    "JOB_REFUSED",
    "SETTING_INVALID",
    "TEMPLATE_JOB_INVALID",
    "TEMPLATE_NOT_A_JOB",
    "TEMPLATE_RENDER_FAILED",
    "TEMPLATE_VALUE_UNCLEAR",
    "TEMPLATE_YAML_INVALID",
  ]);
});

test("an error of ours stays itself", () => {
  const cause = new Error("why");
  const error = new OpjobError("CLUSTER_OVERLOADED", "busy", { cause, remedy: "Wait.", retryAfterMs: 3_000 });
  expect(asOpjobError(error)).toBe(error);
  expect(error).toMatchObject({ cause, remedy: "Wait.", retryAfterMs: 3_000, retryable: true });
});

test.each<[string, unknown]>([
  ["an Error", new TypeError("odd")],
  ["a text", "odd"],
  ["nothing", undefined],
])("%s that is thrown is INTERNAL, is tried again, and keeps its cause", (_, thrown) => {
  const error = asOpjobError(thrown);
  expect(error).toMatchObject({ code: "INTERNAL", retryable: true });
  expect(error.cause).toBe(thrown);
});
