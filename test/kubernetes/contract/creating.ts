// Creates: what a new Job holds, what is found again, what is only tried, and what is warned of.
import { expect, test } from "@jest/globals";
import { LABELS } from "../../../src/clusters/observation.ts";
import { job, suspended } from "./jobs.ts";
import { type World, warningsOf } from "./space.ts";

export function creatingCases(world: () => World): void {
  test("gives the Job a uid, a version, a time and the defaults of its spec", async () => {
    const space = await world().space();
    const made = await space.create(job("plain", { spec: { backoffLimit: undefined } }));
    expect(made).toMatchObject({ apiVersion: "batch/v1", kind: "Job" });
    expect(made.metadata).toMatchObject({
      name: "plain",
      namespace: space.name,
      generation: 1,
      uid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      resourceVersion: expect.stringMatching(/^\d+$/),
      creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const { uid } = made.metadata;
    expect(made.spec).toMatchObject({
      backoffLimit: 6,
      parallelism: 1,
      completions: 1,
      completionMode: "NonIndexed",
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: "TerminatingOrFailed",
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": uid } },
      template: {
        metadata: {
          labels: {
            [LABELS.operation]: "plain",
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": "plain",
            "controller-uid": uid,
            "job-name": "plain",
          },
        },
        spec: {
          restartPolicy: "Never",
          dnsPolicy: "ClusterFirst",
          schedulerName: "default-scheduler",
          containers: [
            {
              name: "worker",
              image: "contract/worker:1",
              imagePullPolicy: "IfNotPresent",
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
        },
      },
    });
  });

  test("pulls an image always if it is tagged latest or not at all", async () => {
    const space = await world().space();
    const containers = ["a/b:latest", "a/b", "a/b:2", "registry.test:5000/a/b"].map((image, i) => ({
      name: `c${i}`,
      image,
    }));
    const { body } = await space.post(job("policies", { containers }), { dryRun: "All" });
    expect(body.spec).toMatchObject({
      template: {
        spec: {
          containers: ["Always", "Always", "IfNotPresent", "Always"].map((imagePullPolicy) =>
            expect.objectContaining({ imagePullPolicy }),
          ),
        },
      },
    });
  });

  test("of a name that exists is 409 AlreadyExists, and opjob's client says so as a value", async () => {
    const { cluster, space } = world();
    const { name: namespace, create, post } = await space();
    await create(suspended("twice"));
    const { code, body } = await post(suspended("twice"));
    expect(code).toBe(409);
    expect(body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'jobs.batch "twice" already exists',
      reason: "AlreadyExists",
      details: { name: "twice", group: "batch", kind: "jobs" },
      code: 409,
    });
    expect(await cluster.createJob(namespace, "twice", suspended("twice"))).toEqual({ kind: "exists" });
  });

  test("by opjob's client gives a view of the Job, without warnings", async () => {
    const { cluster, space } = world();
    const { name: namespace, find } = await space();
    const created = await cluster.createJob(namespace, "mine", suspended("mine"));
    const stored = await find("mine");
    expect(created).toMatchObject({
      kind: "created",
      warnings: [],
      job: { name: "mine", namespace, operation: "mine", suspended: true, uid: stored?.metadata.uid },
    });
  });

  test("as a dry run answers as a real one and stores nothing", async () => {
    const space = await world().space();
    const { code, body } = await space.post(job("tried"), { dryRun: "All" });
    expect(code).toBe(201);
    expect(body.metadata).toMatchObject({ name: "tried", uid: expect.any(String) });
    expect(body.metadata.resourceVersion).toBeUndefined();
    expect(await space.find("tried")).toBeUndefined();
    expect(await space.podsOf("tried")).toEqual([]);
  });

  test("with generateName makes up a name", async () => {
    const space = await world().space();
    const made = await space.create(suspended("", { metadata: { name: undefined, generateName: "made-up-" } }));
    expect(made.metadata.name).toMatch(/^made-up-[a-z0-9]{5}$/);
    expect(made.metadata.generateName).toBe("made-up-");
  });

  test("of the longest name makes Pods whose names are cut to fit", async () => {
    const space = await world().space();
    const name = "n".repeat(63);
    const labels = { [LABELS.operation]: "long" };
    await space.create(job(name, { metadata: { labels }, template: { labels } }));
    const pod = await space.pod(name, "Running");
    expect(pod.metadata.name).toMatch(/^n{58}[a-z0-9]{5}$/);
    expect(pod.metadata.labels["batch.kubernetes.io/job-name"]).toBe(name);
  });

  test("as a dry run of a name that exists is 409, too", async () => {
    const space = await world().space();
    await space.create(suspended("twice"));
    const { code, body } = await space.post(suspended("twice"), { dryRun: "All" });
    expect(code).toBe(409);
    expect(body.reason).toBe("AlreadyExists");
  });

  test("takes a native sidecar for what it is", async () => {
    const space = await world().space();
    const sidecar = { name: "telemetry", image: "contract/sidecar:1", restartPolicy: "Always" };
    const reply = await space.post(job("beside", { pod: { initContainers: [sidecar] } }), { dryRun: "All" });
    expect(reply.code).toBe(201);
    expect(warningsOf(reply)).toEqual([]);
    expect(reply.body.spec).toMatchObject({ template: { spec: { initContainers: [sidecar] } } });
  });

  test("takes no status and no uid from whoever makes a Job", async () => {
    const space = await world().space();
    const top = { status: { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] } };
    const given = job("fresh", { top, metadata: { uid: "mine", creationTimestamp: "2020-01-01T00:00:00Z" } });
    const { code, body } = await space.post(given, { dryRun: "All" });
    expect(code).toBe(201);
    expect(body.status ?? {}).toEqual({});
    expect(body.metadata.uid).not.toBe("mine");
    expect(body.metadata.creationTimestamp).not.toMatch(/^2020/);
  });

  test("takes the labels of the Pod template for a Job that has none", async () => {
    const space = await world().space();
    const { body } = await space.post(job("bare", { metadata: { labels: undefined } }), { dryRun: "All" });
    const uid = body.metadata.uid;
    expect(body.metadata.labels).toEqual({
      [LABELS.operation]: "bare",
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": "bare",
      "controller-uid": uid,
      "job-name": "bare",
    });
  });

  const misspelt = {
    spec: { backofLimit: 1 },
    container: { imagePullPolciy: "Always" },
    top: { extra: 1 },
  };
  const UNKNOWN = [
    'unknown field "extra"',
    'unknown field "spec.backofLimit"',
    'unknown field "spec.template.spec.containers[0].imagePullPolciy"',
  ];

  test.each([[{}], [{ fieldValidation: "Warn" }]])("with %j drops unknown fields and warns of each", async (query) => {
    const space = await world().space();
    const reply = await space.post(job("misspelt", misspelt), { dryRun: "All", ...query });
    expect(reply.code).toBe(201);
    expect(warningsOf(reply).toSorted()).toEqual(UNKNOWN);
    expect(reply.text).not.toMatch(/imagePullPolciy|"extra"/);
    expect(reply.body.spec).not.toHaveProperty("backofLimit");
  });

  test("by opjob's client gives the warnings", async () => {
    const { cluster, space } = world();
    const { name } = await space();
    const created = await cluster.createJob(
      name,
      "warned",
      suspended("warned", { container: { imagePullPolciy: "Always" } }),
    );
    expect(created).toMatchObject({ kind: "created", warnings: [UNKNOWN[2]] });
  });

  test("with fieldValidation=Ignore drops unknown fields in silence", async () => {
    const space = await world().space();
    const reply = await space.post(job("misspelt", misspelt), { dryRun: "All", fieldValidation: "Ignore" });
    expect(reply.code).toBe(201);
    expect(warningsOf(reply)).toEqual([]);
  });

  test("of a field that is there twice takes the last and warns", async () => {
    const space = await world().space();
    const text = JSON.stringify(job("doubled")).replace('"backoffLimit":0', '"backoffLimit":0,"backoffLimit":1');
    const reply = await space.post(text, { dryRun: "All" });
    expect(reply.code).toBe(201);
    expect(reply.body.spec).toMatchObject({ backoffLimit: 1 });
    expect(warningsOf(reply)).toEqual(['duplicate field "spec.backoffLimit"']);
  });

  test("of a name with dots warns of surprises", async () => {
    const space = await world().space();
    const reply = await space.post(job("a.b"), { dryRun: "All" });
    expect(reply.code).toBe(201);
    expect(warningsOf(reply)).toEqual([
      "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ]);
  });

  test("takes a body without kind and apiVersion for what the path says", async () => {
    const space = await world().space();
    const { code, body } = await space.post(job("x", { top: { kind: undefined, apiVersion: undefined } }), {
      dryRun: "All",
    });
    expect(code).toBe(201);
    expect(body).toMatchObject({ kind: "Job", apiVersion: "batch/v1" });
  });
}
