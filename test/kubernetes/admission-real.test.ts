// What a real API server's admission does to a launch: quotas, webhooks that deny or cannot be reached, policies, namespaces that
// end. The webhook is a server of the test's own, with the control plane's certificate.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ObjectId } from "mongodb";
import { seen } from "./seen.ts";
import { type Stage, setStage } from "./stage.ts";

const RULES = [{ apiGroups: ["batch"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["jobs"] }];
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const HANG = { annotations: { "plane/hang": "" } };

let stage: Stage;
let hook: Server;
/** What the webhook answers; undefined: it admits. */
let denial: { readonly code?: number; readonly message: string } | undefined;

beforeAll(async () => {
  stage = await setStage({ OPJOB_RETRY_MAX_SECONDS: "1" });
  const [key, cert] = await Promise.all(
    ["apiserver.key", "apiserver.crt"].map((name) => readFile(join(stage.plane.directory, "keys", name))),
  );
  hook = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { uid } = (JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } }).request;
      const answer = { uid, allowed: denial === undefined, ...(denial && { status: denial }) };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
    });
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
}, 90_000);

afterAll(async () => {
  hook?.closeAllConnections();
  hook?.close();
  await stage?.[Symbol.asyncDispose]();
}, 30_000);

/** A namespace of its own with an orchestrator of the same name, ready to launch. */
async function place(name: string): Promise<string> {
  await stage.furnish(name);
  await stage.orchestrate(name, HANG, name);
  return name;
}

const post = async (path: string, body: object): Promise<void> => {
  const { code, text } = await stage.admin.send("POST", path, { body });
  if (code !== 201) throw new Error(text);
};

/** Which namespaces a rule of admission is for: the API server labels each with its name. */
const selecting = (namespace: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
});

async function addWebhook(namespace: string, url: string): Promise<void> {
  const bundle = (await readFile(join(stage.plane.directory, "keys/apiserver.crt"))).toString("base64");
  const webhook = {
    name: `${namespace}.example.com`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    timeoutSeconds: 2,
    failurePolicy: "Fail",
    clientConfig: { url, caBundle: bundle },
    rules: RULES,
    ...selecting(namespace),
  };
  await post(`${ADMISSION}/validatingwebhookconfigurations`, { metadata: { name: namespace }, webhooks: [webhook] });
}

/** A rule of admission is known to the API server a moment after it was made. */
const effective = (namespace: string, wanted: RegExp): Promise<unknown> =>
  seen(`${wanted} in ${namespace}`, async () => {
    const body = {
      metadata: { name: "x" },
      spec: { template: { spec: { restartPolicy: "Never", containers: [CONTAINER] } } },
    };
    const query = { dryRun: "All" };
    return wanted.test(
      (await stage.admin.send("POST", `/apis/batch/v1/namespaces/${namespace}/jobs`, { body, query })).text,
    );
  });
const CONTAINER = { name: "c", image: "i" };

const one = async (target: string): Promise<ObjectId> => {
  const [id] = await stage.queue(target);
  if (id === undefined) throw new Error("nothing was queued");
  return id;
};
/** The operation as soon as this is its run state, its phase or its reason. */
const is = (id: ObjectId, wanted: string) =>
  seen(`${id.toHexString()} ${wanted}`, async () => {
    const found = await stage.db.collection("delegated_ops").findOne({ _id: id });
    if (found === null) return undefined;
    return [found["run_state"], found["opjob"]?.phase, found["opjob"]?.reason].includes(wanted) ? found : undefined;
  });

test("a quota that is used up holds an operation until there is room", async () => {
  const name = await place("quota");
  const quota = `/api/v1/namespaces/${name}/resourcequotas`;
  await post(quota, { metadata: { name: "few" }, spec: { hard: { "count/jobs.batch": "1" } } });
  await seen("the quota counts", async () => {
    const { body } = await stage.admin.send("GET", `${quota}/few`);
    return body.status["hard"] !== undefined;
  });
  await is(await one(name), "running");
  const id = await one(name);
  const held = await is(id, "CLUSTER_QUOTA_EXCEEDED");
  expect(held["run_state"]).toBe("queued");
  expect(held["opjob"].message).toContain(
    "exceeded quota: few, requested: count/jobs.batch=1, used: count/jobs.batch=1",
  );
  const headers = { "content-type": "application/merge-patch+json" };
  await stage.admin.send("PATCH", `${quota}/few`, { body: { spec: { hard: { "count/jobs.batch": "5" } } }, headers });
  await is(id, "running");
});

