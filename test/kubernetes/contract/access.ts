// Who may do what: tokens that are not known (401), rights that are missing (403), and the question "may I?".
import { expect, test } from "@jest/globals";
import type { Client, Thing } from "../client.ts";
import type { Rule } from "../contract.ts";
import { seen } from "../seen.ts";
import { job, suspended } from "./jobs.ts";
import type { Space, World } from "./space.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/** What opjob's own Role holds. */
const ROLE: readonly Rule[] = [
  { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "get", "list", "watch", "delete"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
  { apiGroups: [""], resources: ["events"], verbs: ["list"] },
];

type Asked = {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly subresource?: string;
};

async function mayI(client: Client, namespace: string, asked: Asked): Promise<Thing> {
  const body = {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    spec: { resourceAttributes: { namespace, ...asked } },
  };
  const reply = await client.send("POST", REVIEWS, { body });
  expect(reply.code).toBe(201);
  return reply.body;
}

const CREATE_JOBS: Asked = { group: "batch", resource: "jobs", verb: "create" };

async function permitted(
  world: World,
  user: "alice" | "bob",
): Promise<{ readonly client: Client; readonly space: Space }> {
  const space = await world.space();
  const client = world.client(world.server.kubeconfig(user));
  await world.server.permit(user, space.name, ROLE);
  await seen("the rights", async () => (await mayI(client, space.name, CREATE_JOBS)).status["allowed"] === true);
  return { client, space };
}

const WRONG_TOKEN = /("token"\s*:\s*"|token:\s*)[^"\s]+/;

export function accessCases(world: () => World): void {
  test("with a token that nobody has is 401, which opjob's client tells apart", async () => {
    const { server, client, clusterOf, space } = world();
    const { name, jobs } = await space();
    const kubeconfig = server.kubeconfig().replace(WRONG_TOKEN, "$1wrong");
    const { code, body } = await client(kubeconfig).send("GET", jobs);
    expect(code).toBe(401);
    expect(body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
    await expect(clusterOf(kubeconfig).getJob(name, "x")).rejects.toMatchObject({ code: "CLUSTER_UNAUTHORIZED" });
  });

  type Refused = readonly [act: string, path: (space: Space) => string, said: string, details: object];
  const group = { group: "batch", kind: "jobs" };
  const REFUSED: readonly Refused[] = [
    [
      "list",
      ({ jobs }) => jobs,
      'jobs.batch is forbidden: User "bob" cannot list resource "jobs" in API group "batch"',
      group,
    ],
    [
      "watch",
      ({ jobs }) => `${jobs}?watch=true`,
      'jobs.batch is forbidden: User "bob" cannot watch resource "jobs" in API group "batch"',
      group,
    ],
    [
      "get",
      ({ jobs }) => `${jobs}/x`,
      'jobs.batch "x" is forbidden: User "bob" cannot get resource "jobs" in API group "batch"',
      { name: "x", ...group },
    ],
    [
      "list Pods",
      ({ pods }) => pods,
      'pods is forbidden: User "bob" cannot list resource "pods" in API group ""',
      { kind: "pods" },
    ],
    [
      "read a log",
      ({ pods }) => `${pods}/x/log`,
      'pods "x" is forbidden: User "bob" cannot get resource "pods/log" in API group ""',
      { name: "x", kind: "pods" },
    ],
    [
      "list Events",
      ({ name }) => `/api/v1/namespaces/${name}/events`,
      'events is forbidden: User "bob" cannot list resource "events" in API group ""',
      { kind: "events" },
    ],
  ];

  test.each(REFUSED)("without the right to %s is 403, whether or not it exists", async (_act, path, said, details) => {
    const { client, server, space } = world();
    const here = await space();
    const { code, body } = await client(server.kubeconfig("bob")).send("GET", path(here));
    expect(code).toBe(403);
    expect(body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: `${said} in the namespace "${here.name}"`,
      reason: "Forbidden",
      details,
      code: 403,
    });
  });

  test("without the right to create is 403, also in a namespace that does not exist, and opjob's client tells it apart", async () => {
    const { clusterOf, server } = world();
    await expect(clusterOf(server.kubeconfig("bob")).createJob("nowhere", "x", job("x"))).rejects.toMatchObject({
      code: "CLUSTER_FORBIDDEN",
      message: expect.stringContaining(
        'jobs.batch is forbidden: User "bob" cannot create resource "jobs" in API group "batch" in the namespace "nowhere".',
      ),
    });
  });

  test("to everything at once names the cluster scope", async () => {
    const { client, server } = world();
    const { code, body } = await client(server.kubeconfig("bob")).send("GET", "/apis/batch/v1/jobs");
    expect(code).toBe(403);
    expect(body.message).toBe(
      'jobs.batch is forbidden: User "bob" cannot list resource "jobs" in API group "batch" at the cluster scope',
    );
  });

  test("by opjob's own Role is enough for all that opjob does", async () => {
    const { space } = await permitted(world(), "alice");
    const cluster = world().clusterOf(world().server.kubeconfig("alice"));
    const created = await cluster.createJob(space.name, "own", job("own"));
    if (created.kind !== "created") throw new Error("it existed");
    const pod = await space.pod("own", "Running");
    expect(await cluster.getJob(space.name, "own")).toMatchObject({ name: "own" });
    expect((await cluster.listPage("jobs", space.name, undefined))?.items).toHaveLength(1);
    expect(await cluster.podsOf({ namespace: space.name, name: "own" })).toHaveLength(1);
    const query = { container: "worker", tailLines: 1, limitBytes: 100 };
    await seen("the log", async () => (await cluster.podLog(space.name, pod.metadata.name, query)) === "line 5\n");
    const body = await cluster.watch("jobs", space.name, { resourceVersion: "" }, AbortSignal.timeout(10_000));
    body?.on("error", () => undefined).destroy();
    expect(body).toBeDefined();
    const told = await cluster.events(space.name, { uid: created.job.uid });
    expect(told.map(({ reason }) => reason)).toContain("SuccessfulCreate");
    expect(await cluster.deleteJob(space.name, "own", created.job.uid)).toBe(true);
  });

  test("by a Role ends at what the Role names", async () => {
    const { client, space } = await permitted(world(), "alice");
    await space.create(suspended("kept"));
    const patched = await client.send("PATCH", `${space.jobs}/kept`, {
      body: { spec: { suspend: false } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(patched.code).toBe(403);
    expect(patched.body.message).toBe(
      `jobs.batch "kept" is forbidden: User "alice" cannot patch resource "jobs" in API group "batch" in the namespace "${space.name}"`,
    );
    const elsewhere = await client.send("GET", "/apis/batch/v1/namespaces/default/jobs");
    expect(elsewhere.code).toBe(403);
  });

  test("is told by a review, which everybody may ask for", async () => {
    const { client, space } = await permitted(world(), "alice");
    const allowed = async (asked: Asked) => (await mayI(client, space.name, asked)).status["allowed"];
    expect(await allowed(CREATE_JOBS)).toBe(true);
    expect(await allowed({ group: "", resource: "pods", subresource: "log", verb: "get" })).toBe(true);
    expect(await allowed({ group: "", resource: "pods", verb: "get" })).toBe(false);
    expect(await allowed({ group: "batch", resource: "jobs", verb: "patch" })).toBe(false);
    const bob = world().client(world().server.kubeconfig("bob"));
    expect((await mayI(bob, space.name, CREATE_JOBS)).status["allowed"]).toBe(false);
    expect((await mayI(world().admin, space.name, CREATE_JOBS)).status["allowed"]).toBe(true);
    const answer = await mayI(client, space.name, CREATE_JOBS);
    expect(answer).toMatchObject({
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace: space.name, ...CREATE_JOBS } },
    });
  });
}
