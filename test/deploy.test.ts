// Whether what a cluster and a database are given in deploy/ and templates/ fits what the code does: no less, and no more.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { parse, parseAllDocuments } from "yaml";
import type { Call } from "../src/clusters/call.ts";
import { Cluster } from "../src/clusters/kubernetes.ts";
import { openLease } from "../src/clusters/lease.ts";
import { RIGHTS, resourceOf } from "../src/clusters/rights.ts";
import { type Config, readConfig } from "../src/config.ts";
import { startDaemon } from "../src/daemon.ts";
import { startMongod } from "../src/local/mongod.ts";
import { createLog } from "../src/log.ts";
import { usesLease } from "../src/own-lease.ts";
import type { Surroundings } from "../src/place.ts";
import { SETTINGS } from "../src/settings.ts";
import { type Wanted, wantedOfJob } from "../src/templates/job-types.ts";
import { compileTemplate } from "../src/templates/render.ts";
import { accessTo } from "./clusters/scripted.ts";
import { makeUser } from "./mongodb-role.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

type Tree = { readonly [name: string]: Tree } & readonly Tree[];
/** A manifest's fields, for reading only; what is missing fails the test with a TypeError that names it. */
const manifest = (name: string): Tree => parse(read(`deploy/${name}`)) as Tree;
const at = (tree: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], tree);

describe("the Role", () => {
  test("allows exactly the calls that the door to a cluster makes", async () => {
    const rules = at(manifest("role.yaml"), "rules") as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    const allowed = rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    );
    expect(allowed.toSorted()).toEqual(await callsOfTheDoor());
    const asked = RIGHTS.map((right) => `${right.verb} ${right.group}/${resourceOf(right)}`);
    expect(asked.toSorted()).toEqual(allowed.toSorted());
  });

  test("is bound to the account that the Deployment runs as", () => {
    const binding = manifest("role-binding.yaml");
    const account = at(manifest("service-account.yaml"), "metadata.name");
    expect(at(binding, "roleRef.name")).toBe(at(manifest("role.yaml"), "metadata.name"));
    expect(at(binding, "subjects.0.name")).toBe(account);
    expect(at(manifest("deployment.yaml"), "spec.template.spec.serviceAccountName")).toBe(account);
  });
});

