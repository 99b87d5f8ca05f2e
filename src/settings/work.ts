// Settings of what runs an operation, how long it may wait, and what is told of it. Pure.
import { DAY, natural, positive, type Settings, text } from "./formats.ts";

/** Executes one queued operation by its id with open-source FiftyOne; exit 0 completed, 1 failed, 3 was not queued. */
const EXECUTE_ONE =
  "import sys;from bson import ObjectId;from fiftyone.operators.delegated import DelegatedOperationService as D;" +
  "s=D();r=s.execute_operation(s.get(ObjectId(sys.argv[1])),log=True,monitor=True);" +
  "sys.exit(3 if r is None else 1 if r.error else 0)";

export const WORK = {
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
  retryMaxSeconds: {
    doc: "Longest pause between two tries of an operation whose launch meets a fault that may pass.",
    unit: "s",
    format: positive(DAY),
    default: 60,
    env: "OPJOB_RETRY_MAX_SECONDS",
  },
  retries: {
    doc: "How often an operation is launched again whose worker had not begun when the cluster took its Pod away, or could not start it; 0: never. docs/errors.md says for which reasons.",
    format: natural(10),
    default: 2,
    env: "OPJOB_RETRIES",
  },
  retryPauseSeconds: {
    doc: "How long it waits before that; each time twice as long, and never longer than OPJOB_RETRY_MAX_SECONDS.",
    unit: "s",
    format: natural(DAY),
    default: 10,
    env: "OPJOB_RETRY_PAUSE_SECONDS",
  },
  rerunOperators: {
    doc: 'JSON array: URIs of operators that may run twice, like "@org/plugin/operator". Theirs are launched again also if their worker had begun when the cluster took it away: opjob then sets the operation back to `queued`.',
    format: "json",
    default: [] as string[],
    env: "OPJOB_RERUN_OPERATORS",
  },
  imageGraceSeconds: {
    doc: "How long an image, or a Secret or ConfigMap that a container needs, may be missing before the operation fails; what often passes by itself (a registry that is away) has six times as long. docs/errors.md says it of each reason.",
    unit: "s",
    format: natural(DAY),
    default: 30,
    env: "OPJOB_IMAGE_GRACE_SECONDS",
  },
  pendingTimeoutSeconds: {
    doc: "How long a Job may wait for a node, a volume or an overloaded registry before the operation fails; 0: without end. What waits its turn in a queue or a quota waits without end.",
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
} satisfies Settings;
