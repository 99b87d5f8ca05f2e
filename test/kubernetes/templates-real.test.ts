// Templates' Jobs at the real API server, which is asked by dry run: arguments arrive there as they are, no value adds to a Job,
// and names and labels are refused here exactly where they are refused there.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { OpjobError } from "../../src/errors.ts";
import { LARGEST_JOB } from "../../src/templates/fill.ts";
import { requireAcceptable } from "../../src/templates/job-rules.ts";
import type { JsonObject } from "../../src/templates/json.ts";
import { compileTemplate, type JobTemplate } from "../../src/templates/render.ts";
import { stampJob } from "../../src/templates/stamp.ts";
import { run as opjob } from "../command.ts";
import { ARGUMENT, ATTACKS } from "../templates/awkward.ts";
import { ACCEPTED, jobText, REFUSED } from "../templates/named-jobs.ts";
import { Client, type Reply } from "./client.ts";
import { type Plane, startPlane } from "./plane/plane.ts";
import { seen } from "./seen.ts";

const NAMESPACES = ["fiftyone", "team-a", "your-org-fiftyone-ai"];
const ID = "6503660453668982e8306123";
const VALUES = { _id: ID, _name: `echo-${ID}`, _image: "registry/w:1", _command: "python", _args: ["a"] };
const SEED = new URL("../templates/seed/", import.meta.url);

let plane: Plane;
let admin: Client;

beforeAll(async () => {
  plane = await startPlane({ level: "none" });
  admin = new Client(plane.kubeconfig());
  for (const name of NAMESPACES) {
    expect((await admin.send("POST", "/api/v1/namespaces", { body: { metadata: { name } } })).code).toBe(201);
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await seen("the service account", async () => (await admin.send("GET", account)).code === 200);
  }
}, 120_000);
afterAll(async () => {
  await admin?.close();
  await plane?.stop();
});

const post = (manifest: JsonObject, namespace: string, query: object = { dryRun: "All" }): Promise<Reply> =>
  admin.send("POST", `/apis/batch/v1/namespaces/${namespace}/jobs`, {
    body: manifest,
    query: { fieldValidation: "Warn", ...query },
  });

type Posted = { readonly containers: readonly { readonly args: readonly string[] }[] };

/** Sends the Job as a launch does. @returns what the API server made of it, and of its args */
async function created(template: JobTemplate, values: object) {
  const manifest = template.manifest({ ...VALUES, ...values });
  const stamp = {
    operation: ID,
    operator: "@a/b",
    orchestrator: "gpu",
    attempt: 1,
    queuedAt: new Date(),
    database: "d",
  };
  const job = stampJob(manifest, { ...stamp, namespace: "fiftyone" });
  const { code, text, body, headers } = await post(job.manifest, job.namespace);
  if (code !== 201) throw new Error(text);
  const { spec } = body.spec["template"] as { spec: Posted };
  const args = spec.containers[0]?.args;
  const warnings = [headers["warning"] ?? []].flat().map(String);
  // Each dry run gives the Job another uid, which is in its selector too.
  const { selector: _, template: __, ...rest } = body.spec;
  const containers = spec.containers.map((container, at) => (at === 0 ? { ...container, args: [] } : container));
  return { args, warnings, else: { ...rest, spec: { ...spec, containers } } };
}

describe("FiftyOne's four templates", () => {
  test.each(["minimal", "gpu", "cpu", "production"])("%s: 1,000 random arguments arrive as they are", async (name) => {
    const template = compileTemplate(await readFile(new URL(`${name}.yaml.j2`, SEED), "utf8"), name);
    const { warnings, else: baseline } = await created(template, {});
    expect(warnings).toEqual(
      name === "production" ? [String.raw`299 - "unknown field \"spec.template.spec.podSecurityContext\""`] : [],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(ARGUMENT, { minLength: 10, maxLength: 10 }), async (_args) => {
        expect(await created(template, { _args })).toEqual({ args: _args, warnings, else: baseline });
      }),
      { numRuns: 100 },
    );
  });
});

describe("whoever writes an argument or an operator adds nothing to the Job", () => {
  test.each([
    ["trimmed", "{{ _args[0] | trim }}"],
    ["joined", "{{ _args | join(' ') }}"],
    ["in upper case", "'{{ _args[0] | upper }}'"],
    ["as Python's list", "{{ _args }}"],
    ["a name in upper case", "{{ _name | upper }}"],
  ])("%s", async (_, printed) => {
    const source = jobText("name: a").replace("image: x", `image: x, args: [${printed}]`);
    const template = compileTemplate(source, "t.yaml");
    const { else: baseline } = await created(template, {});
    for (const attack of ATTACKS) {
      const { else: rest, args } = await created(template, { _args: [attack], _name: attack });
      expect(rest).toEqual(baseline);
      expect(args).toHaveLength(1);
    }
  });
});