describe("an admission webhook", () => {
  const url = (): string => `https://127.0.0.1:${(hook.address() as AddressInfo).port}/`;

  test.each<[string, number | undefined]>([
    ["without a code", undefined],
    ["with 403", 403],
    ["with 422", 422],
  ])("that denies %s fails the operation, with its name and words", async (what, code) => {
    const name = await place(`denied-${what.replaceAll(/\W+/g, "-")}`);
    denial = { message: "no team label", ...(code === undefined ? {} : { code }) };
    await addWebhook(name, url());
    await effective(name, /denied the request/);
    const failed = await is(await one(name), "failed");
    expect(failed["result"].error).toContain(
      `admission webhook "${name}.example.com" denied the request: no team label.`,
    );
    expect(failed["result"].error).toContain("JOB_DENIED");
    expect(failed["opjob"].reason).toBe("JOB_DENIED");
  });

  test("that asks to come later (429) holds the operation until it admits", async () => {
    const name = await place("later");
    denial = { message: "the team's budget is used up", code: 429 };
    await addWebhook(name, url());
    await effective(name, /denied the request/);
    const id = await one(name);
    const held = await is(id, "CLUSTER_WEBHOOK_FAILED");
    expect(held["opjob"].message).toContain("the team's budget is used up");
    denial = undefined;
    await is(id, "running");
  });

  test("that cannot be reached holds the operation until it can", async () => {
    const name = await place("away");
    await addWebhook(name, "https://127.0.0.1:1/");
    await effective(name, /failed calling webhook/);
    const id = await one(name);
    const held = await is(id, "CLUSTER_WEBHOOK_FAILED");
    expect(held["run_state"]).toBe("queued");
    expect(held["opjob"].message).toContain(`failed calling webhook "${name}.example.com"`);
    await stage.admin.send("DELETE", `${ADMISSION}/validatingwebhookconfigurations/${name}`);
    await is(id, "running");
  });
});

test("a policy that denies fails the operation, with its name and words", async () => {
  const name = await place("policy");
  const expression = "has(object.metadata.labels) && 'team' in object.metadata.labels";
  await post(`${ADMISSION}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: RULES },
      validations: [{ expression, message: "a team must be named" }],
    },
  });
  await post(`${ADMISSION}/validatingadmissionpolicybindings`, {
    metadata: { name: "policy-binding" },
    spec: { policyName: name, validationActions: ["Deny"], matchResources: selecting(name) },
  });
  await effective(name, /denied request/);
  const failed = await is(await one(name), "failed");
  expect(failed["result"].error).toContain(
    "ValidatingAdmissionPolicy 'policy' with binding 'policy-binding' denied request: a team must be named.",
  );
  expect(failed["opjob"].reason).toBe("JOB_DENIED");
});

test("a namespace that is being deleted holds the operation, as a missing one does", async () => {
  const name = await place("ending");
  const kept = { metadata: { name: "kept", finalizers: ["example.com/kept"] } };
  await post(`/api/v1/namespaces/${name}/configmaps`, kept);
  await stage.admin.send("DELETE", `/api/v1/namespaces/${name}`);
  const held = await is(await one(name), "held");
  // While it ends, its Role ends as well: what comes first depends on the moment.
  expect(["CLUSTER_NAMESPACE_MISSING", "CLUSTER_FORBIDDEN"]).toContain(held["opjob"].reason);
  expect(held["run_state"]).toBe("queued");
});

test("a Job that is invalid fails its operation, with every cause: field and message", async () => {
  const wrong = { container: { image: "", ports: [{ containerPort: 99_999 }] } };
  await stage.orchestrate("invalid", { ...HANG, ...wrong });
  const failed = await is(await one("invalid"), "failed");
  expect(failed["opjob"].reason).toBe("JOB_REFUSED");
  const { error } = failed["result"] as { error: string };
  expect(error).toContain("spec.template.spec.containers[0].image: Required value");
  expect(error).toMatch(
    /spec\.template\.spec\.containers\[0\]\.ports\[0\]\.containerPort: Invalid value: 99999: must be between 1 and 65535/,
  );
});
