// Reads the settings from an environment and refuses what is unknown, wrong or contradictory, with the name and the remedy.
// It is given the environment: only main.ts knows process.
import convict from "convict";
import { validate as isCron } from "node-cron";
import { OpjobError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { SETTINGS } from "./settings.ts";

export type Config = { readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K]["default"] };
export type Environment = Readonly<Record<string, string | undefined>>;

/** How long each kind of obstacle may last (ms); 0 for `pending`: without end. */
export const patienceOf = (config: Config) => ({
  short: config.imageGraceSeconds * 1_000,
  pending: config.pendingTimeoutSeconds * 1_000,
  result: config.resultGraceSeconds * 1_000,
});

/** When an operation is launched again. */
export const retryPolicyOf = (config: Config) => ({
  budget: config.retries,
  rerun: config.rerunOperators,
  pause: { first: config.retryPauseSeconds * 1_000, longest: config.retryMaxSeconds * 1_000 },
});

convict.addFormat({
  name: "json",
  validate: () => undefined,
  coerce: (value: unknown) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return value; // left as text, which no rule below accepts
    }
  },
});

/** convict's own Boolean takes every text but "false" for true. */
convict.addFormat({
  name: "flag",
  validate: (value: unknown) => {
    if (typeof value !== "boolean") throw new Error("must be true or false");
  },
  coerce: (value: unknown) =>
    value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : value,
});

const invalid = (message: string) => new OpjobError("SETTING_INVALID", message);

/**
 * The settings of an environment. Empty variables count as not set.
 * @throws OpjobError SETTING_INVALID, naming the variable and what it must be; never its value, which may be a secret.
 */
export function readConfig(environment: Environment): Config {
  const config = readSettings(environment);
  if (config.databaseUri === "")
    throw invalid("FIFTYONE_DATABASE_URI must be set: opjob finds its work in that database.");
  return config;
}

/** As `readConfig`, for a command that can do without the database: FIFTYONE_DATABASE_URI may be missing. */
export function readSettings(environment: Environment): Config {
  const env = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  refuseUnknownNames(Object.keys(env));
  refuseNonNumbers(env);
  const settings = convict<Config>(SETTINGS as unknown as convict.Schema<Config>, {
    env: env as Record<string, string>,
    args: [],
  });
  try {
    settings.validate({ allowed: "strict" });
  } catch (cause) {
    throw invalid(nameSettings(cause instanceof Error ? cause.message : String(cause)));
  }
  const config = settings.getProperties();
  refuseContradictions(config);
  return config;
}

/** convict names a setting by its key and repeats the value; a person knows the variable, and the value may be secret. */
function nameSettings(message: string): string {
  return message
    .split("\n")
    .map((line) => {
      const colon = line.indexOf(": ");
      const setting = SETTINGS[line.slice(0, colon) as keyof typeof SETTINGS];
      return setting ? `${setting.env} ${line.slice(colon + 2).replace(/: value was .*$/, "")}` : line;
    })
    .join("; ");
}

/** convict reads "5m" as 5. */
function refuseNonNumbers(env: Environment): void {
  for (const { env: name, default: standard } of Object.values(SETTINGS)) {
    const value = env[name];
    if (typeof standard !== "number" || value === undefined || /^-?\d+(\.\d+)?$/.test(value)) continue;
    throw invalid(`${name} must be a whole number, without a unit.`);
  }
}

/** What Kubernetes itself puts into the environment of a Pod when a Service is named "opjob". */
const SERVICE_LINK = /^OPJOB_(SERVICE_(HOST|PORT.*)|PORT(_\d+_.*)?)$/;

function refuseUnknownNames(names: string[]): void {
  const known: string[] = Object.values(SETTINGS).map((setting) => setting.env);
  for (const name of names) {
    if (!name.startsWith("OPJOB_") || known.includes(name) || SERVICE_LINK.test(name)) continue;
    throw invalid(`There is no setting ${name}. Did you mean ${nearest(name, known)}?`);
  }
}