describe("names and labels", () => {
  const RANDOM = 2_000;
  const isRefused = (manifest: JsonObject): boolean => {
    try {
      requireAcceptable(manifest, "t.yaml");
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(OpjobError);
      return true;
    }
  };
  /** The API server says it of the Job as it is; what opjob makes of a name is another matter. */
  const isRefusedThere = async (manifest: JsonObject): Promise<boolean> => {
    const { code, text } = await post(manifest, "fiftyone");
    if (code !== 201 && code !== 422) throw new Error(text);
    return code === 422;
  };
  const ofText = (text: string): JsonObject => parse(text) as JsonObject;

  test.each(REFUSED.filter(([what]) => !what.includes("namespace")))(
    "%s: the API server refuses it too",
    async (...row) => {
      expect(await isRefusedThere(ofText(row[1]))).toBe(true);
    },
  );

  test.each(ACCEPTED)("%s: the API server takes it too", async (_, source) => {
    await expect(created(compileTemplate(source, "t.yaml"), {})).resolves.toBeDefined();
  });

  test(`${RANDOM} random ones are refused here if and only if they are refused there`, async () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "a", "Z", "0", "-", "_", ".", "/", " ", "é"), maxLength: 5 }),
      fc.constantFrom(62, 63, 64).map((length) => "a".repeat(length)),
      fc.constantFrom(252, 253, 254).map((length) => "a.".repeat(length / 2).padEnd(length, "a")),
    );
    const place = fc.constantFrom("label", "labelKey", "annotationKey", "podLabel", "podAnnotationKey", "container");
    const text = fc.tuple(word, word, fc.boolean()).map(([a, b, both]) => (both ? `${a}/${b}` : a));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(place, text, async (where, value) => {
        const manifest = placed(where, value);
        const here = isRefused(manifest);
        if (here) refused++;
        expect(await isRefusedThere(manifest)).toBe(here);
      }),
      { numRuns: RANDOM },
    );
    process.stderr.write(`of ${RANDOM} names and labels ${refused} were refused, here and there\n`);
    expect(refused).toBeGreaterThan(100);
  });

  function placed(where: string, value: string): JsonObject {
    const metadata = {
      ...(where === "label" ? { labels: { a: value } } : {}),
      ...(where === "labelKey" ? { labels: { [value]: "a" } } : {}),
      ...(where === "annotationKey" ? { annotations: { [value]: "a b" } } : {}),
    };
    const ofPod = {
      ...(where === "podLabel" ? { labels: { a: value } } : {}),
      ...(where === "podAnnotationKey" ? { annotations: { [value]: "a b" } } : {}),
    };
    const name = where === "container" ? value : "worker";
    const spec = { restartPolicy: "Never", containers: [{ name, image: "x" }] };
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { ...metadata, name: "a" },
      spec: { template: { metadata: ofPod, spec } },
    };
  }
});

test("the largest Job that opjob sends is stored", async () => {
  const source = jobText("name: large").replace(
    "image: x",
    "image: x, args: [{% for arg in _args %}{{ arg }}, {% endfor %}]",
  );
  const template = compileTemplate(source, "t.yaml");
  const manifest = template.manifest({ ...VALUES, _args: Array<string>(498).fill("秘".repeat(1_000)) });
  const size = Buffer.byteLength(JSON.stringify(manifest));
  expect(size).toBeGreaterThan(LARGEST_JOB - 10_000);
  expect(
    (await post({ ...manifest, spec: { ...(manifest["spec"] as JsonObject), suspend: true } }, "fiftyone", {})).code,
  ).toBe(201);
});

describe("opjob render --dry-run", () => {
  let folder: string;
  let KUBECONFIG: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "opjob-render-"));
    KUBECONFIG = join(folder, "config");
    writeFileSync(KUBECONFIG, plane.kubeconfig());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("tells the API server's warning, and creates nothing", async () => {
    const { code, out } = await opjob(["render", "test/templates/seed/production.yaml.j2", "--dry-run"], {
      KUBECONFIG,
    });
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^accepted: .* would create the Job your-org-fiftyone-ai\//),
    ]);
    expect(out).toContain('warning: unknown field "spec.template.spec.podSecurityContext"\n');
    const { body } = await admin.send("GET", "/apis/batch/v1/namespaces/your-org-fiftyone-ai/jobs");
    expect(body.items).toEqual([]);
  });

  test("tells why the API server refuses, with the field", async () => {
    const path = join(folder, "wrong.yaml.j2");
    writeFileSync(path, jobText("name: a, namespace: fiftyone").replace("Never", "Sometimes"));
    const { code, out } = await opjob(["render", path, "--dry-run"], { KUBECONFIG });
    expect([code, out]).toEqual([
      3,
      expect.stringMatching(/^refused: .*spec\.template\.spec\.restartPolicy.*Sometimes/),
    ]);
  });
});
