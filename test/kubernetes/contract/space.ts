// What a case of the contract works with: the server, an administrator's client, opjob's own cluster client, and a
// namespace of its own. Knows paths; judges nothing.
import { randomBytes } from "node:crypto";
import { accessFromText } from "../../../src/clusters/kubeconfig.ts";
import { Cluster } from "../../../src/clusters/kubernetes.ts";
import { Client, type Condition, type Query, type Reply, type Thing } from "../client.ts";
import type { Server } from "../contract.ts";
import { seen } from "../seen.ts";

export type World = {
  readonly server: Server;
  readonly admin: Client;
  /** opjob's own client, as the administrator. */
  readonly cluster: Cluster;
  /** A client of another kubeconfig, closed with the world. */
  readonly client: (kubeconfig: string) => Client;
  readonly clusterOf: (kubeconfig: string) => Cluster;
  /** A namespace of the case's own, ready for Jobs. */
  readonly space: () => Promise<Space>;
  readonly close: () => Promise<void>;
};

export type Space = {
  readonly name: string;
  /** Paths. */
  readonly jobs: string;
  readonly pods: string;
  readonly post: (job: unknown, query?: Query) => Promise<Reply>;
  /** @throws Error where the answer is not 201 */
  readonly create: (job: unknown) => Promise<Thing>;
  /** Undefined: there is none. */
  readonly find: (job: string) => Promise<Thing | undefined>;
  readonly podsOf: (job: string) => Promise<readonly Thing[]>;
  /** The one Pod of a Job once it is in this phase. */
  readonly pod: (job: string, phase: string) => Promise<Thing>;
  readonly list: (query?: Query) => Promise<Thing>;
};

export function openWorld(server: Server): World {
  const closers: (() => Promise<void>)[] = [];
  const client = (kubeconfig: string): Client => {
    const made = new Client(kubeconfig);
    closers.push(() => made.close());
    return made;
  };
  const clusterOf = (kubeconfig: string): Cluster => {
    const access = accessFromText(kubeconfig, "the test", { context: undefined, allowExec: false });
    const made = new Cluster(access, { timeoutMs: 10_000, onCall: () => undefined });
    closers.push(() => made.close());
    return made;
  };
  const admin = client(server.kubeconfig());
  return {
    server,
    admin,
    cluster: clusterOf(server.kubeconfig()),
    client,
    clusterOf,
    space: () => newSpace(admin),
    close: async () => {
      for (const close of closers.toReversed()) await close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function newSpace(admin: Client): Promise<Space> {
  const name = `contract-${randomBytes(4).toString("hex")}`;
  const { code, text } = await admin.send("POST", "/api/v1/namespaces", {
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
  });
  if (code !== 201) throw new Error(`no namespace: ${text}`);
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await seen(`the service account of ${name}`, async () => (await admin.send("GET", account)).code === 200);
  const jobs = `/apis/batch/v1/namespaces/${name}/jobs`;
  const pods = `/api/v1/namespaces/${name}/pods`;
  const podsOf = async (job: string): Promise<readonly Thing[]> => {
    const query = { labelSelector: `batch.kubernetes.io/job-name=${job}` };
    return (await admin.send("GET", pods, { query })).body.items;
  };
  return {
    name,
    jobs,
    pods,
    post: (job, query = {}) => admin.send("POST", jobs, { body: job, query }),
    create: async (job) => {
      const reply = await admin.send("POST", jobs, { body: job });
      if (reply.code !== 201) throw new Error(reply.text);
      return reply.body;
    },
    find: async (job) => {
      const reply = await admin.send("GET", `${jobs}/${job}`);
      return reply.code === 404 ? undefined : reply.body;
    },
    podsOf,
    pod: (job, phase) =>
      seen(`the Pod of ${job} ${phase}`, async () => (await podsOf(job)).find((pod) => pod.status.phase === phase)),
    list: async (query = {}) => (await admin.send("GET", jobs, { query })).body,
  };
}

/** The condition of this type that holds. */
export const condition = (thing: Thing | undefined, type: string): Condition | undefined =>
  thing?.status.conditions?.find((one) => one.type === type && one.status === "True");

/** Texts of an answer's Warning headers. */
export function warningsOf({ headers }: Reply): string[] {
  const header = headers["warning"];
  const lines = header === undefined ? [] : [header].flat();
  const texts = lines.flatMap((line) => [...line.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? ""));
  return texts.map((text) => text.replaceAll('\\"', '"'));
}
