// FiftyOne's documented setup of an on-demand orchestrator on Kubernetes, section by section, with opjob: each step by its
// commands, and by records as FiftyOne's Management SDK writes them. docs/on-demand-setup.md is the same as a page.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ObjectId } from "mongodb";
import { type LocalKubernetes, startLocalKubernetes } from "../src/local/kubernetes/server.ts";
import type { OperationDocument } from "../src/operations/operation.ts";
import { type FiftyoneDatabase, fiftyoneDatabase } from "./fiftyone-database.ts";
import { type DaemonUnderTest, daemonUnderTest, testConfig, until } from "./local-daemon.ts";
import { queued } from "./operations/documents.ts";

const NAMESPACES = ["fiftyone", "your-org-fiftyone-ai", "elsewhere"];
const TOKENS = { first: { user: "first" }, second: { user: "second" } };
const seed = (name: string): string => join(import.meta.dirname, "templates/seed", `${name}.yaml.j2`);

let fiftyone: FiftyoneDatabase;
let kubernetes: LocalKubernetes;
let daemon: DaemonUnderTest;
let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  fiftyone = await fiftyoneDatabase();
  folder = await mkdtemp(join(tmpdir(), "opjob-setup-"));
  kubernetes = await startLocalKubernetes({
    run: "simulated",
    namespaces: NAMESPACES,
    tokens: TOKENS,
    // One node with a GPU of the kind that the documented template selects.
    capacity: { "nvidia.com/gpu": "1" },
    node: { labels: { "cloud.google.com/gke-accelerator": "nvidia-tesla-t4" } },
  });
  for (const [namespace, name, data] of [
    ["fiftyone", "fiftyone-secrets", { "encryption-key": "k", "database-uri": "u" }],
    ["elsewhere", "fiftyone-secrets", { "encryption-key": "k", "database-uri": "u" }],
    [
      "your-org-fiftyone-ai",
      "your-org-teams-secrets",
      { encryptionKey: "k", mongodbConnectionString: "u", fiftyoneDatabaseName: "d" },
    ],
  ] as const)
    await kubernetes.createSecret(namespace, name, data);
  // "or from a kube config file that is present": what opjob finds where an orchestrator has no secret.
  await writeFile(file("default"), kubernetes.kubeconfig({ token: "first" }));
  process.env["KUBECONFIG"] = file("default");
  await fiftyone.db.collection("delegated_ops").createIndex({ run_state: 1 });
  daemon = await daemonUnderTest(testConfig(fiftyone.uri, fiftyone.name));
}, 60_000);
afterAll(async () => {
  await daemon.stop();
  await kubernetes.stop();
  await fiftyone[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function opjob(...args: string[]): Promise<string> {
  const { code, out, err } = await fiftyone.run(args);
  expect([args.join(" "), code, err]).toEqual([args.join(" "), 0, expect.any(String)]);
  return out;
}

type Container = {
  readonly image: string;
  readonly command: string[];
  readonly args: string[];
  readonly env: { name: string }[];
};
type Launched = { readonly namespace: string; readonly container: Container; readonly operation: OperationDocument };

/** Queues an operation as FiftyOne does, and waits for its Job. */
async function launch(target: string): Promise<Launched> {
  const document = queued({ delegation_target: target, queued_at: new Date() });
  await fiftyone.operations.insertOne(document);
  const operation = await until(`an operation of ${target} is launched`, async () => {
    const found = await fiftyone.db
      .collection<OperationDocument>("delegated_ops")
      .findOne({ _id: new ObjectId(document._id) });
    if (found?.run_state === "failed") throw new Error(JSON.stringify(found.opjob));
    return found?.opjob?.timeline.created && found;
  });
  const { namespace = "", job = "" } = operation.opjob ?? {};
  const path = `${kubernetes.url}/apis/batch/v1/namespaces/${namespace}/jobs/${job}`;
  const answer = await fetch(path, { headers: { authorization: "Bearer second" } });
  const { spec } = (await answer.json()) as { spec: { template: { spec: { containers: [Container] } } } };
  return { namespace, container: spec.template.spec.containers[0], operation };
}

/** A record as FiftyOne's Management SDK has it written: what the caller gave, under the environment's name. */
const sdkRecord = (instance_id: string, config: object, kubeConfig = "") =>
  fiftyone.orchestrators.insertOne({
    instance_id,
    description: `${instance_id} by the SDK`,
    environment: "kubernetes",
    available_operators: [],
    config: { kubernetes: config },
    secrets: { kubernetes: { kubeConfig } },
    created_at: new Date(),
    updated_at: new Date(),
  });

describe("Kubernetes credentials", () => {
  test("in-cluster, or from a kubeconfig that is present: the orchestrator has none", async () => {
    await opjob("orchestrator", "register", "own-credentials", "--execution-template", seed("minimal"));
    await sdkRecord("own-credentials-sdk", { executionTmplUri: seed("minimal") });
    for (const target of ["own-credentials", "own-credentials-sdk"])
      expect((await launch(target)).operation.opjob?.cluster).toBe(kubernetes.url);
  });

  test("the contents of a kubeconfig as a string", async () => {
    await writeFile(file("remote"), kubernetes.kubeconfig({ token: "first", namespace: "elsewhere" }));
    await opjob(
      "orchestrator",
      "register",
      "remote",
      "--execution-template",
      seed("minimal"),
      "--kubeconfig",
      file("remote"),
    );
    expect((await launch("remote")).operation.opjob?.cluster).toBe(kubernetes.url);
  });
});

describe("Create a Job template", () => {
  test("the minimal template runs the worker with its command, its arguments and the four variables", async () => {
    const { namespace, container, operation } = await launch("own-credentials");
    expect([namespace, container.command]).toEqual(["fiftyone", ["python"]]);
    expect(container.args.at(-1)).toBe(operation._id.toHexString());
    expect(container.env.map(({ name }) => name)).toEqual([
      "API_URL",
      "FIFTYONE_ENCRYPTION_KEY",
      "FIFTYONE_INTERNAL_SERVICE",
      "FIFTYONE_DATABASE_URI",
    ]);
  });

  test("the full production template is launched as it is", async () => {
    await opjob("orchestrator", "register", "production", "--execution-template", seed("production"));
    expect((await launch("production")).namespace).toBe("your-org-fiftyone-ai");
  });
});

describe("Register the orchestrator", () => {
  const options = ["--description", "Kubernetes GPU cluster for ML operations", "--namespace", "fiftyone"];
  const gpu = ["--execution-template", seed("gpu"), "--registration-template", seed("cpu")];

  test("a value makes a new secret, named after the orchestrator", async () => {
    await writeFile(file("kubeconfig"), kubernetes.kubeconfig({ token: "first", context: "my-cluster-context" }));
    const place = ["--context", "my-cluster-context", "--kubeconfig", file("kubeconfig")];
    const out = await opjob("orchestrator", "register", "kubernetes-gpu", ...gpu, ...options, ...place);
    expect(out).toContain("secret KUBE_CONFIG_KUBERNETES_GPU made");
    expect(await fiftyone.secretValue("KUBE_CONFIG_KUBERNETES_GPU")).toBe(await readFile(file("kubeconfig"), "utf8"));
    expect(await fiftyone.record("kubernetes-gpu")).toMatchObject({ environment: "kubernetes" });
    expect((await launch("kubernetes-gpu")).namespace).toBe("fiftyone");
  });

  test("the name of an existing secret is used as it is", async () => {
    await writeFile(file("existing"), kubernetes.kubeconfig({ token: "first" }));
    await opjob("secret", "set", "EXISTING_KUBECONFIG_SECRET", "--file", file("existing"));
    const before = await fiftyone.secrets.countDocuments();
    const secret = ["--kubeconfig-secret", "EXISTING_KUBECONFIG_SECRET"];
    await opjob("orchestrator", "register", "existing", "--execution-template", seed("minimal"), ...secret);
    await sdkRecord("existing-sdk", { executionTmplUri: seed("minimal") }, "EXISTING_KUBECONFIG_SECRET");
    expect(await fiftyone.secrets.countDocuments()).toBe(before);
    for (const target of ["existing", "existing-sdk"]) await launch(target);
  });

  test("image, namespace and context are options", async () => {
    const text = (await readFile(seed("minimal"), "utf8"))
      .replace("registry/image:tag", "{{ _image }}")
      .replace(/ {2}namespace: .*\n/, "");
    await writeFile(file("open.yaml.j2"), text);
    const given = ["--image", "your-registry/fiftyone-worker:latest", "--namespace", "elsewhere"];
    await opjob("orchestrator", "register", "options", "--execution-template", file("open.yaml.j2"), ...given);
    const { namespace, container } = await launch("options");
    expect([namespace, container.image]).toEqual(["elsewhere", "your-registry/fiftyone-worker:latest"]);
    // Without a namespace of its own the kubeconfig's counts.
    await opjob("orchestrator", "update", "remote", "--execution-template", file("open.yaml.j2"), "--image", "i:1");
    // Which of the two a daemon hears of first, the changed record or the next operation, is open for a moment.
    await until("the changed record is in use", async () => (await launch("remote")).namespace === "elsewhere");
  });
});

describe("Template storage", () => {
  test("a path, or the template's text itself in the record", async () => {
    await opjob("orchestrator", "register", "by-path", "--execution-template", seed("minimal"));
    await opjob("orchestrator", "register", "embedded", "--execution-template", seed("minimal"), "--embed");
    expect(JSON.stringify(await fiftyone.record("embedded"))).toContain('":"data:text/yaml;base64,');
    const encoded = Buffer.from(await readFile(seed("minimal"), "utf8")).toString("base64");
    await sdkRecord("embedded-sdk", { executionTmplUri: `data:text/yaml;base64,${encoded}` });
    const images = await Promise.all(
      ["by-path", "embedded", "embedded-sdk"].map(async (id) => (await launch(id)).container.image),
    );
    expect(images).toEqual(Array(3).fill("registry/image:tag"));
  });
});

describe("Separate CPU and GPU templates", () => {
  test("two orchestrators from one file in git: GPU work takes the GPU, CPU work does not", async () => {
    const text = `
instance_id: pair-gpu
config: { kubernetes: { executionTmplUri: ${seed("gpu")}, registrationTmplUri: ${seed("cpu")} } }
---
instance_id: pair-cpu
config: { kubernetes: { executionTmplUri: ${seed("cpu")} } }
`;
    await writeFile(file("pair.yaml"), text);
    await opjob("apply", "-f", file("pair.yaml"), "--yes");
    const limits = async (id: string) => JSON.stringify((await launch(id)).container).includes("nvidia.com/gpu");
    expect([await limits("pair-gpu"), await limits("pair-cpu")]).toEqual([true, false]);
    expect(await opjob("apply", "-f", file("pair.yaml"))).toContain("pair-gpu: no difference");
  });
});

describe("Refresh orchestrator operators", () => {
  type Job = { metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> } };
  const headers = { authorization: "Bearer first" };
  const registrationsOf = async (id: string): Promise<Job[]> => {
    const selector = "labelSelector=opjob/registration";
    const answer = await fetch(`${kubernetes.url}/apis/batch/v1/namespaces/fiftyone/jobs?${selector}`, { headers });
    const { items } = (await answer.json()) as { items: Job[] };
    return items.filter(({ metadata }) => metadata.annotations["opjob/orchestrator"] === id);
  };
  /** What the worker in the environment does. */
  const report = async (id: string, job: Job, operators: string[]): Promise<void> => {
    const set = { available_operators: operators, updated_at: new Date() };
    await fiftyone.orchestrators.updateOne({ instance_id: id }, { $set: set });
    const pods = `${kubernetes.url}/api/v1/namespaces/fiftyone/pods?labelSelector=job-name=${job.metadata.name}`;
    const name = await until("its Pod", async () => {
      const { items } = (await (await fetch(pods, { headers })).json()) as { items: { metadata: { name: string } }[] };
      return items[0]?.metadata.name;
    });
    kubernetes.simulate.finish({ namespace: "fiftyone", name }, 0);
  };

  test("a new orchestrator reports its operators by itself, by a Job of the registration template", async () => {
    const job = await until("its registration Job", async () => (await registrationsOf("pair-gpu"))[0]);
    expect(JSON.stringify(job)).not.toContain("nvidia.com/gpu");
    await report("pair-gpu", job, ["@voxel51/operators/clone_sample_field"]);
    await until("it is told", () =>
      daemon.lines.some(({ msg, orchestrator: id }) => msg === "refreshed" && id === "pair-gpu"),
    );
  });

  test("after a plugin was added, a refresh shows what is new", async () => {
    const known = (await registrationsOf("pair-gpu")).map(({ metadata }) => metadata.name);
    const refreshing = fiftyone.run(["orchestrator", "refresh", "pair-gpu"]);
    const job = await until("another Job", async () =>
      (await registrationsOf("pair-gpu")).find(({ metadata }) => !known.includes(metadata.name)),
    );
    await report("pair-gpu", job, ["@voxel51/operators/clone_sample_field", "@your/plugin/operator"]);
    const { code, out } = await refreshing;
    expect([code, out]).toEqual([
      0,
      "orchestrator pair-gpu: 2 operators, 1 added, 0 removed\n+ @your/plugin/operator\n",
    ]);
    expect((await fiftyone.record("pair-gpu"))?.["available_operators"]).toContain("@your/plugin/operator");
  });
});

describe("Credential rotation", () => {
  test("a new kubeconfig is used from then on, and the old credential may end", async () => {
    const secret = JSON.parse(await opjob("orchestrator", "show", "kubernetes-gpu", "--json")).fields
      .kubeconfigSecret as string;
    await writeFile(file("rotated"), kubernetes.kubeconfig({ token: "second", context: "my-cluster-context" }));
    expect(await opjob("secret", "rotate", secret, "--file", file("rotated"))).toContain(`${kubernetes.url} takes it`);
    // FiftyOne's own `update_secret` writes the same field: the other orchestrators' secrets by hand, as it does.
    await opjob("secret", "set", "EXISTING_KUBECONFIG_SECRET", "--file", file("rotated"));
    kubernetes.access.revoke("first");
    await launch("existing-sdk");
    await opjob("orchestrator", "update", "pair-cpu", "--kubeconfig-secret", "EXISTING_KUBECONFIG_SECRET");
    await launch("pair-cpu");
  });
});

test("after all of it, everything can be seen", async () => {
  const { out } = await fiftyone.run(["status"]);
  for (const id of ["kubernetes-gpu", "own-credentials-sdk", "embedded", "pair-cpu"]) expect(out).toContain(id);
  expect(await opjob("orchestrator", "list")).toContain("Kubernetes GPU cluster for ML operations");
});
