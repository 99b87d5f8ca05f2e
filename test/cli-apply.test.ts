// `opjob apply` on a real database: a file in git makes the records, again and again, and shows what it would do.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { stringify } from "yaml";
import type { Run } from "./command-line.ts";
import { type FiftyoneDatabase, fiftyoneDatabase } from "./fiftyone-database.ts";
import { dataUri } from "./local-daemon.ts";
import { template } from "./scene.ts";

const kubeconfig = (context: string): string =>
  stringify({
    clusters: [{ name: "c", cluster: { server: "https://k8s.example" } }],
    users: [{ name: "u", user: { token: "t0ken-t0ken" } }],
    contexts: [{ name: context, context: { cluster: "c", user: "u" } }],
    "current-context": context,
  });

const TWO = `
instance_id: kubernetes-gpu
description: GPU cluster
environment: kubernetes
config:
  kubernetes:
    executionTmplUri: /templates/gpu.yaml.j2
    registrationTmplUri: /templates/cpu.yaml.j2
    namespace: fiftyone
secrets:
  kubernetes:
    kubeConfig: MINE
---
instance_id: kubernetes-cpu
config: { execution_tmpl_uri: /templates/cpu.yaml.j2 }
`;

let fiftyone: FiftyoneDatabase;
let folder: string;
const path = (): string => join(folder, "orchestrators.yaml");