describe("the Role for the Lease", () => {
  const [role, binding] = parseAllDocuments(read("deploy/role-lease.yaml")).map((document) => document.toJS() as Tree);

  test("allows exactly the calls that the door to the Lease makes, and only on the Lease that is the default", async () => {
    const asked = new Set<string>();
    const answer = { status: 404, body: "{}", warnings: [], retryAfterMs: undefined };
    const door = openLease(
      {
        call: async ({ verb, resource }) => {
          asked.add(`${verb} ${resource}`);
          return answer;
        },
        open: async ({ verb, resource }) => {
          asked.add(`${verb} ${resource}`);
          throw new Error("noted");
        },
        close: async () => undefined,
      },
      "https://cluster.test",
      { namespace: "n", name: SETTINGS.leaseName.default },
    );
    const lease = { holder: "", durationMs: 0, epoch: 0, instance: "", version: "1", raw: {} };
    const claim = { ...lease, acquiredAt: 0, renewedAt: 0 };
    await door.get();
    await door.put(lease, claim);
    await door.put(undefined, claim).catch(() => undefined);
    await door.changed(lease, 1_000, new AbortController().signal).catch(() => undefined);
    type Rule = { resources: string[]; verbs: string[]; resourceNames?: string[]; apiGroups: string[] };
    const rules = at(role, "rules") as Rule[];
    const allowed = rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`)),
    );
    expect(allowed.toSorted()).toEqual([...asked].toSorted());
    for (const { apiGroups, verbs, resourceNames } of rules) {
      expect(apiGroups).toEqual(["coordination.k8s.io"]);
      expect(resourceNames).toEqual(verbs.includes("create") ? undefined : [SETTINGS.leaseName.default]);
    }
  });

  test("is bound to opjob's account", () => {
    expect(at(binding, "roleRef.name")).toBe(at(role, "metadata.name"));
    expect(at(binding, "subjects.0.name")).toBe(at(manifest("service-account.yaml"), "metadata.name"));
  });
});

describe("replicas", () => {
  const deployment = manifest("deployment.yaml");

  test("are two only with a Lease, and one of them is always there", () => {
    expect(at(deployment, "spec.replicas")).toBe(2);
    const variables = at(deployment, "spec.template.spec.containers.0.env") as { name: string }[];
    expect(variables.map(({ name }) => name)).not.toContain("OPJOB_LEADERSHIP");
    expect(
      usesLease({ config: { leadership: SETTINGS.leadership.default } as Config, surroundings: inCluster(true) }),
    ).toBe(true);
    expect(at(manifest("kustomization.yaml"), "resources")).toContain("role-lease.yaml");
    expect(at(deployment, "spec.strategy")).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  test("without a Lease are one, and the old one ends first", () => {
    const patch = manifest("single.patch.yaml");
    expect(at(patch, "metadata")).toEqual(at(deployment, "metadata"));
    expect(at(patch, "spec.replicas")).toBe(1);
    expect(at(patch, "spec.strategy")).toEqual({ type: "Recreate", rollingUpdate: null });
    const container = at(patch, "spec.template.spec.containers.0");
    expect(at(container, "name")).toBe(at(deployment, "spec.template.spec.containers.0.name"));
    expect(at(container, "env")).toEqual([{ name: SETTINGS.leadership.env, value: "off" }]);
    expect(usesLease({ config: { leadership: "off" } as Config, surroundings: inCluster(true) })).toBe(false);
  });
});

const inCluster = (is: boolean): Surroundings => ({ inCluster: is, serviceAccountNamespace: undefined });

/** What a cluster allows to every account: to ask what it may do, and which version the cluster has. */
const OPEN_TO_ALL = ["create selfsubjectaccessreviews", "get version"];

/** What the door asks for, with each of its functions used once: calls name their verb and resource for the metrics. */
async function callsOfTheDoor(): Promise<string[]> {
  const groups: Record<string, string> = {
    jobs: "batch/jobs",
    pods: "/pods",
    "pods/log": "/pods/log",
    events: "/events",
  };
  const asked = new Set<string>();
  const note = ({ verb, resource }: Call): void => void asked.add(`${verb} ${groups[resource] ?? resource}`);
  const cluster = new Cluster(accessTo("https://cluster.test"), {
    timeoutMs: 1_000,
    onCall: () => undefined,
    connect: () => ({
      call: async (call) => {
        note(call);
        return { status: 200, body: "{}", warnings: [], retryAfterMs: undefined };
      },
      open: async (call) => {
        note(call);
        throw new Error("noted");
      },
      close: async () => undefined,
    }),
  });
  const uses = {
    createJob: () => cluster.createJob("n", "j", {}),
    tryJob: () => cluster.tryJob("n", "j", {}),
    mayI: () => cluster.mayI("n", RIGHTS[0] as (typeof RIGHTS)[number]),
    version: () => cluster.version(),
    getJob: () => cluster.getJob("n", "j"),
    deleteJob: () => cluster.deleteJob("n", "j", "u"),
    podsOf: () => cluster.podsOf({ namespace: "n", name: "j" }),
    events: () => cluster.events("n", { uid: "u" }),
    podLog: () => cluster.podLog("n", "p", { container: "c", tailLines: 1, limitBytes: 1 }),
    openLog: () =>
      Promise.allSettled([cluster.openLog("n", "p", { container: "c", follow: true }, new AbortController().signal)]),
    listPage: () => Promise.all([cluster.listPage("jobs", "n", undefined), cluster.listPage("pods", "n", undefined)]),
    watch: () =>
      Promise.allSettled(
        (["jobs", "pods"] as const).map((kind) =>
          cluster.watch(kind, "n", { resourceVersion: "1" }, new AbortController().signal),
        ),
      ),
  } satisfies Record<
    Exclude<keyof Cluster, "key" | "server" | "namespace" | "traffic" | "links" | "close">,
    () => unknown
  >;
  for (const use of Object.values(uses)) await use();
  return [...asked].filter((call) => !OPEN_TO_ALL.includes(call)).toSorted();
}

describe("the Deployment", () => {
  const pod = at(manifest("deployment.yaml"), "spec.template.spec");
  const container = at(pod, "containers.0");
  const variables = at(container, "env") as { name: string; value?: string; valueFrom?: unknown }[];

  test("sets only variables that opjob or Node knows", () => {
    const known = [...Object.values(SETTINGS).map(({ env }) => env as string), "NODE_OPTIONS"];
    expect(variables.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
  });

  test("takes every secret setting from the Secret of the example", () => {
    const secret = manifest("secret.example.yaml");
    const secretSettings = Object.values(SETTINGS).filter((setting) => "sensitive" in setting && setting.sensitive);
    for (const { env } of secretSettings) {
      const reference = at(variables.find(({ name }) => name === env)?.valueFrom, "secretKeyRef");
      expect(at(reference, "name")).toBe(at(secret, "metadata.name"));
      expect(Object.keys(at(secret, "stringData") as object)).toContain(at(reference, "key"));
    }
  });

  test("gives opjob longer to stop than opjob takes", () => {
    expect(at(pod, "terminationGracePeriodSeconds")).toBeGreaterThan(SETTINGS.stopTimeoutSeconds.default);
  });

  test("keeps Node's heap below the memory limit", () => {
    const heap = /--max-old-space-size=(\d+)/.exec(variables.find(({ name }) => name === "NODE_OPTIONS")?.value ?? "");
    const limit = /^(\d+)Mi$/.exec(at(container, "resources.limits.memory") as string);
    expect(Number(heap?.[1])).toBeLessThan(Number(limit?.[1]) * 0.8);
  });

  test("probes the paths and the port that opjob serves", () => {
    const health = read("src/health.ts");
    for (const probe of ["livenessProbe", "readinessProbe"]) {
      expect(health).toContain(`"${String(at(container, `${probe}.httpGet.path`))}"`);
      expect(at(container, `${probe}.httpGet.port`)).toBe(at(container, "ports.0.name"));
    }
    expect(at(container, "ports.0.containerPort")).toBe(SETTINGS.httpPort.default);
  });

  test("runs as the image's user, who may write nothing and gain nothing", () => {
    const user = /^USER (\d+):/m.exec(read("Dockerfile"))?.[1];
    expect(String(at(pod, "securityContext.runAsUser"))).toBe(user);
    expect(at(pod, "securityContext")).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(at(container, "securityContext")).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });
});

describe("the kustomizations", () => {
  test("name only files that exist", () => {
    const resources = at(manifest("kustomization.yaml"), "resources") as string[];
    expect(resources.filter((name) => !existsSync(join(ROOT, "deploy", name)))).toEqual([]);
  });

  test("put every template into the ConfigMap that the Deployment mounts", () => {
    const generator = at(parse(read("templates/kustomization.yaml")), "configMapGenerator.0");
    expect((at(generator, "files") as string[]).toSorted()).toEqual(templates().toSorted());
    const volume = at(manifest("deployment.yaml"), "spec.template.spec.volumes.0.configMap.name");
    expect(volume).toBe(at(generator, "name"));
  });

  test("name the version of package.json as the image's tag", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(at(manifest("kustomization.yaml"), "images.0.newTag")).toBe(version);
  });
});

function templates(): string[] {
  return readdirSync(join(ROOT, "templates")).filter((name) => name.endsWith(".j2"));
}

describe.each(templates())("the template %s", (name) => {
  const template = compileTemplate(read(`templates/${name}`), name);
  const values = {
    _id: "650366045366898208306123",
    _name: "op-650366045366898208306123",
    _image: "",
    _command: "python",
    _args: ["-c", "a: b # \"c\" 'd' <&>\n- {{ e }}", ""],
  };
  const job = template.manifest(values);
  const pod = at(job, "spec.template.spec");
  const container = at(pod, "containers.0");

  test("uses only fields that a Job has", () => {
    expect(unknownFields(job, wantedOfJob(), "")).toEqual([]);
  });

  test("hands every value on as it is", () => {
    expect(at(job, "metadata.name")).toBe(values._name);
    expect(at(job, "metadata.labels.task-id")).toBe(values._id);
    expect(at(container, "command")).toEqual([values._command]);
    expect(at(container, "args")).toEqual(values._args);
  });

  test("runs the orchestrator's image where there is one, else the one that it names", () => {
    const source = read(`templates/${name}`);
    const given = at(template.manifest({ ...values, _image: "given:1" }), "spec.template.spec.containers.0.image");
    const own = at(container, "image");
    expect(own).toMatch(/^your-registry\//);
    expect(given).toBe(source.includes("_image") ? "given:1" : own);
  });

  test("starts one worker once, and ends", () => {
    expect(at(job, "spec")).toMatchObject({ backoffLimit: 0 });
    expect(at(job, "spec.ttlSecondsAfterFinished")).toBeGreaterThanOrEqual(60);
    expect(at(job, "spec.activeDeadlineSeconds")).toBeGreaterThan(0);
    expect(at(pod, "restartPolicy")).toBe("Never");
  });

  test("gives the worker the four variables that FiftyOne requires, the secret ones by reference", () => {
    const env = at(container, "env") as { name: string; value?: string }[];
    const names = env.map((variable) => variable.name);
    const required = ["API_URL", "FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_INTERNAL_SERVICE"];
    expect(required.filter((variable) => !names.includes(variable))).toEqual([]);
    for (const secret of ["FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY"]) {
      expect(env.find((variable) => variable.name === secret)).toHaveProperty("valueFrom.secretKeyRef.key");
    }
  });

  test("runs without any privilege", () => {
    expect(at(pod, "securityContext")).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(at(container, "securityContext")).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("mounts only volumes that it declares", () => {
    const names = (path: string, from: unknown) => ((at(from, path) ?? []) as { name: string }[]).map((v) => v.name);
    expect(names("volumeMounts", container).toSorted()).toEqual(names("volumes", pod).toSorted());
  });
});

/** Paths of fields that the Kubernetes API does not know and would drop. */
function unknownFields(value: unknown, wanted: Wanted, path: string): string[] {
  if (Array.isArray(value)) {
    const of = wanted.kind === "list" ? wanted.of : { kind: "any" as const };
    return value.flatMap((item, index) => unknownFields(item, of, `${path}[${index}]`));
  }
  if (typeof value !== "object" || value === null || wanted.kind !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = wanted.fields.get(name);
    return field === undefined ? [`${path}.${name}`] : unknownFields(inner, field, `${path}.${name}`);
  });
}

describe("the MongoDB role", () => {
  test("lets the daemon do its work with change streams, and nothing else", async () => {
    await using mongod = await startMongod({ replicaSet: true, auth: { user: "root", password: "root-pass" } });
    await using admin = closing(await MongoClient.connect(mongod.uri));
    await makeUser(admin.client, "deploy/mongodb-role.js", "opjob");
    const db = admin.client.db("fiftyone");
    await db.collection("orchestrators").insertMany(ORCHESTRATORS.map((record) => ({ ...record })));
    await db.collection("delegated_ops").insertMany(
      ["bad-template", "no-secret"].map((delegation_target) => ({
        operator: "@test/plugin/op",
        delegation_target,
        run_state: "queued",
        queued_at: new Date(),
      })),
    );
    const uri = mongod.uri.replace("root:root-pass@", "opjob:opjob-pass@");
    await using daemon = await startAs(uri);
    await untilReasons(admin.client, { "bad-template": "TEMPLATE_RENDER_FAILED", "no-secret": "SECRET_MISSING" });
    const metrics = await (await fetch(`http://127.0.0.1:${daemon.port}/metrics`)).text();
    for (const collection of ["delegated_ops", "orchestrators", "secrets"]) {
      expect(metrics).toContain(`opjob_changes_following{collection="${collection}"} 1`);
    }
    expect(metrics).toMatch(/^opjob_queue_age_seconds 0\.\d*[1-9]/m); // 0: the query was refused

    await using user = closing(await MongoClient.connect(uri));
    const own = user.client.db("fiftyone");
    const refused = [
      () => own.collection("delegated_ops").insertOne({}),
      () => own.collection("delegated_ops").deleteMany({}),
      () => own.collection("delegated_ops").createIndex({ run_state: 1 }),
      () => own.collection("orchestrators").updateMany({}, { $set: { description: "" } }),
      () => own.collection("secrets").updateMany({}, { $set: { value: "" } }),
      () => own.collection("datasets").findOne({}),
      () => own.listCollections({}, { nameOnly: false }).toArray(),
    ];
    for (const act of refused) await expect(act()).rejects.toMatchObject({ code: 13 });
  });
});

