// How records are written: new ones as FiftyOne has them, changes in the shape of the record, whatever shape that is.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Collection, Document } from "mongodb";
import { openRegistry } from "../../src/orchestrators/mongo-records.ts";
import { parseOrchestrator } from "../../src/orchestrators/orchestrator.ts";
import { newRecord, type RecordChange, updateRecord } from "../../src/orchestrators/record.ts";
import { type TestDatabase, testDatabase } from "../mongo.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const FIELDS: RecordChange = {
  description: "GPU",
  executionTemplate: "/gpu.yaml.j2",
  namespace: "fiftyone",
  kubeconfigSecret: "KUBE_CONFIG_GPU",
};
const NESTED = { config: { kubernetes: { executionTmplUri: "/a" } }, secrets: { kubernetes: { kubeConfig: "K" } } };
const FLAT = { config: { execution_tmpl_uri: "/a" }, secrets: { kube_config: "K" } };

describe("a new record", () => {
  test("has FiftyOne's fields: a description always, and no deactivated_at", () => {
    expect(newRecord("gpu", FIELDS, [], NOW)).toEqual({
      instance_id: "gpu",
      description: "GPU",
      environment: "kubernetes",
      available_operators: [],
      config: { execution_tmpl_uri: "/gpu.yaml.j2", namespace: "fiftyone" },
      secrets: { kube_config: "KUBE_CONFIG_GPU" },
      created_at: NOW,
      updated_at: NOW,
    });
    const { executionTemplate } = FIELDS;
    const bare = newRecord("gpu", { executionTemplate }, [], NOW);
    expect(bare).toMatchObject({ description: null, config: { execution_tmpl_uri: "/gpu.yaml.j2" }, secrets: {} });
    expect(Object.values(bare).filter((value) => value === null)).toHaveLength(1);
  });

  test.each<[string, Document[], Document]>([
    ["of records under the environment", [NESTED], { kubernetes: { kubeConfig: "KUBE_CONFIG_GPU" } }],
    ["of flat records", [FLAT], { kube_config: "KUBE_CONFIG_GPU" }],
    ["of the newest", [FLAT, NESTED], { kubernetes: { kubeConfig: "KUBE_CONFIG_GPU" } }],
    [
      "of another environment's records",
      [
        {
          environment: "databricks",
          config: { databricks: { clusterId: "x" } },
          secrets: { databricks: { token: "T" } },
        },
      ],
      { kubernetes: { kubeConfig: "KUBE_CONFIG_GPU" } },
    ],
    [
      "of those that tell, past those that do not",
      [FLAT, { config: {}, secrets: null }],
      { kube_config: "KUBE_CONFIG_GPU" },
    ],
    [
      "in snake_case under the environment",
      [{ secrets: { kubernetes: { kube_config: "K" } } }],
      { kubernetes: { kube_config: "KUBE_CONFIG_GPU" } },
    ],
  ])("takes the shape %s", (_, documents, secrets) => {
    expect(newRecord("gpu", FIELDS, documents, NOW)["secrets"]).toEqual(secrets);
  });

  test("is read back as it was declared, in every shape", () => {
    for (const documents of [[], [NESTED], [FLAT]]) {
      const { executionTemplate, namespace, kubeconfigSecret } = FIELDS;
      expect(parseOrchestrator(newRecord("gpu", FIELDS, documents, NOW))).toMatchObject({
        id: "gpu",
        executionTemplate,
        namespace,
        kubeconfigSecret,
      });
    }
  });
});

