// The command as a person starts it: a process of its own, its output and its exit code.
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { run, start } from "./command.ts";
import { until } from "./local-daemon.ts";
import { testDatabase } from "./mongo.ts";
import { queued } from "./operations/documents.ts";

const SEED = "test/templates/seed/minimal.yaml.j2";

test.each([[["--help"]], [["daemon", "--help"]], [["demo", "--help"]], [["render", "--help"]]])(
  "%p says how it is used",
  async (args) => {
    const { code, out } = await run(args);
    expect([code, out]).toEqual([0, expect.stringContaining("Usage: opjob")]);
  },
);

test("render prints the Job as it would be created, with made-up values", async () => {
  const { code, out } = await run(["render", SEED, "--orchestrator", "gpu", "--arg", "run", "{operation}"]);
  expect(code).toBe(0);
  const job = parse(out) as { kind: string; metadata: { name: string; labels: Record<string, string> }; spec: unknown };
  expect(job.kind).toBe("Job");
  expect(job.metadata.labels["opjob/orchestrator"]).toBe("gpu");
  const id = job.metadata.labels["opjob/operation"] ?? "";
  expect(job.metadata.name).toBe(`operator-${id}`);
  expect(JSON.stringify(job.spec)).toContain(`"args":["run","${id}"]`);
});

test("render takes an operation of the database", async () => {
  await using database = await testDatabase();
  const operation = queued({ operator: "@voxel51/brain/compute_visualization" });
  await database.db.collection("delegated_ops").insertOne(operation);
  const env = { FIFTYONE_DATABASE_URI: database.uri, FIFTYONE_DATABASE_NAME: database.name };
  const { code, out } = await run(["render", SEED, "--operation", operation._id.toHexString()], env);
  expect(code).toBe(0);
  expect(out).toContain(`name: compute-visualization-${operation._id.toHexString()}`);
});

type Refused = [what: string, args: string[], env: Record<string, string>, words: RegExp];

test.each<Refused>([
  [
    "a template that is missing",
    ["render", "/no/such.yaml.j2"],
    {},
    /no template file "\/no\/such\.yaml\.j2"\.\nMount/,
  ],
  ["no database", ["daemon"], {}, /FIFTYONE_DATABASE_URI must be set/],
  [
    "a setting that does not exist",
    ["daemon"],
    { FIFTYONE_DATABASE_URI: "mongodb://127.0.0.1:1", OPJOB_SWEEP: "x" },
    /no setting OPJOB_SWEEP\. Did you mean OPJOB_SWEEP_CRON\?/,
  ],
])("%s ends with one clear error and its remedy", async (_, args, env, words) => {
  const { code, out, err } = await run(args, env);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(words);
  expect(err).not.toMatch(/^\s+at /m);
});

test("the daemon lives without MongoDB, is not ready, says so once a try, and stops on SIGTERM with exit code 0", async () => {
  const child = start(["daemon"], {
    FIFTYONE_DATABASE_URI: "mongodb://user:s3cret-pass@127.0.0.1:1",
    OPJOB_HTTP_PORT: "0",
    OPJOB_HTTP_HOST: "127.0.0.1",
  });
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  const port = await until("it serves", () => /"port":(\d+)/.exec(out)?.[1]);
  const health = await fetch(`http://127.0.0.1:${port}/healthz`);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect([health.status, ready.status]).toEqual([200, 503]);
  expect(await ready.text()).toContain("the first scan is not done");
  await until("it tells why", () => out.includes("DATABASE_UNREACHABLE"), 15_000);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
  expect(out).not.toContain("s3cret-pass");
});