function refuseContradictions(config: Config): void {
  if (config.databaseUri !== "" && !/^mongodb(\+srv)?:\/\//.test(config.databaseUri)) {
    throw invalid("FIFTYONE_DATABASE_URI must begin with mongodb:// or mongodb+srv://.");
  }
  refuseTwoKeys(config);
  if (!isStrings(config.workerArgs)) throw invalid("OPJOB_WORKER_ARGS must be a JSON array of strings.");
  requireOperationId("OPJOB_WORKER_ARGS", config.workerArgs);
  refuseBadWorkers(config.workers);
  if (!isStrings(config.rerunOperators)) throw invalid("OPJOB_RERUN_OPERATORS must be a JSON array of strings.");
  refuseBadRefresh(config);
  if (!isCron(config.sweepCron)) throw invalid("OPJOB_SWEEP_CRON must be a cron expression, like */30 * * * * *.");
  if (config.backpressureRelease >= config.backpressureEngage) {
    throw invalid("OPJOB_BACKPRESSURE_RELEASE must be less than OPJOB_BACKPRESSURE_ENGAGE.");
  }
  if (config.runLink !== "") refuseBadRunLink(config.runLink);
  if (config.logTailLines > 0 && config.logTailBytes === 0) {
    throw invalid(
      "OPJOB_LOG_TAIL_BYTES=0 leaves no room for OPJOB_LOG_TAIL_LINES; set OPJOB_LOG_TAIL_LINES=0 for no lines.",
    );
  }
}

/** Whoever set both believes in one of them: the wrong one would make every secret unreadable. */
function refuseTwoKeys(config: Config): void {
  if (config.encryptionKey !== "" && config.encryptionKeyFile !== "")
    throw invalid("FIFTYONE_ENCRYPTION_KEY and OPJOB_ENCRYPTION_KEY_FILE are both set: set one of them.");
  if (config.oldEncryptionKey !== "" && config.oldEncryptionKeyFile !== "")
    throw invalid("OPJOB_OLD_ENCRYPTION_KEY and OPJOB_OLD_ENCRYPTION_KEY_FILE are both set: set one of them.");
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** A worker that is not told which operation to run would run any, or none. */
function requireOperationId(name: string, args: readonly string[]): void {
  if (!args.some((arg) => arg.includes("{operation}"))) {
    throw invalid(`${name} must hold "{operation}": it stands for the id of the operation that the worker executes.`);
  }
}

/** A registration Job that is not told whose operators it reports would report them to nobody. */
function refuseBadRefresh({ registerArgs, refreshCron }: Config): void {
  if (!isStrings(registerArgs)) throw invalid("OPJOB_REGISTER_ARGS must be a JSON array of strings.");
  if (!registerArgs.some((arg) => arg.includes("{orchestrator}")))
    throw invalid('OPJOB_REGISTER_ARGS must hold "{orchestrator}": it stands for the orchestrator\'s instance_id.');
  if (refreshCron !== "" && !isCron(refreshCron))
    throw invalid("OPJOB_REFRESH_CRON must be a cron expression, like 0 3 * * *.");
}

function refuseBadWorkers(workers: unknown): void {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(workers)) throw invalid("OPJOB_WORKERS must be a JSON object.");
  for (const [id, worker] of Object.entries(workers as Record<string, unknown>)) {
    const { command, args, ...rest } = (isObject(worker) ? worker : { "": worker }) as Record<string, unknown>;
    const wrong =
      Object.keys(rest).length > 0 ||
      (command !== undefined && typeof command !== "string") ||
      (args !== undefined && !isStrings(args));
    if (wrong) throw invalid(`OPJOB_WORKERS: "${id}" must be {"command": "…", "args": ["…", "{operation}"]}.`);
    if (isStrings(args)) requireOperationId(`OPJOB_WORKERS: args of "${id}"`, args);
  }
}

const RUN_LINK_FIELDS = ["cluster", "namespace", "job", "operation", "orchestrator"];

function refuseBadRunLink(template: string): void {
  if (!/^https?:\/\//.test(template))
    throw invalid("OPJOB_RUN_LINK must begin with http:// or https://, or the App shows no link.");
  // FiftyOne moves run links that end in .log to log_path when it migrates a database.
  if (template.endsWith(".log"))
    throw invalid("OPJOB_RUN_LINK must not end in .log: FiftyOne would take it for a log file.");
  for (const [, field] of template.matchAll(/\{(\w*)\}/g)) {
    if (field === undefined || !RUN_LINK_FIELDS.includes(field)) {
      throw invalid(`OPJOB_RUN_LINK: there is no {${field}}; use ${RUN_LINK_FIELDS.map((f) => `{${f}}`).join(", ")}.`);
    }
  }
}
