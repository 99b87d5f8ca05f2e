// What opjob adds to a team's Job, and that it changes nothing else.
import { describe, expect, test } from "@jest/globals";
import type { JsonObject } from "../../src/templates/json.ts";
import { namespaceOf, type Stamp, stampJob } from "../../src/templates/stamp.ts";

const ID = "6b0364133073fa365dde3037";
const STAMP: Stamp = {
  operation: ID,
  operator: "@voxel51/brain/compute_similarity",
  orchestrator: "kubernetes gpu",
  attempt: 1,
  queuedAt: new Date("2026-11-23T08:00:00.123Z"),
  database: "f1ngerpr1nt",
  namespace: "fallback",
};
const SPEC: JsonObject = { backoffLimit: 0, template: { spec: { containers: [{ name: "a" }] } } };
const job = (metadata: JsonObject | null, spec: JsonObject = SPEC): JsonObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata,
  spec,
});

const MARKS = {
  labels: {
    "app.kubernetes.io/managed-by": "opjob",
    "opjob/operation": ID,
    "opjob/orchestrator": expect.stringMatching(/^kubernetes-gpu-[0-9a-f]{8}$/) as unknown,
    "opjob/attempt": "1",
  },
  annotations: {
    "opjob/orchestrator": "kubernetes gpu",
    "opjob/operator": "@voxel51/brain/compute_similarity",
    "opjob/database": "f1ngerpr1nt",
    "opjob/queued-at": "2026-11-23T08:00:00.123Z",
  },
};

test("Job and Pod get the same labels and annotations, and nothing else changes", () => {
  const { name, namespace, manifest } = stampJob(job({ name: `a-${ID}`, namespace: "team" }), STAMP);
  expect([name, namespace]).toEqual([`a-${ID}`, "team"]);
  expect(manifest).toEqual({
    ...job({ name, namespace, ...MARKS } as unknown as JsonObject),
    spec: { ...SPEC, template: { spec: { containers: [{ name: "a" }] }, metadata: MARKS } },
  });
});

test("what the author wrote stays, but the label that we select by is ours", () => {
  const own = {
    labels: { team: "vision", "app.kubernetes.io/managed-by": "argo", "opjob/operation": "other" },
    annotations: { note: "x" },
    finalizers: ["team/keep"],
  };
  const { manifest } = stampJob(job({ name: "a", ...own }), STAMP);
  expect(manifest["metadata"]).toMatchObject({
    labels: { team: "vision", "app.kubernetes.io/managed-by": "argo", "opjob/operation": ID },
    annotations: { note: "x", "opjob/database": "f1ngerpr1nt" },
    finalizers: ["team/keep"],
  });
});

test("the manifest that was given is left as it was: it is used for the next operation as well", () => {
  const given = job({ name: "a", labels: { x: "y" } });
  const before = structuredClone(given);
  stampJob(given, STAMP);
  expect(given).toEqual(before);
});

describe("name and namespace", () => {
  test.each<[string, JsonObject | null, string, string]>([
    ["without metadata", null, ID, "fallback"],
    ["with empty ones", { name: "", namespace: "" }, ID, "fallback"],
    ["with a name that lacks the id", { name: "worker" }, `worker-${ID}`, "fallback"],
    [
      "with generateName, which would make a second Job of a repeated call",
      { generateName: "worker-" },
      `worker-${ID}`,
      "fallback",
    ],
    ["with both names", { name: "a", generateName: "b-", namespace: "team" }, `a-${ID}`, "team"],
  ])("%s", (_, metadata, name, namespace) => {
    const stamped = stampJob(job(metadata), STAMP);
    expect([stamped.name, stamped.namespace]).toEqual([name, namespace]);
    expect(stamped.manifest["metadata"]).toMatchObject({ name, namespace });
    expect(stamped.manifest["metadata"]).not.toHaveProperty("generateName");
  });

  test("an attempt has its own name and label", () => {
    const { name, manifest } = stampJob(job({ name: "a" }), { ...STAMP, attempt: 3 });
    expect(name).toBe(`a-${ID}-3`);
    expect(manifest).toMatchObject({ metadata: { labels: { "opjob/attempt": "3" } } });
  });

  test("the namespace that a manifest names itself can be asked for", () => {
    expect(namespaceOf(job({ namespace: "team" }))).toBe("team");
    expect(namespaceOf(job({ name: "a" }))).toBeUndefined();
    expect(namespaceOf(job(null))).toBeUndefined();
  });
});

test("labels and annotations that the author left empty or wrote wrong are replaced by ours", () => {
  const { manifest } = stampJob(job({ name: "a", labels: null, annotations: ["x"] }, { template: null }), STAMP);
  expect(manifest).toMatchObject({ metadata: MARKS, spec: { template: { metadata: MARKS } } });
});
