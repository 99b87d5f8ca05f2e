// What `opjob check` finds out about orchestrators: each step of each one as a row, in the order of a launch.
// Joins the parts as the daemon does, for one look. Changes nothing.
import type { MongoClient } from "mongodb";
import { type Asked, askCluster, type Examined, examine } from "../check.ts";
import { Observed } from "../clusters/observed.ts";
import { Pool } from "../clusters/pool.ts";
import { RIGHTS } from "../clusters/rights.ts";
import { UNLIMITED } from "../clusters/traffic.ts";
import type { Config } from "../config.ts";
import { databaseError } from "../database.ts";
import type { Finding, Step } from "../finding.ts";
import { createGate, type Gate } from "../gate.ts";
import { createLog, type Log } from "../log.ts";
import { nearest } from "../nearest.ts";
import { Directory } from "../orchestrators/directory.ts";
import { openKeys } from "../orchestrators/key-file.ts";
import { openRecords } from "../orchestrators/mongo.ts";
import { createPlacer, type Placer, type Site, storageFor } from "../place.ts";
import { type Row, rowOf } from "./check-report.ts";
import type { Host } from "./host.ts";

/** Whose orchestrators, and as whom their clusters are asked. */
export type Subject = Pick<Host, "environment" | "surroundings"> & {
  readonly config: Config;
  readonly client: MongoClient;
  /** Of one orchestrator; undefined: all that are active. */
  readonly id: string | undefined;
};

export async function checkOrchestrators(subject: Subject): Promise<Row[]> {
  const { environment, surroundings, config, id } = subject;
  const notes: Row[] = [];
  const log = createLog({
    level: "warn",
    secrets: [],
    destination: { write: (line) => void notes.push(noteOf(line)) },
  });
  const directory = directoryOf(subject, log);
  const timeoutMs = config.kubernetesTimeoutSeconds * 1_000;
  const observed = new Observed("", () => undefined);
  const pool = new Pool({ observed, traffic: UNLIMITED, timeoutMs, onCall: () => undefined, log });
  try {
    await directory.load();
    const storage = storageFor(config, environment, log);
    const placer = createPlacer({ directory, pool, storage, config, surroundings });
    const means = { placer, gate: createGate(Date.now), readsLogs: config.logTailLines > 0 };
    const ids = id === undefined ? directory.targets() : [id];
    const unknown = ids.flatMap((one) => notThere(one, directory));
    const known = unknown.length > 0 ? [] : ids;
    const rows = await Promise.all(known.map((one) => checkOne(one, means)));
    return [...notes, ...unknown, ...(ids.length === 0 ? [NONE] : []), ...rows.flat()];
  } catch (thrown) {
    return [faultRow("orchestrators", thrown)];
  } finally {
    await pool.close();
  }
}

function directoryOf({ config, client, environment }: Subject, log: Log): Directory {
  const db = client.db(config.databaseName);
  const fields = { key: config.secretsKeyField, value: config.secretsValueField };
  const records = openRecords(db.collection("orchestrators"), db.collection(config.secretsCollection), fields);
  return new Directory({ records, keys: openKeys(config).read, environment, log });
}

function faultRow(subject: string, thrown: unknown): Row {
  const { code, message, remedy } = databaseError(thrown);
  return { subject, step: "record", state: "error", code, message, remedy };
}

const NONE: Row = {
  subject: "orchestrators",
  step: "record",
  state: "warning",
  message: "No active orchestrator on Kubernetes is registered.",
  remedy: "`opjob orchestrator register` makes one, or FiftyOne's Management SDK.",
};

/** The directory's warnings come as lines of a log. */
function noteOf(line: string): Row {
  const { msg, orchestrator, record } = JSON.parse(line) as Record<string, string | undefined>;
  const message = `${orchestrator ?? record ?? ""}: ${msg ?? ""}`;
  return { subject: "orchestrators", step: "record", state: "warning", message };
}

function notThere(id: string, directory: Directory): Row[] {
  const known = directory.ids();
  if (known.includes(id)) return [];
  const remedy =
    known.length === 0
      ? "`opjob orchestrator register` makes one, or FiftyOne's Management SDK."
      : `Did you mean ${nearest(id, known)}?`;
  const message = `There is no orchestrator "${id}" on Kubernetes.`;
  return [
    { subject: `orchestrator ${id}`, step: "record", state: "error", code: "ORCHESTRATOR_INVALID", message, remedy },
  ];
}

type Means = { readonly placer: Placer; readonly gate: Gate; readonly readsLogs: boolean };

const STEPS: readonly Step[] = ["record", "credentials", "template", "cluster", "permissions", "dry run"];

async function checkOne(id: string, { placer, gate, readsLogs }: Means): Promise<Row[]> {
  const subject = `orchestrator ${id}`;
  try {
    const examined = await examine(id, placer);
    const { site } = examined;
    const rights = RIGHTS.filter((right) => readsLogs || right.subresource !== "log");
    const asked = await gate(site?.cluster.server ?? "", () => askCluster(examined, rights));
    const findings = [...examined.findings, ...asked.findings];
    const facts = { ...factsOf(examined), ...(site && (await clusterFacts(site, examined.job, asked))) };
    return STEPS.flatMap((step) => rowsOf(subject, step, { findings, fact: facts[step] }));
  } catch (thrown) {
    return [faultRow(subject, thrown)];
  }
}

/** A step's findings; without an error, also what is in order; without either, it was not reached. */
function rowsOf(
  subject: string,
  step: Step,
  { findings, fact }: { readonly findings: readonly Finding[]; readonly fact: string | undefined },
): Row[] {
  const found = findings.filter((finding) => finding.step === step).map((finding) => rowOf(subject, finding));
  if (found.some(({ state }) => state === "error")) return found;
  if (fact !== undefined) return [{ subject, step, state: "ok", message: fact }, ...found];
  return found.length > 0 ? found : [{ subject, step, state: "skipped", message: "not checked: see above" }];
}

type Facts = Partial<Record<Step, string>>;

function factsOf({ site, recipe, job }: Examined): Facts {
  const secret = site?.orchestrator.kubeconfigSecret;
  const credentials = secret === undefined ? "opjob's own account" : `the kubeconfig in the secret "${secret}"`;
  return {
    ...((site ?? recipe) && { record: "complete" }),
    ...(site && { credentials }),
    ...(recipe && job && { template: `${recipe.source.name} renders a Job` }),
  };
}

async function clusterFacts({ cluster, namespace }: Site, job: Examined["job"], asked: Asked): Promise<Facts> {
  if (asked.fault) return {};
  const version = await cluster.version().catch(() => undefined);
  return {
    cluster: `${cluster.server} answers${version === undefined ? "" : `, ${version}`}`,
    permissions: `all that opjob needs in the namespace "${job?.namespace ?? namespace}"`,
    ...(asked.tried && { "dry run": "the cluster would take the Job" }),
  };
}
