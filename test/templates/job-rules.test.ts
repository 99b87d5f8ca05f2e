// Kubernetes' rules for names and labels, told with the field and the remedy before a cluster is asked.
import { describe, expect, test } from "@jest/globals";
import { compileTemplate } from "../../src/templates/render.ts";
import { stampJob } from "../../src/templates/stamp.ts";
import { refusal } from "../refusal.ts";
import { ACCEPTED, jobText as job, REFUSED } from "./named-jobs.ts";

const VALUES = { _id: "65f1", _name: "echo-65f1", _image: "registry/w:1", _command: "python", _args: ["a"] };

const manifestOf = (source: string) => compileTemplate(source, "gpu.yaml.j2").manifest(VALUES);
describe("refused", () => {
  test.each(REFUSED)("%s", (_, source, words, remedy) => {
    const error = refusal(() => manifestOf(source));
    expect([error.code, error.retryable]).toEqual(["TEMPLATE_JOB_INVALID", false]);
    expect(error.message).toContain('template "gpu.yaml.j2"');
    expect(error.message).toContain(words);
    expect(error.remedy).toContain(remedy);
  });

  test("a Job that no cluster stores", () => {
    const anchored = job("name: a").replace("image: x", "image: x, args: [&a {{ _args[0] }}, *a, *a, *a]");
    const manifest = (arg: string) => compileTemplate(anchored, "gpu.yaml.j2").manifest({ ...VALUES, _args: [arg] });
    expect(manifest("b")).toMatchObject({ kind: "Job" });
    const error = refusal(() => manifest("b".repeat(400_000)));
    expect([error.code, error.message]).toEqual([
      "TEMPLATE_JOB_INVALID",
      expect.stringContaining("more than 1500000 bytes"),
    ]);
    expect(error.remedy).toContain("ConfigMap");
  });

  test("a Job that is too large in bytes, not in characters", () => {
    const source = job("name: a").replace("image: x", "image: x, args: ['{{ _args[0] }}']");
    const manifest = (arg: string) => compileTemplate(source, "gpu.yaml.j2").manifest({ ...VALUES, _args: [arg] });
    expect(manifest("a".repeat(600_000))).toMatchObject({ kind: "Job" });
    expect(refusal(() => manifest("秘".repeat(600_000))).message).toContain("more than 1500000 bytes");
  });

  test("a Job that is too large by what the template itself says", () => {
    const args = `args: ['${"秘".repeat(200_000)}', &a '${"b".repeat(200_000)}'${", *a".repeat(5)}]`;
    const source = job("name: a").replace("image: x", `image: x, ${args}`);
    expect(refusal(() => manifestOf(source)).message).toContain("more than 1500000 bytes");
  });
});

describe("accepted", () => {
  test.each(ACCEPTED)("%s", (_, source) => {
    expect(manifestOf(source)).toMatchObject({ kind: "Job" });
  });
});

test("a generateName becomes the beginning of a name that the operation decides", () => {
  const stamp = {
    operation: "65f1c0ffee1234567890abcd",
    operator: "o",
    orchestrator: "g",
    attempt: 1,
    queuedAt: null,
    database: "d",
    namespace: "n",
  };
  const { name, manifest } = stampJob(manifestOf(job("generateName: echo-")), stamp);
  expect(name).toBe("echo-65f1c0ffee1234567890abcd");
  expect(manifest["metadata"]).not.toHaveProperty("generateName");
});
