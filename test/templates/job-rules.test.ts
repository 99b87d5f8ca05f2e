// Kubernetes' rules for names and labels, told with the field and the remedy before a cluster is asked.
import { describe, expect, test } from "@jest/globals";
import { compileTemplate } from "../../src/templates/render.ts";
import { stampJob } from "../../src/templates/stamp.ts";
import { refusal } from "../refusal.ts";

const VALUES = { _id: "65f1", _name: "echo-65f1", _image: "registry/w:1", _command: "python", _args: ["a"] };

const job = (metadata: string, pod = "", name = "worker"): string => `apiVersion: batch/v1
kind: Job
metadata: {${metadata}}
spec: {template: {metadata: {labels: {a: b}${pod}}, spec: {containers: [{name: ${name}, image: x}]}}}`;
const manifestOf = (source: string) => compileTemplate(source, "gpu.yaml.j2").manifest(VALUES);
const LONG = "a".repeat(64);

describe("refused", () => {
  test.each([
    ["a name with capitals", job("name: Echo"), "metadata.name must consist of", "{{ _name }}"],
    ["a name with an underscore", job("name: a_b"), "metadata.name must", "{{ _name }}"],
    ["a generateName with a blank", job("generateName: a b-"), "metadata.generateName must", "{{ _name }}"],
    ["a namespace of more words", job("name: a, namespace: a.b"), "metadata.namespace must", "namespace"],
    ["a long namespace", job(`name: a, namespace: ${LONG}`), "metadata.namespace must", "namespace"],
    ["a long label", job(`name: a, labels: {task: ${LONG}}`), "metadata.labels.task must be at most 63", "annotation"],
    ["a label with a slash", job("name: a, labels: {task: a/b}"), "metadata.labels.task must", "annotation"],
    [
      "a label of the Pod",
      job("name: a", ", annotations: {x y: z}"),
      'key "x y" of spec.template.metadata.annotations',
      "key",
    ],
    ["a long key", job(`name: a, labels: {${LONG}: x}`), "of metadata.labels must be a name of at most 63", "key"],
    [
      "a key with a strange domain",
      job("name: a, annotations: {A_B/c: x}"),
      'key "A_B/c" of metadata.annotations',
      "key",
    ],
    ["a container's name", job("name: a", "", "My_Worker"), "spec.template.spec.containers[0].name must", "container"],
  ])("%s", (_, source, words, remedy) => {
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
});

describe("accepted", () => {
  test.each([
    ["names of all kinds", job("name: a-1.b, namespace: team-a")],
    ["labels", job("name: a, labels: {app.kubernetes.io/name: a_b.c-D, 1: '', x: }")],
    ["annotations with any text", job("name: a, annotations: {note: 'a b: c/d'}")],
    ["no name at all", job("")],
    ["a generateName", job("generateName: echo-")],
  ])("%s", (_, source) => {
    expect(manifestOf(source)).toMatchObject({ kind: "Job" });
  });
});

test("a generateName becomes the beginning of a name that the operation decides", () => {
  const stamp = {
    operation: "65f1c0ffee1234567890abcd",
    operator: "o",
    orchestrator: "g",
    attempt: 1,
    database: "d",
    namespace: "n",
  };
  const { name, manifest } = stampJob(manifestOf(job("generateName: echo-")), stamp);
  expect(name).toBe("echo-65f1c0ffee1234567890abcd");
  expect(manifest["metadata"]).not.toHaveProperty("generateName");
});
