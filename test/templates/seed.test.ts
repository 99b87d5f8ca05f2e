// The four templates of FiftyOne's own documentation, unmodified, from their text to the Job that a cluster would get.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import type { Values } from "../../src/templates/blanks.ts";
import type { Json, JsonObject } from "../../src/templates/json.ts";
import { generatedName } from "../../src/templates/naming.ts";
import { compileTemplate, type JobTemplate } from "../../src/templates/render.ts";
import { stampJob } from "../../src/templates/stamp.ts";
import { ARGUMENT, HARD } from "./awkward.ts";

const ID = "6503660453668982e8306123"; // YAML takes it for a number
const OPERATOR = "@voxel51/brain/compute_similarity";
const VALUES: Values = {
  _id: ID,
  _name: generatedName(OPERATOR, ID, 1),
  _image: "",
  _command: "python",
  _args: ["-c", "import sys;print(sys.argv)", ID],
};
const source = (name: string): string => readFileSync(new URL(`seed/${name}.yaml.j2`, import.meta.url), "utf8");

type Container = { command: string[]; args: string[]; env: JsonObject[]; resources?: Json };
const containerOf = (manifest: JsonObject): Container =>
  (manifest as unknown as { spec: { template: { spec: { containers: Container[] } } } }).spec.template.spec
    .containers[0] as Container;

const withoutArgs = (manifest: JsonObject): JsonObject => {
  const copy = structuredClone(manifest);
  containerOf(copy).args = [];
  return copy;
};

const stamp = (manifest: JsonObject) =>
  stampJob(manifest, {
    operation: ID,
    operator: OPERATOR,
    orchestrator: "kubernetes-gpu",
    attempt: 1,
    queuedAt: null,
    database: "f1ngerpr1nt",
    namespace: "fallback",
  });

describe.each(["minimal", "gpu", "cpu", "production"])("the %s template", (name) => {
  let template: JobTemplate;
  beforeAll(() => {
    template = compileTemplate(source(name), name);
  });

  test("gives the Job that its author sees, with name, id, command and arguments in their places", () => {
    const { manifest, namespace } = stamp(template.manifest(VALUES));
    // The same text by a plain reader: only numbers that are meant as texts differ, and those are compared by hand.
    const plain = parse(template.render(VALUES), { version: "1.1" }) as { metadata: { namespace: string } };
    expect(namespace).toBe(plain.metadata.namespace);
    expect(manifest).toMatchObject({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: `compute-similarity-${ID}`, labels: { "task-id": ID, "opjob/operation": ID } },
      spec: {
        ttlSecondsAfterFinished: 60,
        backoffLimit: 0,
        template: { metadata: { labels: { "opjob/operation": ID } }, spec: { restartPolicy: "Never" } },
      },
    });
    expect(containerOf(manifest)).toMatchObject({ name: "task-worker", image: "registry/image:tag" });
    expect(containerOf(manifest).command).toEqual(["python"]);
    expect(containerOf(manifest).args).toEqual(VALUES._args);
  });

  test("keeps every value of its environment as a text", () => {
    const { env } = containerOf(template.manifest(VALUES));
    expect(env).toContainEqual({ name: "FIFTYONE_INTERNAL_SERVICE", value: "1" });
    for (const { value } of env) expect(value === undefined || typeof value === "string").toBe(true);
    expect(env.filter((entry) => "valueFrom" in entry).length).toBeGreaterThanOrEqual(2);
  });

  test.each(HARD)("an argument %j arrives as it is, and changes nothing else", (arg) => {
    const manifest = template.manifest({ ...VALUES, _args: [arg, "end"] });
    expect(containerOf(manifest).args).toEqual([arg, "end"]);
    expect(withoutArgs(manifest)).toEqual(withoutArgs(template.manifest(VALUES)));
  });

  test("1,000 random lists of arguments arrive as they are, and change nothing else", () => {
    const baseline = withoutArgs(template.manifest(VALUES));
    fc.assert(
      fc.property(fc.array(ARGUMENT, { minLength: 1, maxLength: 4 }), (args) => {
        const manifest = template.manifest({ ...VALUES, _args: args });
        expect(containerOf(manifest).args).toEqual(args);
        expect(withoutArgs(manifest)).toEqual(baseline);
      }),
      { numRuns: 1_000 },
    );
  });

  test("command and operator are as safe as arguments", () => {
    const manifest = template.manifest({ ...VALUES, _command: "a: b # c\n- d" });
    expect(containerOf(manifest).command).toEqual(["a: b # c\n- d"]);
  });
});

test("the GPU template keeps its resources, node selector and toleration", () => {
  const manifest = compileTemplate(source("gpu"), "gpu").manifest(VALUES);
  expect(containerOf(manifest).resources).toEqual({
    requests: { cpu: "4", memory: "16Gi", "nvidia.com/gpu": "1" },
    limits: { cpu: "8", memory: "32Gi", "nvidia.com/gpu": "1" },
  });
  expect(manifest).toMatchObject({
    spec: {
      template: {
        spec: {
          nodeSelector: { "cloud.google.com/gke-accelerator": "nvidia-tesla-t4" },
          tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
        },
      },
    },
  });
});

test("the production template keeps its annotation, its volumes and even the field that Kubernetes will drop", () => {
  const { manifest, namespace } = stamp(compileTemplate(source("production"), "production").manifest(VALUES));
  expect(namespace).toBe("your-org-fiftyone-ai");
  expect(manifest).toMatchObject({
    spec: {
      template: {
        metadata: { annotations: { "gke-gcsfuse/volumes": "true", "opjob/database": "f1ngerpr1nt" } },
        spec: {
          serviceAccountName: "your-org-fiftyone-teams",
          podSecurityContext: { runAsNonRoot: false },
          volumes: expect.arrayContaining([
            { name: "memory-media-cache-vol", emptyDir: { medium: "Memory", sizeLimit: "2.5Gi" } },
            {
              name: "fuse-do-models-vol",
              csi: {
                driver: "gcsfuse.csi.storage.gke.io",
                volumeAttributes: {
                  bucketName: "your-bucket-name",
                  mountOptions: "implicit-dirs,file-mode=640,dir-mode=750,uid=1000,gid=1000",
                },
              },
            },
          ]) as unknown,
        },
      },
    },
  });
});
