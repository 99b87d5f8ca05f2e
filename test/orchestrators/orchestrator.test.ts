// An orchestrator's record in every shape that FiftyOne's programs are known to write, and what is refused.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { OpjobError } from "../../src/errors.ts";
import { normaliseSecretName, type Orchestrator, parseOrchestrator } from "../../src/orchestrators/orchestrator.ts";

const UPDATED = new Date("2026-11-22T22:00:00Z");
const RECORD = {
  _id: "6b0366dd52ef4e84a8457600",
  instance_id: "kubernetes-gpu",
  description: "Kubernetes GPU cluster for ML operations",
  environment: "kubernetes",
  available_operators: ["@peer/echo"],
  updated_at: UPDATED,
};
const NESTED = {
  image: "registry/worker:1",
  executionTmplUri: "/templates/gpu-job-template.yaml.j2",
  registrationTmplUri: "/templates/cpu-job-template.yaml.j2",
  namespace: "fiftyone",
  context: "my-cluster-context",
  maxInFlight: 5,
};
const FLAT = {
  image: "registry/worker:1",
  execution_tmpl_uri: "/templates/gpu-job-template.yaml.j2",
  registration_tmpl_uri: "/templates/cpu-job-template.yaml.j2",
  namespace: "fiftyone",
  context: "my-cluster-context",
  max_in_flight: 5,
};
const FULL: Orchestrator = {
  id: "kubernetes-gpu",
  image: "registry/worker:1",
  executionTemplate: "/templates/gpu-job-template.yaml.j2",
  registrationTemplate: "/templates/cpu-job-template.yaml.j2",
  namespace: "fiftyone",
  context: "my-cluster-context",
  kubeconfigSecret: "KUBE_CONFIG_KUBERNETES_GPU",
  maxInFlight: 5,
  updatedAt: UPDATED,
};
const NAME = "KUBE_CONFIG_KUBERNETES_GPU";

function refusal(record: Record<string, unknown>): OpjobError {
  try {
    parseOrchestrator(record);
  } catch (error) {
    if (error instanceof OpjobError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("one orchestrator, whatever the shape", () => {
  test.each<[string, unknown, unknown]>([
    ["under the environment, in camelCase", { kubernetes: NESTED }, { kubernetes: { kubeConfig: NAME } }],
    ["flat, in snake_case", FLAT, { kube_config: NAME }],
    ["flat, in camelCase", NESTED, { kubeConfig: NAME }],
    ["under the environment, in snake_case", { kubernetes: FLAT }, { kubernetes: { kube_config: NAME } }],
    ["under the environment's name in capitals", { KUBERNETES: NESTED }, { KUBERNETES: { kubeConfig: NAME } }],
    ["config nested, secrets flat", { kubernetes: NESTED }, { kube_config: NAME }],
    [
      "both in one: the nested wins",
      { image: "old", kubernetes: NESTED },
      { kubeConfig: "OLD", kubernetes: { kubeConfig: NAME } },
    ],
    [
      "some fields here, some there",
      { ...FLAT, kubernetes: { image: "registry/worker:1" } },
      { kube_config: NAME, kubernetes: {} },
    ],
    ["a section of null beside flat fields", { ...FLAT, kubernetes: null }, { kube_config: NAME, kubernetes: null }],
    ["an empty spelling beside a full one", { ...FLAT, executionTmplUri: "" }, { kubeConfig: "", kube_config: NAME }],
  ])("%s", (_, config, secrets) => {
    expect(parseOrchestrator({ ...RECORD, config, secrets })).toEqual(FULL);
  });
});

test.each<[string, Record<string, unknown>]>([
  ["absent", {}],
  ["null", { config: null, secrets: null }],
  ["empty", { config: {}, secrets: { kubernetes: {} } }],
  ["full of empty texts", { config: { image: "", namespace: "" }, secrets: { kubernetes: { kubeConfig: "" } } }],
])("config and secrets that are %s leave everything open: in-cluster, by the template", (_, sections) => {
  const { id, updatedAt, ...rest } = parseOrchestrator({ ...RECORD, ...sections });
  expect([id, updatedAt]).toEqual(["kubernetes-gpu", UPDATED]);
  expect(Object.values(rest).every((value) => value === undefined)).toBe(true);
});

describe("nonsense is refused with the orchestrator's name and the field's", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["config is a text", { config: "x" }, "config must be an object"],
    ["config is a list", { config: [NESTED] }, "config must be an object"],
    ["config is a date", { config: UPDATED }, "config must be an object"],
    ["config.kubernetes is a text", { config: { kubernetes: "x" } }, "config.kubernetes must be an object"],
    ["secrets is a text", { secrets: NAME }, "secrets must be an object"],
    ["the template is a number", { config: { executionTmplUri: 5 } }, "executionTmplUri must be a text"],
    ["the namespace is an object", { config: { kubernetes: { namespace: {} } } }, "namespace must be a text"],
    ["the limit is negative", { config: { kubernetes: { maxInFlight: -1 } } }, "maxInFlight must be a whole number"],
    ["the limit is a half", { config: { max_in_flight: 2.5 } }, "max_in_flight must be a whole number"],
    ["the limit is a word", { config: { maxInFlight: "many" } }, "maxInFlight must be a whole number"],
    ["the secret's name is true", { secrets: { kube_config: true } }, "kube_config must be a text"],
  ])("%s", (_, fields, words) => {
    const error = refusal({ ...RECORD, ...fields });
    expect(error.code).toBe("ORCHESTRATOR_INVALID");
    expect(error.message).toContain('"kubernetes-gpu"');
    expect(error.message).toContain(words);
  });

  test.each([undefined, null, "", 5, {}])("an instance_id of %p is refused with the record's _id", (instance_id) => {
    expect(refusal({ ...RECORD, instance_id }).message).toContain(RECORD._id);
  });

  test("a refusal does not repeat a wrong value: it may be a kubeconfig in the wrong place", () => {
    const error = refusal({ ...RECORD, secrets: { kubeConfig: { token: "hunter2" } } });
    expect(`${error.message} ${error.remedy}`).not.toContain("hunter2");
  });
});

test("any document gives an orchestrator or our own error", () => {
  const config = fc.oneof(
    fc.anything(),
    fc.dictionary(fc.constantFrom("kubernetes", "image", "context"), fc.anything()),
  );
  fc.assert(
    fc.property(fc.record({ instance_id: fc.constant("x"), config, secrets: config }), (record) => {
      try {
        expect(parseOrchestrator(record).id).toBe("x");
      } catch (error) {
        if (!(error instanceof OpjobError)) throw error;
      }
    }),
  );
});

test.each([
  ["kube config kubernetes-gpu", "KUBE_CONFIG_KUBERNETES_GPU"],
  ["KUBE_CONFIG_KUBERNETES_GPU", "KUBE_CONFIG_KUBERNETES_GPU"],
  [" my.secret/key ", "MY_SECRET_KEY"],
  ["clé n°1", "CLÉ_N_1"],
  ["---", ""],
])("the secret %p is looked up as %p", (name, normal) => {
  expect(normaliseSecretName(name)).toBe(normal);
});
