// Every setting of opjob: its environment variable, type, default, unit and meaning. docs/settings.md is generated from it.
// Pure: no rule between settings (config.ts has them), no environment.
import type { SchemaObj } from "convict";
import { DAY, natural, positive, text } from "./formats.ts";
import { QUEUE_SETTINGS } from "./settings-queue.ts";

/** Executes one queued operation by its id with open-source FiftyOne; exit 0 completed, 1 failed, 3 was not queued. */
const EXECUTE_ONE =
  "import sys;from bson import ObjectId;from fiftyone.operators.delegated import DelegatedOperationService as D;" +
  "s=D();r=s.execute_operation(s.get(ObjectId(sys.argv[1])),log=True,monitor=True);" +
  "sys.exit(3 if r is None else 1 if r.error else 0)";

export const SETTINGS = {
  databaseUri: {
    doc: "MongoDB connection string of FiftyOne's database. Required.",
    format: text,
    default: "",
    env: "FIFTYONE_DATABASE_URI",
    sensitive: true,
  },
  databaseName: {
    doc: "Name of FiftyOne's database.",
    format: text,
    default: "fiftyone",
    env: "FIFTYONE_DATABASE_NAME",
  },
  encryptionKey: {
    doc: "The Fernet key with which FiftyOne encrypts its secrets. Needed as soon as an orchestrator names a secret.",
    format: text,
    default: "",
    env: "FIFTYONE_ENCRYPTION_KEY",
    sensitive: true,
  },
  workerCommand: {
    doc: "`_command` of the templates: the program that executes one operation.",
    format: text,
    default: "python",
    env: "OPJOB_WORKER_COMMAND",
  },
  workerArgs: {
    doc: 'JSON array: `_args` of the templates. "{operation}" stands for the operation\'s id. The default executes one operation with open-source FiftyOne.',
    format: "json",
    default: ["-c", EXECUTE_ONE, "{operation}"] as string[],
    env: "OPJOB_WORKER_ARGS",
  },
  workers: {
    doc: 'JSON object: command and args of single orchestrators, by instance_id: {"kubernetes-gpu": {"command": "fiftyone", "args": ["…", "{operation}"]}}.',
    format: "json",
    default: {} as Record<string, { command?: string; args?: string[] }>,
    env: "OPJOB_WORKERS",
  },
  runLink: {
    doc: 'URL that FiftyOne\'s App shows as "View in orchestrator"; {cluster}, {namespace}, {job}, {operation} and {orchestrator} are filled in. Empty: none is set.',
    format: text,
    default: "",
    env: "OPJOB_RUN_LINK",
  },
  instance: {
    doc: "Tells this opjob's Jobs from those of another opjob in the same namespaces. Empty: derived from the database's address and name; set it before you move the database while Jobs run.",
    format: text,
    default: "",
    env: "OPJOB_INSTANCE",
  },
  secretsCollection: {
    doc: "Collection that holds FiftyOne's encrypted secrets.",
    format: text,
    default: "secrets",
    env: "OPJOB_SECRETS_COLLECTION",
  },
  secretsKeyField: {
    doc: "Field of a secret that holds its name.",
    format: text,
    default: "key",
    env: "OPJOB_SECRETS_KEY_FIELD",
  },
  secretsValueField: {
    doc: "Field of a secret that holds its Fernet token.",
    format: text,
    default: "value",
    env: "OPJOB_SECRETS_VALUE_FIELD",
  },
  changes: {
    doc: "How changes in MongoDB are noticed: `stream` (change streams), `poll`, or `auto` (streams where the server has them).",
    format: ["auto", "stream", "poll"],
    default: "auto" as "auto" | "stream" | "poll",
    env: "OPJOB_CHANGES",
  },
  pollMs: {
    doc: "Interval of polling where there are no change streams.",
    unit: "ms",
    format: positive(60_000),
    default: 400,
    env: "OPJOB_POLL_MS",
  },
  sweepCron: {
    doc: "When the sweep looks for whatever no hint told of: a cron expression, with seconds as an optional first field.",
    format: text,
    default: "*/30 * * * * *",
    env: "OPJOB_SWEEP_CRON",
  },
  launchConcurrency: {
    doc: "How many operations are worked on at the same time.",
    format: positive(1_000),
    default: 64,
    env: "OPJOB_LAUNCH_CONCURRENCY",
  },
  ...QUEUE_SETTINGS,
  retryMaxSeconds: {
    doc: "Longest pause between two tries of an operation whose launch meets a fault that may pass.",
    unit: "s",
    format: positive(DAY),
    default: 60,
    env: "OPJOB_RETRY_MAX_SECONDS",
  },
  imageGraceSeconds: {
    doc: "How long an image, or a Secret or ConfigMap that a container needs, may be missing before the operation fails.",
    unit: "s",
    format: natural(DAY),
    default: 30,
    env: "OPJOB_IMAGE_GRACE_SECONDS",
  },
  pendingTimeoutSeconds: {
    doc: "How long a Job may wait for a node, a volume or an overloaded registry before the operation fails; 0: without end.",
    unit: "s",
    format: natural(30 * DAY),
    default: 900,
    env: "OPJOB_PENDING_TIMEOUT_SECONDS",
  },
  resultGraceSeconds: {
    doc: "How long after the end of its Job an operation's own result may still arrive.",
    unit: "s",
    format: natural(DAY),
    default: 5,
    env: "OPJOB_RESULT_GRACE_SECONDS",
  },
  logTailLines: {
    doc: "How many of the last log lines an error shows; 0: none.",
    format: natural(1_000),
    default: 20,
    env: "OPJOB_LOG_TAIL_LINES",
  },
  logTailBytes: {
    doc: "How much of those lines an error shows at the most.",
    unit: "bytes",
    format: natural(65_536),
    default: 4_096,
    env: "OPJOB_LOG_TAIL_BYTES",
  },
  kubernetesTimeoutSeconds: {
    doc: "Deadline of one call to a cluster's API server (watches have their own).",
    unit: "s",
    format: positive(600),
    default: 30,
    env: "OPJOB_KUBERNETES_TIMEOUT_SECONDS",
  },
  allowExecCredentials: {
    doc: "Whether a kubeconfig may run a command (`exec`, `auth-provider`) to get its credentials. Whoever can write secrets can then run commands in opjob's Pod.",
    format: "flag",
    default: false,
    env: "OPJOB_ALLOW_EXEC_CREDENTIALS",
  },
  httpHost: {
    doc: "Address on which /healthz, /readyz and /metrics are served.",
    format: text,
    default: "0.0.0.0",
    env: "OPJOB_HTTP_HOST",
  },
  httpPort: {
    doc: "Port of /healthz, /readyz and /metrics; 0: any free one.",
    format: natural(65_535),
    default: 8080,
    env: "OPJOB_HTTP_PORT",
  },
  stopTimeoutSeconds: {
    doc: "How long a stop (SIGTERM) may take until the process ends all the same.",
    unit: "s",
    format: positive(600),
    default: 20,
    env: "OPJOB_STOP_TIMEOUT_SECONDS",
  },
  logLevel: {
    doc: "Least level of what is logged.",
    format: ["trace", "debug", "info", "warn", "error", "fatal"],
    default: "info" as "trace" | "debug" | "info" | "warn" | "error" | "fatal",
    env: "OPJOB_LOG_LEVEL",
  },
} satisfies Record<string, SchemaObj & { env: string; unit?: string }>;
