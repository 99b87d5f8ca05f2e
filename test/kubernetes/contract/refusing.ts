// Refusals of what is asked: wrong types and fields (400), wrong values (422 and its causes), unknown things (404).
import { expect, test } from "@jest/globals";
import { type Changes, job } from "./jobs.ts";
import type { World } from "./space.ts";

type Cause = readonly [field: string, reason: string, message: string];

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const KEY =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NEGATIVE = "Invalid value: -1: must be greater than or equal to 0";
const RESTARTS = 'Required value: valid values: "OnFailure", "Never"';
const LONG = "b".repeat(64);
const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers[0]`;

const invalid = (field: string, value: string, message: string): Cause => [
  field,
  "FieldValueInvalid",
  `Invalid value: "${value}": ${message}`,
];
const required = (field: string, message = "Required value"): Cause => [field, "FieldValueRequired", message];
const negative = (field: string): Cause => [field, "FieldValueInvalid", NEGATIVE];

const TWO = [
  { name: "m", image: "x" },
  { name: "m", image: "x" },
];
const BOTH = { name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };

/** What is wrong, how it is made, and the causes that the API server tells, in its order. */
const WRONG_VALUES: readonly (readonly [what: string, changes: Changes, causes: readonly Cause[]])[] = [
  ["a name in upper case", { metadata: { name: "Upper" } }, [invalid("metadata.name", "Upper", SUBDOMAIN)]],
  [
    "no name",
    { metadata: { name: undefined } },
    [required("metadata.name", "Required value: name or generateName is required")],
  ],
  [
    "a name of 64 characters",
    { metadata: { name: LONG } },
    [invalid("spec.template.labels", LONG, "must be no more than 63 bytes")],
  ],
  ["a label's key with a blank", { metadata: { labels: { "a b": "c" } } }, [invalid("metadata.labels", "a b", KEY)]],
  ["a label's value with a blank", { metadata: { labels: { a: "c d" } } }, [invalid("metadata.labels", "c d", VALUE)]],
  [
    "a Pod label of 64 characters",
    { template: { labels: { a: LONG } } },
    [invalid("spec.template.labels", LONG, "must be no more than 63 bytes")],
  ],
  [
    "an annotation's key with a blank",
    { metadata: { annotations: { "a b": "c" } } },
    [invalid("metadata.annotations", "a b", KEY)],
  ],
  ["a negative backoffLimit", { spec: { backoffLimit: -1 } }, [negative("spec.backoffLimit")]],
  ["a negative deadline", { spec: { activeDeadlineSeconds: -1 } }, [negative("spec.activeDeadlineSeconds")]],
  ["a negative time to live", { spec: { ttlSecondsAfterFinished: -1 } }, [negative("spec.ttlSecondsAfterFinished")]],
  ["negative parallelism", { spec: { parallelism: -1 } }, [negative("spec.parallelism")]],
  ["no containers", { containers: [] }, [required(`${POD}.containers`)]],
  ["a container without a name", { container: { name: undefined } }, [required(`${CONTAINER}.name`)]],
  ["a container without an image", { container: { image: undefined } }, [required(`${CONTAINER}.image`)]],
  [
    "a container's name in upper case",
    { container: { name: "Not_OK" } },
    [invalid(`${CONTAINER}.name`, "Not_OK", LABEL)],
  ],
  [
    "two containers of one name",
    { containers: TWO },
    [[`${POD}.containers[1].name`, "FieldValueDuplicate", 'Duplicate value: "m"']],
  ],
  ["restartPolicy Always", { pod: { restartPolicy: "Always" } }, [required(`${POD}.restartPolicy`, RESTARTS)]],
  ["no restartPolicy", { pod: { restartPolicy: undefined } }, [required(`${POD}.restartPolicy`, RESTARTS)]],
  [
    "an unknown restartPolicy",
    { pod: { restartPolicy: "Sometimes" } },
    [
      [
        `${POD}.restartPolicy`,
        "FieldValueNotSupported",
        'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
      [
        `${POD}.restartPolicy`,
        "FieldValueNotSupported",
        'Unsupported value: "Sometimes": supported values: "OnFailure", "Never"',
      ],
    ],
  ],
  [
    "an unknown imagePullPolicy",
    { container: { imagePullPolicy: "Perhaps" } },
    [
      [
        `${CONTAINER}.imagePullPolicy`,
        "FieldValueNotSupported",
        'Unsupported value: "Perhaps": supported values: "Always", "IfNotPresent", "Never"',
      ],
    ],
  ],
  [
    "a variable's name with =",
    { container: { env: [{ name: "A=B", value: "1" }] } },
    [
      invalid(
        `${CONTAINER}.env[0].name`,
        "A=B",
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ),
    ],
  ],
  [
    "a variable with two values",
    { container: { env: [BOTH] } },
    [invalid(`${CONTAINER}.env[0].valueFrom`, "", "may not be specified when `value` is not empty")],
  ],
  [
    "a request above its limit",
    { container: { resources: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } } } },
    [invalid(`${CONTAINER}.resources.requests`, "2Gi", "must be less than or equal to memory limit of 1Gi")],
  ],
  [
    "a mount of no volume",
    { container: { volumeMounts: [{ name: "nope", mountPath: "/x" }] } },
    [[`${CONTAINER}.volumeMounts[0].name`, "FieldValueNotFound", 'Not found: "nope"']],
  ],
  [
    "more annotations than 256 KiB",
    { metadata: { annotations: { a: "x".repeat(262_144) } } },
    [["metadata.annotations", "FieldValueTooLong", "Too long: may not be more than 262144 bytes"]],
  ],
  [
    "a policy for failed Pods that are started again",
    { pod: { restartPolicy: "OnFailure" }, spec: { podFailurePolicy: { rules: [] } } },
    [invalid(`${POD}.restartPolicy`, "OnFailure", 'only "Never" is supported when podFailurePolicy is specified')],
  ],
  [
    "a native sidecar that is started again only sometimes",
    { pod: { initContainers: [{ name: "s", image: "x", restartPolicy: "Sometimes" }] } },
    [
      [
        `${POD}.initContainers[0].restartPolicy`,
        "FieldValueNotSupported",
        'Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
      ],
    ],
  ],
  [
    "three faults at once",
    { metadata: { name: "Up" }, pod: { restartPolicy: "Always" }, container: { image: "" } },
    [
      invalid("metadata.name", "Up", SUBDOMAIN),
      required(`${CONTAINER}.image`),
      required(`${POD}.restartPolicy`, RESTARTS),
    ],
  ],
];

const HANDLED = 'Job in version "v1" cannot be handled as a Job: ';
const unmarshal = (what: string, field: string, type: string): string =>
  `${HANDLED}json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`;
const IN_CONTAINER = "spec.template.spec.containers";

const WRONG_TYPES: readonly (readonly [what: string, changes: Changes, message: string])[] = [
  [
    "a number for a text",
    { container: { image: 5 } },
    unmarshal("number", `Container.${IN_CONTAINER}.image`, "string"),
  ],
  ["a text for a number", { spec: { backoffLimit: "3" } }, unmarshal("string", "JobSpec.spec.backoffLimit", "int32")],
  [
    "a fraction for a whole number",
    { spec: { backoffLimit: 1.5 } },
    unmarshal("number 1.5", "JobSpec.spec.backoffLimit", "int32"),
  ],
  [
    "a number too large for 32 bits",
    { spec: { backoffLimit: 3e9 } },
    unmarshal("number 3000000000", "JobSpec.spec.backoffLimit", "int32"),
  ],
  ["a text for a truth", { spec: { suspend: "true" } }, unmarshal("string", "JobSpec.spec.suspend", "bool")],
  [
    "an object for a list",
    { containers: { name: "m" } },
    unmarshal("object", `PodSpec.${IN_CONTAINER}`, "[]v1.Container"),
  ],
  [
    "a text for a list",
    { container: { command: "sh" } },
    unmarshal("string", `Container.${IN_CONTAINER}.command`, "[]string"),
  ],
  [
    "a number as a variable's value",
    { container: { env: [{ name: "A", value: 1 }] } },
    unmarshal("number", `EnvVar.${IN_CONTAINER}.env.value`, "string"),
  ],
  [
    "a number as a label",
    { metadata: { labels: { a: 1 } } },
    unmarshal("number", "ObjectMeta.metadata.labels", "string"),
  ],
  [
    "a quantity that is none",
    { container: { resources: { requests: { cpu: "lots" } } } },
    `${HANDLED}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  ],
  [
    "another namespace than the path's",
    { metadata: { namespace: "other" } },
    "the namespace of the provided object does not match the namespace sent on the request",
  ],
];

