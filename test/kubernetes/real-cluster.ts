// What a cluster's administrators have set up, and what they do to Pods: nodes, taints, quotas, policies, webhooks, evictions.
// Knows the Kubernetes API; nothing of opjob but the rights that it is given.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Client, Thing } from "./client.ts";
import { NODE } from "./plane/kwok.ts";
import { ANYWHERE, HOLDS_PORT } from "./plights-rare.ts";
import { seen } from "./seen.ts";
import { NAMESPACE, type Stage } from "./stage.ts";

export type Cluster = Awaited<ReturnType<typeof openCluster>>;

const MERGE = { "content-type": "application/merge-patch+json" };
const NODES = "/api/v1/nodes";
const RIGHTS = "/apis/rbac.authorization.k8s.io/v1";
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";

export async function openCluster({ admin, furnish, plane }: Stage) {
  const stack = new AsyncDisposableStack();
  const create = creator(admin);
  const patch = async (path: string, body: object): Promise<void> => {
    const { code, text } = await admin.send("PATCH", path, { body, headers: MERGE });
    if (code !== 200) throw new Error(text);
  };
  for (const name of ["tainted", "removed"]) await addNode(admin, name, { key: "plane/own", effect: "NoSchedule" });
  await addNode(admin, "reserved", { key: "plane", value: "reserved", effect: "NoSchedule" });
  await patch(`${NODES}/kwok-0/status`, {
    status: { capacity: { "plane/seats": "1" }, allocatable: { "plane/seats": "1" } },
  });
  await takeSeat(create);
  for (const node of ["kwok-0", "tainted", "removed", "reserved"]) await takePort(create, node);
  await setPolicies(create);
  stack.use(await setWebhooks(create, plane.directory));
  await setQuotas(admin, create, furnish);
  await furnish("blind");

  return {
    remove: (kind: "pods" | "jobs", name: string) => {
      const root = kind === "pods" ? "/api/v1" : "/apis/batch/v1";
      const path = `${root}/namespaces/${NAMESPACE}/${kind}/${name}`;
      return admin.send("DELETE", path, { body: { propagationPolicy: "Background" } });
    },
    /** As `kubectl drain` does. */
    evict: (pod: string) =>
      create(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`, {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: pod },
      }),
    taint: (node: string) => patch(`${NODES}/${node}`, { spec: { taints: [{ key: "gone", effect: "NoExecute" }] } }),
    /** A node more, which takes nothing: from then on all that waits for a node is told of it. */
    cordon: async (node: string) => {
      await addNode(admin, node, { key: "plane/own", effect: "NoSchedule" });
      await patch(`${NODES}/${node}`, { spec: { unschedulable: true } });
    },
    removeNode: (node: string) => admin.send("DELETE", `${NODES}/${node}`),
    /** A Pod that must be placed, and takes so much of the node. */
    preempt: async (cpu: string) => {
      await create("/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "urgent" }, value: 1_000 });
      const body = {
        metadata: { name: "urgent", annotations: { "plane/hang": "" } },
        spec: {
          priorityClassName: "urgent",
          containers: [{ name: "a", image: "a:1", resources: { requests: { cpu } } }],
        },
      };
      const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
      // Admission hears of a new class a moment later, and refuses its Pods until then.
      await seen("a Pod of a higher priority", async () => (await admin.send("POST", path, { body })).code === 201);
    },
    /** Writes an Event about a Pod, as its kubelet does. */
    say: ({ namespace, name, uid }: Thing["metadata"], reason: string, message: string) => {
      const now = new Date().toISOString().replace(/\.\d+/, "");
      return create(`/api/v1/namespaces/${namespace}/events`, {
        metadata: { generateName: `${name}.` },
        involvedObject: { kind: "Pod", apiVersion: "v1", namespace, name, uid },
        type: reason.startsWith("Failed") ? "Warning" : "Normal",
        ...{ reason, message, firstTimestamp: now, lastTimestamp: now, count: 1 },
        source: { component: "kubelet" },
      });
    },
    /** Changes what a Pod's node plays. */
    note: (pod: string, annotations: Record<string, string | null>) =>
      patch(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}`, { metadata: { annotations } }),
    /** Takes the only place of a namespace. @returns what gives it back */
    occupy: async (namespace: string) => {
      const requests = { cpu: "100m" };
      await create(`/api/v1/namespaces/${namespace}/pods`, {
        metadata: { name: "first", annotations: { "plane/hang": "" } },
        spec: { containers: [{ name: "a", image: "a:1", resources: { requests } }] },
      });
      return () => admin.send("DELETE", `/api/v1/namespaces/${namespace}/pods/first`);
    },
    /** In the namespace "blind" opjob may do all but read Events. */
    forbidEvents: async () => {
      const path = `${RIGHTS}/namespaces/blind/roles/opjob`;
      const { rules } = (await admin.send("GET", path)).body as unknown as { rules: { resources: string[] }[] };
      await patch(path, { rules: rules.filter(({ resources }) => !resources.includes("events")) });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Create = (path: string, body: object) => Promise<void>;

const creator =
  (admin: Client): Create =>
  async (path, body) => {
    const { code, text } = await admin.send("POST", path, { body });
    if (code !== 201) throw new Error(text);
  };

/** A node beside the first one, on which only those land that ask for it and tolerate its taint. */
async function addNode(admin: Client, name: string, taint: object): Promise<void> {
  const labels = { ...NODE.metadata.labels, plane: name, "kubernetes.io/hostname": name };
  const { code, text } = await admin.send("POST", NODES, {
    body: { ...NODE, metadata: { name, labels }, spec: { taints: [taint] } },
  });
  if (code !== 201) throw new Error(text);
  await seen(`the node ${name}`, async () => {
    const { spec, status } = (await admin.send("GET", `${NODES}/${name}`)).body;
    const kept = (spec["taints"] ?? []) as { key: string }[];
    const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
    return ready && !kept.some(({ key }) => key.startsWith("node.kubernetes.io/"));
  });
}

const takeSeat = (create: Create): Promise<void> =>
  create("/api/v1/namespaces/default/pods", {
    metadata: { name: "seated", annotations: { "plane/hang": "" } },
    spec: { containers: [{ name: "a", image: "a:1", resources: { limits: { "plane/seats": "1" } } }] },
  });

const takePort = (create: Create, nodeName: string): Promise<void> =>
  create("/api/v1/namespaces/default/pods", {
    metadata: { name: `port-${nodeName}`, annotations: { "plane/hang": "" } },
    spec: { nodeName, ...ANYWHERE, containers: [{ name: "a", image: "a:1", ...HOLDS_PORT }] },
  });

/** Pods with a certain annotation are refused by a policy of the API server's own. */
async function setPolicies(create: Create): Promise<void> {
  await create(`${ADMISSION}/validatingadmissionpolicies`, {
    metadata: { name: "plane" },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      },
      validations: [
        {
          expression: "!has(object.metadata.annotations) || !('plane/forbidden' in object.metadata.annotations)",
          message: "forbidden by the plane",
        },
      ],
    },
  });
  await create(`${ADMISSION}/validatingadmissionpolicybindings`, {
    metadata: { name: "plane" },
    spec: { policyName: "plane", validationActions: ["Deny"] },
  });
}

/** What cannot be done to any Pod. */
const BREAKS = Buffer.from('[{"op":"remove","path":"/no/such/path"}]').toString("base64");

/** One webhook that denies, one that is not there, and one that asks for the impossible; each for Pods with its label. */
async function setWebhooks(create: Create, directory: string): Promise<AsyncDisposable> {
  // The API server's own certificate is for 127.0.0.1, and its authority stands in the same file.
  const certificate = readFileSync(join(directory, "keys/apiserver.crt"));
  const server = createServer(
    { cert: certificate, key: readFileSync(join(directory, "keys/apiserver.key")) },
    (request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        const { uid } = (JSON.parse(text) as { request: { uid: string } }).request;
        const denial = { uid, allowed: false, status: { message: "only on Sundays" } };
        const change = { uid, allowed: true, patchType: "JSONPatch", patch: BREAKS };
        const answer = request.url?.startsWith("/breaks") ? change : denial;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const webhook = (name: string, url: string): object => ({
    name: `${name}.plane.test`,
    clientConfig: { url, caBundle: certificate.toString("base64") },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    objectSelector: { matchLabels: { webhook: name } },
    failurePolicy: "Fail",
    sideEffects: "None",
    timeoutSeconds: 2,
    admissionReviewVersions: ["v1"],
  });
  await create(`${ADMISSION}/validatingwebhookconfigurations`, {
    metadata: { name: "plane" },
    webhooks: [webhook("denies", `https://127.0.0.1:${port}/`), webhook("away", "https://127.0.0.1:1/")],
  });
  await create(`${ADMISSION}/mutatingwebhookconfigurations`, {
    metadata: { name: "plane" },
    webhooks: [webhook("breaks", `https://127.0.0.1:${port}/breaks`)],
  });
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function setQuotas(admin: Client, create: Create, furnish: Stage["furnish"]): Promise<void> {
  for (const name of ["full", "small", "bounded", "restricted"]) await furnish(name);
  const quota = async (namespace: string, hard: object): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
    await create(path, { metadata: { name: "plane" }, spec: { hard } });
    await seen(
      "the quota counted",
      async () => (await admin.send("GET", `${path}/plane`)).body.status["used"] !== undefined,
    );
  };
  await quota("full", { pods: "1" });
  await quota("small", { "requests.cpu": "1" });
  await create("/api/v1/namespaces/bounded/limitranges", {
    metadata: { name: "plane" },
    spec: { limits: [{ type: "Container", max: { memory: "1Gi" } }] },
  });
  const { code, text } = await admin.send("PATCH", "/api/v1/namespaces/restricted", {
    body: { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    headers: MERGE,
  });
  if (code !== 200) throw new Error(text);
}