beforeAll(async () => {
  fiftyone = await fiftyoneDatabase();
  folder = await mkdtemp(join(tmpdir(), "opjob-apply-"));
});
afterEach(() => fiftyone.clear());
afterAll(async () => {
  await fiftyone[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function apply(text: string, args: readonly string[] = ["--yes"], run?: Run) {
  await writeFile(path(), text);
  return fiftyone.run(["apply", "-f", path(), ...args], run);
}

test("several documents become records; applied again, nothing is written", async () => {
  await fiftyone.storeSecret("MINE", kubeconfig("main"));
  const { code, out, err } = await apply(TWO);
  expect([code, err]).toEqual([0, "2 written\n"]);
  expect(out).toBe(
    "orchestrator kubernetes-gpu: new\n" +
      "  + description          GPU cluster\n" +
      "  + executionTmplUri     /templates/gpu.yaml.j2\n" +
      "  + registrationTmplUri  /templates/cpu.yaml.j2\n" +
      "  + namespace            fiftyone\n" +
      "  + kubeConfig           MINE\n" +
      "orchestrator kubernetes-cpu: new\n" +
      "  + executionTmplUri  /templates/cpu.yaml.j2\n",
  );
  const before = await fiftyone.orchestrators.find().toArray();
  expect(before.map(({ instance_id }) => instance_id as string)).toEqual(["kubernetes-gpu", "kubernetes-cpu"]);
  const again = await apply(TWO, []);
  expect([again.code, again.out]).toEqual([
    0,
    "orchestrator kubernetes-gpu: no difference\norchestrator kubernetes-cpu: no difference\n",
  ]);
  expect(await fiftyone.orchestrators.find().toArray()).toEqual(before);
});

test("a list does as well, and what the file does not name any more is taken away", async () => {
  await fiftyone.storeSecret("MINE", kubeconfig("main"));
  await apply(TWO);
  const list = "- instance_id: kubernetes-gpu\n  config: { executionTmplUri: /other.yaml.j2 }\n";
  const { out } = await apply(list);
  expect(out).toBe(
    "orchestrator kubernetes-gpu: changed\n" +
      "  ~ executionTmplUri     /templates/gpu.yaml.j2 → /other.yaml.j2\n" +
      "  - registrationTmplUri  /templates/cpu.yaml.j2\n" +
      "  - namespace            fiftyone\n" +
      "  - kubeConfig           MINE\n",
  );
  expect(await fiftyone.record("kubernetes-gpu")).toMatchObject({
    description: "GPU cluster",
    config: { execution_tmpl_uri: "/other.yaml.j2" },
    secrets: {},
  });
  expect(await fiftyone.orchestrators.countDocuments()).toBe(2);
});

test("it asks on a terminal, needs --yes without one, and only shows with --dry-run", async () => {
  const one = "instance_id: a\nconfig: { executionTmplUri: /a }\n";
  const written = () => fiftyone.orchestrators.countDocuments();
  const dry = await apply(one, ["--dry-run"]);
  expect([dry.code, dry.out, await written()]).toEqual([3, expect.stringContaining("orchestrator a: new"), 0]);
  const alone = await apply(one, []);
  expect([alone.code, alone.err, await written()]).toEqual([1, expect.stringContaining("--yes"), 0]);
  expect([(await apply(one, [], { terminal: true, input: "n\n" })).code, await written()]).toEqual([1, 0]);
  expect([(await apply(one, [], { terminal: true, input: "y\n" })).code, await written()]).toEqual([0, 1]);
  expect(JSON.parse((await apply(one, ["--json"])).out)).toEqual([{ id: "a", kind: "same", differences: [] }]);
});

test("templates and kubeconfigs beside the file are embedded and made secrets; later changes are found", async () => {
  await writeFile(join(folder, "job.yaml.j2"), template());
  await writeFile(join(folder, "kubeconfig"), kubeconfig("first"));
  const text =
    "instance_id: gpu\nconfig:\n  kubernetes: { executionTmplUri: job.yaml.j2 }\n" +
    "secrets:\n  kubernetes: { kubeConfigFile: ./kubeconfig }\n";
  const first = await apply(text, ["--embed", "--yes"]);
  expect(first.out).toMatch(
    /\+ executionTmplUri +\(embedded, \d+ bytes, \w{8}\)\n[\s\S]*\+ secret KUBE_CONFIG_GPU +\(new\)/,
  );
  expect(await fiftyone.record("gpu")).toMatchObject({
    config: { execution_tmpl_uri: dataUri(template()) },
    secrets: { kube_config: "KUBE_CONFIG_GPU" },
  });
  expect((await apply(text, ["--embed", "--dry-run"])).code).toBe(0);
  await writeFile(join(folder, "kubeconfig"), kubeconfig("second"));
  const second = await apply(text, ["--embed", "--yes"]);
  expect(second.out).toContain("~ secret KUBE_CONFIG_GPU  (its value) → (another value)");
  expect(await fiftyone.secretValue("KUBE_CONFIG_GPU")).toBe(kubeconfig("second"));
  expect(first.out + second.out).not.toMatch(/t0ken|gAAAA/);
});

test.each<[string, string, RegExp]>([
  ["no YAML", "a: [\n", /line \d+ is not YAML/],
  ["nothing", "\n---\n", /holds no orchestrator/],
  ["a text", "hello\n", /orchestrator 1 is no mapping/],
  ["no name", "config: {}\n", /orchestrator 1 has no instance_id/],
  [
    "a name twice",
    "- {instance_id: a, config: {executionTmplUri: /a}}\n- {instance_id: a}\n",
    /"a" stands in it twice/,
  ],
  [
    "a typing error",
    "instance_id: a\nconfig: { kubernetes: { executionTmpUri: /a } }\n",
    /no "executionTmpUri"\. Did you mean "executionTmplUri"/,
  ],
  ["an unknown field", "instance_id: a\nsecret: {}\n", /no "secret"\. Did you mean "secrets"/],
  ["another environment", "instance_id: a\nenvironment: databricks\n", /another environment/],
  ["a config that is a text", "instance_id: a\nconfig: x\n", /config of "a" is no mapping/],
  ["an image that is a number", "instance_id: a\nconfig: { image: 5 }\n", /image must be a text/],
  ["a description that is a list", "instance_id: a\ndescription: []\n", /description of "a" is no text/],
  ["a relative template", "instance_id: a\nconfig: { executionTmplUri: a.yaml }\n", /relative path/],
  ["no template", "instance_id: a\n", /names no Job template/],
  [
    "a kubeconfig in the file itself",
    "instance_id: a\nsecrets: { kubeConfig: 'clusters: []' }\n",
    /not a secret's name[\s\S]*kubeConfigFile/,
  ],
  [
    "a secret that is missing",
    "instance_id: a\nconfig: { executionTmplUri: /a }\nsecrets: { kubeConfig: NONE }\n",
    /no secret "NONE"/,
  ],
  ["a kubeconfig file that is missing", "instance_id: a\nsecrets: { kubeConfigFile: none }\n", /ENOENT/],
  [
    "aliases without end",
    `a: &a [x]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nd: [${"*c,".repeat(9)}]\n`,
    /aliases|no mapping|no "a"/,
  ],
])("a file with %s: one clear error, and nothing is written, not even of the sound ones", async (_, text, words) => {
  const sound = "instance_id: sound\nconfig: { executionTmplUri: /sound }\n";
  const whole = text.startsWith("-")
    ? text.replace(/^/, "- {instance_id: sound, config: {executionTmplUri: /s}}\n")
    : text;
  const { code, err } = await apply(text.startsWith("\n") || text.startsWith("-") ? whole : `${text}---\n${sound}`);
  expect([code, err]).toEqual([1, expect.stringMatching(words)]);
  expect(err).not.toMatch(/^\s+at /m);
  expect(await fiftyone.orchestrators.countDocuments()).toBe(0);
});

test("what fails half way tells what was written, and goes on when it is run again", async () => {
  await apply("instance_id: z\nconfig: { executionTmplUri: /z }\n");
  await fiftyone.db.command({ collMod: "orchestrators", validator: { instance_id: { $ne: "b" } } });
  const text = ["a", "b", "c"].map((id) => `instance_id: ${id}\nconfig: { executionTmplUri: /t }\n`).join("---\n");
  const { code } = await apply(text);
  await fiftyone.db.command({ collMod: "orchestrators", validator: {} });
  expect([code, await fiftyone.orchestrators.countDocuments()]).toEqual([1, 2]);
  expect((await apply(text)).code).toBe(0);
  expect(await fiftyone.orchestrators.countDocuments()).toBe(4);
});
