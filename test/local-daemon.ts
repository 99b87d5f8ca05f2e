// A daemon under test: the real one, in this process, on a real MongoDB and a Kubernetes API server.
// Knows how opjob is configured; must not know what a test expects of it.
import { randomBytes } from "node:crypto";
import type { Db } from "mongodb";
import { type Config, readConfig } from "../src/config.ts";
import { type Daemon, startDaemon } from "../src/daemon.ts";
import { createLog, secretsOfUri } from "../src/log.ts";
import { encryptToken, fernetKey } from "../src/orchestrators/fernet.ts";
import { closing } from "./left-open.ts";

export const ENCRYPTION_KEY = Buffer.from(randomBytes(32)).toString("base64url").padEnd(44, "=");

export type LogLine = Readonly<Record<string, unknown>>;

export type DaemonUnderTest = Daemon & {
  readonly lines: readonly LogLine[];
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Settings for tests: short graces, any port, the given database; what fails is not launched again (daemon-retry.test.ts). */
export function testConfig(uri: string, database: string, environment: Record<string, string> = {}): Config {
  return readConfig({
    FIFTYONE_DATABASE_URI: uri,
    FIFTYONE_DATABASE_NAME: database,
    FIFTYONE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    OPJOB_HTTP_HOST: "127.0.0.1",
    OPJOB_HTTP_PORT: "0",
    OPJOB_IMAGE_GRACE_SECONDS: "1",
    OPJOB_RESULT_GRACE_SECONDS: "1",
    OPJOB_RETRIES: "0",
    OPJOB_SWEEP_CRON: "*/5 * * * * *",
    ...environment,
  });
}

export async function daemonUnderTest(
  config: Config,
  environment: Record<string, string> = {},
): Promise<DaemonUnderTest> {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const secrets = new Set(secretsOfUri(config.databaseUri));
  const log = createLog({ level: "debug", secrets, destination });
  const surroundings = { inCluster: false, serviceAccountNamespace: undefined };
  const daemon = await startDaemon({ config, environment, surroundings, log, secrets });
  const stop = closing("a daemon", () => daemon.stop());
  return { ...daemon, stop, lines, url: `http://127.0.0.1:${daemon.port}`, [Symbol.asyncDispose]: stop };
}

/** Stores a secret as FiftyOne does: a Fernet token. */
export async function storeSecret(db: Db, key: string, value: string): Promise<void> {
  const token = Buffer.from(encryptToken(fernetKey(ENCRYPTION_KEY), value, Date.now()));
  await db.collection("secrets").updateOne({ key }, { $set: { key, value: token } }, { upsert: true });
}

export type OrchestratorFields = {
  readonly id: string;
  readonly template: string;
  readonly secret?: string;
  readonly config?: Record<string, string>;
};

/** Registers an orchestrator in the shape of the Management SDK. `template` is a URI, or a template's text. */
export async function register(db: Db, { id, template, secret = "", config = {} }: OrchestratorFields): Promise<void> {
  const uri = template.includes("\n") ? dataUri(template) : template;
  const now = new Date();
  await db.collection("orchestrators").insertOne({
    instance_id: id,
    description: null,
    environment: "kubernetes",
    available_operators: ["@test/plugin/op"],
    config: { kubernetes: { executionTmplUri: uri, ...config } },
    secrets: { kubernetes: { kubeConfig: secret } },
    created_at: now,
    updated_at: now,
  });
}

export const dataUri = (text: string): string => `data:text/yaml;base64,${Buffer.from(text).toString("base64")}`;

/** Waits until a look gives something; fails after the deadline with what was wanted. */
export async function until<T>(
  wanted: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 10_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`not seen within ${deadlineMs} ms: ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