const inline = (template: string): string => `data:text/yaml;base64,${Buffer.from(template).toString("base64")}`;

const ORCHESTRATORS = [
  {
    instance_id: "bad-template",
    description: null,
    environment: "kubernetes",
    config: { kubernetes: { executionTmplUri: inline("{% if %}") } },
    secrets: { kube_config: "KUBE_CONFIG_TEST" },
  },
  {
    instance_id: "no-secret",
    description: null,
    environment: "kubernetes",
    config: { kubernetes: { executionTmplUri: inline(read("templates/minimal.yaml.j2")) } },
    secrets: { kube_config: "NO_SUCH_SECRET" },
  },
];

const KUBECONFIG = `
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: test}}]
current-context: x
`;

async function startAs(uri: string) {
  const environment = { KUBE_CONFIG_TEST: KUBECONFIG };
  const config = readConfig({
    FIFTYONE_DATABASE_URI: uri,
    // `auto` would fall back to polling where the role allows no change stream.
    OPJOB_CHANGES: "stream",
    OPJOB_HTTP_HOST: "127.0.0.1",
    OPJOB_HTTP_PORT: "0",
  });
  const surroundings = { inCluster: false, serviceAccountNamespace: undefined };
  const log = createLog({ level: "fatal", secrets: [] });
  const daemon = await startDaemon({ config, environment, surroundings, log });
  return { port: daemon.port, [Symbol.asyncDispose]: () => daemon.stop() };
}

/** Waits until each operation shows the reason that is expected of its target. */
async function untilReasons(client: MongoClient, expected: Record<string, string>): Promise<void> {
  const operations = client.db("fiftyone").collection("delegated_ops");
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await operations.find().toArray();
    const reasons = Object.fromEntries(found.map((op) => [op["delegation_target"], at(op, "opjob.reason")]));
    if (JSON.stringify(reasons) === JSON.stringify(expected)) return;
    if (Date.now() > deadline) expect(reasons).toEqual(expected);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const closing = (client: MongoClient) => ({ client, [Symbol.asyncDispose]: () => client.close() });