const status = (code: number, reason: string, message: string, details?: object) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  ...(details && { details }),
  code,
});

export function refusingCases(world: () => World): void {
  test.each(WRONG_VALUES)("of %s is 422 with its causes", async (_what, changes, causes) => {
    const space = await world().space();
    const given = job("x", changes);
    const { code, body } = await space.post(given, { dryRun: "All" });
    const { name = "" } = given["metadata"] as { name?: string };
    const told = causes.map(([field, , message]) => `${field}: ${message}`);
    const sentence = told.length === 1 ? told[0] : `[${told.join(", ")}]`;
    expect(body).toEqual(
      status(422, "Invalid", `Job.batch "${name}" is invalid: ${sentence}`, {
        ...(name !== "" && { name }),
        group: "batch",
        kind: "Job",
        causes: causes.map(([field, reason, message]) => ({ reason, message, field })),
      }),
    );
    expect(code).toBe(422);
  });

  test.each(WRONG_TYPES)("of %s is 400 in the words of its decoder", async (_what, changes, message) => {
    const space = await world().space();
    const { code, body } = await space.post(job("x", changes), { dryRun: "All" });
    expect(body).toEqual(status(400, "BadRequest", message));
    expect(code).toBe(400);
  });

  test("of unknown fields under fieldValidation=Strict names them all", async () => {
    const space = await world().space();
    const given = job("x", { spec: { backofLimit: 1 }, container: { imagePullPolciy: "Always" } });
    const { code, body } = await space.post(given, { fieldValidation: "Strict" });
    expect(code).toBe(400);
    const fields = ["spec.backofLimit", "spec.template.spec.containers[0].imagePullPolciy"];
    const told = fields.map((field) => `unknown field "${field}"`).join(", ");
    expect(body).toEqual(status(400, "BadRequest", `${HANDLED}strict decoding error: ${told}`));
    expect(await space.find("x")).toBeUndefined();
  });

  test.each([
    ["fieldValidation", "Perhaps", 'Unsupported value: "Perhaps": supported values: "", "Ignore", "Strict", "Warn"'],
    ["dryRun", "Some", 'Unsupported value: ["Some"]: supported values: "All"'],
  ])("of the option %s=%s is 422", async (field, value, message) => {
    const space = await world().space();
    const { code, body } = await space.post(job("x"), { dryRun: "All", [field]: value });
    expect(code).toBe(422);
    expect(body).toMatchObject({
      message: `CreateOptions.meta.k8s.io "" is invalid: ${field}: ${message}`,
      details: {
        group: "meta.k8s.io",
        kind: "CreateOptions",
        causes: [{ reason: "FieldValueNotSupported", message, field }],
      },
    });
  });

  test.each([
    [
      "Pod",
      "batch/v1",
      'Pod in version "v1" cannot be handled as a Job: no kind "Pod" is registered for version "batch/v1"',
    ],
    [
      "Job",
      "batch/v1beta1",
      'Job in version "v1beta1" cannot be handled as a Job: no kind "Job" is registered for version "batch/v1beta1"',
    ],
  ])("of a %s of %s where a Job is wanted is 400", async (kind, apiVersion, message) => {
    const space = await world().space();
    const { code, body } = await space.post(job("x", { top: { kind, apiVersion } }));
    expect(code).toBe(400);
    expect(body).toMatchObject({ reason: "BadRequest", message: expect.stringContaining(message) });
  });

  test.each([
    [
      "{nope",
      "couldn't get version/kind; json parse error: invalid character 'n' looking for beginning of object key string ({nope)",
    ],
    ["", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"],
  ])("of the body %j is 400", async (text, message) => {
    const space = await world().space();
    const { code, body } = await space.post(text);
    expect(code).toBe(400);
    expect(body).toEqual(
      status(400, "BadRequest", `the object provided is unrecognized (must be of type Job): ${message}`),
    );
  });

  test("of a Job in a namespace that does not exist is 404, which opjob's client tells apart", async () => {
    const { admin, cluster } = world();
    const { code, body } = await admin.send("POST", "/apis/batch/v1/namespaces/nowhere/jobs", { body: job("x") });
    expect(code).toBe(404);
    expect(body).toEqual(
      status(404, "NotFound", 'namespaces "nowhere" not found', { name: "nowhere", kind: "namespaces" }),
    );
    await expect(cluster.createJob("nowhere", "x", job("x"))).rejects.toMatchObject({
      code: "CLUSTER_NAMESPACE_MISSING",
      message: expect.stringContaining('namespaces "nowhere" not found'),
    });
  });

  test("of a Job in a namespace that is being deleted is 403 and says so", async () => {
    const { admin, space } = world();
    const here = await space();
    await here.create(job("slow", { does: "linger", pod: { terminationGracePeriodSeconds: 10 } }));
    await here.pod("slow", "Running");
    await admin.send("DELETE", `/api/v1/namespaces/${here.name}`);
    const { code, body } = await here.post(job("x"));
    expect(code).toBe(403);
    expect(body).toMatchObject({
      reason: "Forbidden",
      message: `jobs.batch "x" is forbidden: unable to create new content in namespace ${here.name} because it is being terminated`,
      details: { name: "x", group: "batch", kind: "jobs" },
    });
  });

  test("of a body beyond 3 MiB is 413", async () => {
    const space = await world().space();
    const { code, body } = await space.post(job("x", { container: { args: ["x".repeat(3 * 2 ** 20)] } }));
    expect(code).toBe(413);
    expect(body).toMatchObject({
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is 3145728",
    });
  });

  test("by opjob's client is JOB_REFUSED, with all causes", async () => {
    const { cluster, space } = world();
    const { name } = await space();
    const given = job("x", { pod: { restartPolicy: "Always" }, container: { image: undefined } });
    await expect(cluster.createJob(name, "x", given)).rejects.toMatchObject({
      code: "JOB_REFUSED",
      message: expect.stringContaining(`[${CONTAINER}.image: Required value, ${POD}.restartPolicy: ${RESTARTS}]`),
    });
  });

  test.each([
    [
      "GET",
      "/apis/batch/v1/namespaces/default/jbs",
      404,
      "the server could not find the requested resource",
      "NotFound",
    ],
    [
      "PUT",
      "/apis/batch/v1/namespaces/default/jobs",
      405,
      "the server does not allow this method on the requested resource",
      "MethodNotAllowed",
    ],
  ] as const)("of %s %s is %i", async (method, path, expected, message, reason) => {
    const { code, body } = await world().admin.send(method, path, method === "PUT" ? { body: job("x") } : {});
    expect(code).toBe(expected);
    expect(body).toEqual(status(expected, reason, message, {}));
  });
}