describe("a change, on a real database", () => {
  let database: TestDatabase;
  let collection: Collection<Document>;
  beforeAll(async () => {
    database = await testDatabase();
    collection = database.db.collection("orchestrators");
  });
  afterAll(() => database[Symbol.asyncDispose]());

  async function changed(document: Document, change: RecordChange): Promise<Document> {
    const { insertedId } = await collection.insertOne({ ...document });
    const stored = (await collection.findOne({ _id: insertedId })) as Document;
    expect(await openRegistry(collection).update(updateRecord(stored, change, NOW))).toBe(true);
    const { _id, updated_at, ...rest } = (await collection.findOne({ _id: insertedId })) as Document;
    expect(updated_at).toEqual(NOW);
    return rest;
  }

  test.each<[string, Document, RecordChange, Document]>([
    [
      "under the environment",
      NESTED,
      { executionTemplate: "/b", image: "i", kubeconfigSecret: "L" },
      { config: { kubernetes: { executionTmplUri: "/b", image: "i" } }, secrets: { kubernetes: { kubeConfig: "L" } } },
    ],
    [
      "flat",
      FLAT,
      { registrationTemplate: "/b", kubeconfigSecret: undefined },
      { config: { execution_tmpl_uri: "/a", registration_tmpl_uri: "/b" }, secrets: {} },
    ],
    [
      "where a part is null or missing",
      { config: { execution_tmpl_uri: "/a" }, secrets: null },
      { kubeconfigSecret: "K" },
      { config: { execution_tmpl_uri: "/a" }, secrets: { kube_config: "K" } },
    ],
    [
      "with both spellings: one is left",
      { config: { kubernetes: { executionTmplUri: "/a", execution_tmpl_uri: "/b" }, executionTmplUri: "/c" } },
      { executionTemplate: "/d" },
      { config: { kubernetes: { executionTmplUri: "/d" } } },
    ],
    [
      "with fields of others",
      { ...NESTED, other: 1, config: { kubernetes: { executionTmplUri: "/a", custom: { deep: [1] } }, top: true } },
      { image: "i", description: "d" },
      {
        ...NESTED,
        other: 1,
        description: "d",
        config: { kubernetes: { executionTmplUri: "/a", custom: { deep: [1] }, image: "i" }, top: true },
      },
    ],
    [
      "of the description alone, which is never missing",
      { ...FLAT, description: "d" },
      { description: undefined },
      { ...FLAT, description: null },
    ],
  ])("%s", async (_, document, change, expected) => {
    expect(await changed(document, change)).toEqual(expected);
  });

  test("is refused if somebody else changed config or secrets meanwhile, or the record is gone", async () => {
    const registry = openRegistry(collection);
    const { insertedId } = await collection.insertOne({ ...NESTED });
    const stored = (await collection.findOne({ _id: insertedId })) as Document;
    await collection.updateOne({ _id: insertedId }, { $set: { available_operators: ["@a/b"] } });
    expect(await registry.update(updateRecord(stored, { image: "i" }, NOW))).toBe(true);
    expect(await registry.update(updateRecord(stored, { image: "j" }, NOW))).toBe(false);
    await collection.deleteOne({ _id: insertedId });
    expect(await registry.update(updateRecord(stored, { image: "i" }, NOW))).toBe(false);
  });

  const value = fc.constantFrom("", "old", "older");
  const fields = fc.record(
    Object.fromEntries(
      ["image", "executionTmplUri", "execution_tmpl_uri", "namespace", "context", "mine"].map((name) => [name, value]),
    ),
    { requiredKeys: [] },
  );
  const secretFields = fc.record({ kubeConfig: value, kube_config: value, mine: value }, { requiredKeys: [] });
  const partOf = (inner: fc.Arbitrary<Document>): fc.Arbitrary<unknown> =>
    fc.oneof(
      inner,
      inner.map((kubernetes) => ({ kubernetes })),
      fc.tuple(inner, inner).map(([flat, KUBERNETES]) => ({ ...flat, KUBERNETES })),
      fc.constant(null),
    );
  const change = fc.record(
    {
      image: fc.constantFrom("new", undefined),
      executionTemplate: fc.constantFrom("new", undefined),
      kubeconfigSecret: fc.constantFrom("new", undefined),
    },
    { requiredKeys: [] },
  );

  test("whatever the shape: what was declared is read back, and nothing else differs", async () => {
    await fc.assert(
      fc.asyncProperty(partOf(fields), partOf(secretFields), change, async (config, secrets, wanted) => {
        const document = { instance_id: "x", config, secrets };
        const before = parseOrchestrator(document);
        const after = await changed(document, wanted);
        expect(parseOrchestrator(after)).toEqual({ ...before, ...wanted });
        expect(JSON.stringify(after["config"]).match(/mine/g)).toEqual((JSON.stringify(config) ?? "").match(/mine/g));
      }),
      { numRuns: 300 },
    );
  });
});
