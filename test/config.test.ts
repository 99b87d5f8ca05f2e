// The settings: what is refused, with which words, and what counts as not set.
import { describe, expect, test } from "@jest/globals";
import { type Config, type Environment, readConfig } from "../src/config.ts";
import { OpjobError } from "../src/errors.ts";
import { nearest } from "../src/nearest.ts";
import { SETTINGS } from "../src/settings.ts";

const URI = "mongodb://worker:s3cret-pass@db.example:27017/?replicaSet=rs0";

const read = (environment: Environment): Config => readConfig({ FIFTYONE_DATABASE_URI: URI, ...environment });

function refusal(environment: Environment): OpjobError {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof OpjobError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test("an environment with nothing but the database's address gives the documented defaults", () => {
  const { databaseUri, workerArgs, ...rest } = read({});
  expect(databaseUri).toBe(URI);
  expect(workerArgs.at(-1)).toBe("{operation}");
  for (const [name, value] of Object.entries(rest)) {
    expect([name, value]).toEqual([name, SETTINGS[name as keyof typeof SETTINGS].default]);
  }
});

test("values arrive with their types", () => {
  const config = read({
    OPJOB_POLL_MS: "250",
    OPJOB_PENDING_TIMEOUT_SECONDS: "0",
    OPJOB_ALLOW_EXEC_CREDENTIALS: "true",
    OPJOB_CHANGES: "poll",
    OPJOB_WORKER_ARGS: '["run", "{operation}", "3"]',
    OPJOB_WORKERS: '{"kubernetes-gpu": {"command": "fiftyone", "args": ["x", "{operation}"]}}',
  });
  expect(config).toMatchObject({ pollMs: 250, pendingTimeoutSeconds: 0, allowExecCredentials: true, changes: "poll" });
  expect(config.workerArgs).toEqual(["run", "{operation}", "3"]);
  expect(config.workers).toEqual({ "kubernetes-gpu": { command: "fiftyone", args: ["x", "{operation}"] } });
});

test.each([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
])("a flag of %s is %s", (text, value) => {
  expect(read({ OPJOB_ALLOW_EXEC_CREDENTIALS: text }).allowExecCredentials).toBe(value);
});

test("an empty variable counts as not set", () => {
  expect(read({ OPJOB_POLL_MS: "", OPJOB_LOG_LEVEL: "", OPJOB_WORKERS: "", OPJOB_FUTURE: "" })).toEqual(read({}));
  expect(refusal({ FIFTYONE_DATABASE_URI: "" }).message).toContain("FIFTYONE_DATABASE_URI must be set");
});

test("what Kubernetes itself sets for a Service named opjob is ignored", () => {
  const links = {
    OPJOB_SERVICE_HOST: "10.0.0.1",
    OPJOB_SERVICE_PORT: "8080",
    OPJOB_SERVICE_PORT_HTTP: "8080",
    OPJOB_PORT: "tcp://10.0.0.1:8080",
    OPJOB_PORT_8080_TCP: "tcp://10.0.0.1:8080",
    OPJOB_PORT_8080_TCP_PROTO: "tcp",
  };
  expect(read(links)).toEqual(read({}));
});

test("variables of other programs are nobody's concern", () => {
  expect(read({ FIFTYONE_PLUGINS_DIR: "/plugins", PATH: "/bin", opjob_poll_ms: "x" })).toEqual(read({}));
});

describe("refused, with the variable's name and what it must be", () => {
  test.each<[string, Environment, RegExp]>([
    ["no database", {}, /FIFTYONE_DATABASE_URI must be set/],
    ["a database of another kind", { FIFTYONE_DATABASE_URI: "postgres://x" }, /FIFTYONE_DATABASE_URI must begin with/],
    ["a mistyped name", set("OPJOB_POLMS", "1"), /no setting OPJOB_POLMS.*OPJOB_POLL_MS/],
    ["a number with a unit", set("OPJOB_POLL_MS", "400ms"), /OPJOB_POLL_MS must be a whole number/],
    ["a fraction", set("OPJOB_POLL_MS", "0.5"), /OPJOB_POLL_MS must be a whole number from 1 to 60000/],
    ["too large a number", set("OPJOB_HTTP_PORT", "65536"), /OPJOB_HTTP_PORT must be a whole number from 0 to 65535/],
    ["a negative number", set("OPJOB_LAUNCH_CONCURRENCY", "-1"), /OPJOB_LAUNCH_CONCURRENCY must be/],
    ["zero where something is needed", set("OPJOB_LAUNCH_CONCURRENCY", "0"), /OPJOB_LAUNCH_CONCURRENCY must be/],
    ["an unknown choice", set("OPJOB_CHANGES", "sometimes"), /OPJOB_CHANGES must be .*"stream"/],
    ["an unclear flag", set("OPJOB_ALLOW_EXEC_CREDENTIALS", "yes"), /OPJOB_ALLOW_EXEC_CREDENTIALS must be true or/],
    ["arguments that are no JSON", set("OPJOB_WORKER_ARGS", "-c x"), /OPJOB_WORKER_ARGS must be a JSON array/],
    ["arguments that are no texts", set("OPJOB_WORKER_ARGS", "[1]"), /OPJOB_WORKER_ARGS must be a JSON array/],
    ["no operation in the arguments", set("OPJOB_WORKER_ARGS", '["x"]'), /OPJOB_WORKER_ARGS must hold "{operation}"/],
    ["workers that are no object", set("OPJOB_WORKERS", "[]"), /OPJOB_WORKERS must be a JSON object/],
    ["a worker that is null", set("OPJOB_WORKERS", '{"a": null}'), /OPJOB_WORKERS: "a" must be/],
    ["a worker's unknown field", set("OPJOB_WORKERS", '{"a": {"comand": "x"}}'), /OPJOB_WORKERS: "a" must be/],
    ["a worker's wrong command", set("OPJOB_WORKERS", '{"a": {"command": 1}}'), /OPJOB_WORKERS: "a" must be/],
    ["no operation in a worker's args", set("OPJOB_WORKERS", '{"a": {"args": []}}'), /args of "a" must hold/],
    ["a cron expression that is none", set("OPJOB_SWEEP_CRON", "every minute"), /OPJOB_SWEEP_CRON must be a cron/],
    ["a link without a scheme", set("OPJOB_RUN_LINK", "argo/{job}"), /OPJOB_RUN_LINK must begin with http/],
    ["a link that looks like a log", set("OPJOB_RUN_LINK", "https://x/{job}.log"), /must not end in \.log/],
    ["a link's unknown field", set("OPJOB_RUN_LINK", "https://x/{pod}"), /OPJOB_RUN_LINK: there is no {pod}; use {cl/],
    [
      "backpressure that never releases",
      set("OPJOB_BACKPRESSURE_RELEASE", "50"),
      /RELEASE must be less than OPJOB_BACKPRESSURE_ENGAGE/,
    ],
    ["log lines without room", set("OPJOB_LOG_TAIL_BYTES", "0"), /OPJOB_LOG_TAIL_BYTES=0.*OPJOB_LOG_TAIL_LINES/],
  ])("%s", (_, environment, message) => {
    const error = refusal(environment);
    expect(error.code).toBe("SETTING_INVALID");
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(/environment variable/);
    expect(error.retryable).toBe(false);
  });

  test("several at once are all named", () => {
    const { message } = refusal({ FIFTYONE_DATABASE_URI: URI, OPJOB_POLL_MS: "0", OPJOB_HTTP_PORT: "-1" });
    expect(message).toContain("OPJOB_POLL_MS");
    expect(message).toContain("OPJOB_HTTP_PORT");
  });
});

describe("no refusal repeats a value, for it may be a secret", () => {
  const SECRET = "hunter2-hunter2";
  test.each(Object.values(SETTINGS).map((setting) => setting.env))("%s", (name) => {
    for (const value of [SECRET, `a\n${SECRET}`, `"${SECRET}`, `{"a": "${SECRET}"}`, `["${SECRET}"]`]) {
      const environment = { FIFTYONE_DATABASE_URI: URI, [name]: value };
      let message = "";
      try {
        readConfig(environment);
      } catch (error) {
        message = `${String(error)} ${JSON.stringify((error as Error).cause)}`;
      }
      expect(message).not.toContain(SECRET);
      expect(message).not.toContain("s3cret-pass");
    }
  });
});

test.each([
  ["FIFTYONE_ENCRYPTION_KEY", "OPJOB_ENCRYPTION_KEY_FILE"],
  ["OPJOB_OLD_ENCRYPTION_KEY", "OPJOB_OLD_ENCRYPTION_KEY_FILE"],
])("%s and %s are not set together, and neither value is told", (key, file) => {
  const env = { FIFTYONE_DATABASE_URI: "mongodb://127.0.0.1", [key]: "s3cr3t-key", [file]: "/run/s3cr3t-path" };
  expect(() => readConfig(env)).toThrow(new RegExp(`${key} and ${file} are both set`));
  expect(() => readConfig(env)).not.toThrow(/s3cr3t/);
});

test("the nearest name is the one with the fewest edits", () => {
  expect(nearest("OPJOB_HTPPORT", ["OPJOB_HTTP_HOST", "OPJOB_HTTP_PORT"])).toBe("OPJOB_HTTP_PORT");
  expect(nearest("anything", [])).toBe("");
});

function set(name: string, value: string): Environment {
  return { FIFTYONE_DATABASE_URI: URI, [name]: value };
}
