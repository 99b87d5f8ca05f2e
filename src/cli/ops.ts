// `opjob ops`: the operations of the database, those that wait or run first. Changes nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { OpjobError } from "../errors.ts";
import type { Desk } from "../inquiries/desk.ts";
import { didYouMean } from "../nearest.ts";
import { OPEN, type Shown } from "../operations/mongo-reads.ts";
import { RUN_STATES, type RunState } from "../operations/operation.ts";
import { atDesk, withDesk } from "./desk.ts";
import type { Host } from "./host.ts";
import { OPERATIONS_HEAD, operationRow } from "./operation-rows.ts";
import { json, table } from "./print.ts";

type Options = {
  readonly state?: string[];
  readonly orchestrator?: string;
  readonly limit: string;
  readonly watch?: boolean;
  readonly json?: boolean;
};

const HELP = `
Without --state: all that have not ended, the oldest first, and then the last that have.
With --watch a terminal shows them anew every second, until Ctrl-C; elsewhere each change is a line.`;

export const opsCommand = (host: Host): Command =>
  new Command("ops")
    .description("Lists operations with their state, and why they wait or failed.")
    .option("--state <state...>", `only of these states: ${RUN_STATES.join(", ")}`)
    .option("--orchestrator <id>", "only of this orchestrator")
    .option("--limit <count>", "how many of each kind", "50")
    .option("--watch", "go on")
    .option("--json", "for programs; with --watch one line for each change")
    .addHelpText("after", HELP)
    .action((options: Options) => (options.watch ? watchOperations(host, options) : listOperations(host, options)));

async function listOperations(host: Host, options: Options): Promise<void> {
  const wanted = wantedOf(options);
  const { found, now } = await atDesk(host, async (desk) => ({ found: await wanted(desk), now: desk.now }));
  host.stdout.write(options.json ? json(found.map(forPrograms)) : tableOf(host, found, now));
}

const tableOf = (host: Host, found: readonly Shown[], now: number): string =>
  table(
    host,
    OPERATIONS_HEAD,
    found.map((operation) => operationRow(operation, now)),
  );

/** A screen and more than a screen of them: nobody reads on. */
const MOST = 10_000;

/** @throws OpjobError INPUT_INVALID for what the options must not be */
function wantedOf({ state, orchestrator, limit: text }: Options): (desk: Desk) => Promise<Shown[]> {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw new OpjobError("INPUT_INVALID", `--limit must be a whole number from 1 to ${MOST}.`);
  const states = state?.flatMap((word) => word.split(",")).map(requireState);
  return async (desk) => {
    if (orchestrator !== undefined) requireKnown(desk, orchestrator);
    const kind = { target: orchestrator, limit } as const;
    if (states) return desk.reads.list({ ...kind, states, order: "newest" });
    const open = await desk.reads.list({ ...kind, states: OPEN, order: "oldest" });
    const ended = await desk.reads.list({
      ...kind,
      states: ["completed", "failed"],
      limit: Math.min(limit, 10),
      order: "newest",
    });
    return [...open, ...ended];
  };
}

function requireState(word: string): RunState {
  const state = RUN_STATES.find((known) => known === word);
  if (state) return state;
  throw new OpjobError("INPUT_INVALID", `There is no state "${word}". ${didYouMean(word, RUN_STATES, "states")}`);
}

/** A typing error must not look like an empty queue; operations may name what has no record any more. */
function requireKnown({ records }: Desk, orchestrator: string): void {
  const names = records.flatMap(({ instance_id: name }) => (typeof name === "string" ? [name] : []));
  if (names.includes(orchestrator)) return;
  const hint = didYouMean(orchestrator, [...new Set(names)], "orchestrators");
  throw new OpjobError("ORCHESTRATOR_UNKNOWN", `There is no orchestrator "${orchestrator}". ${hint}`);
}

/** How often it is looked (ms). */
const PACE = 1_000;

async function watchOperations(host: Host, options: Options): Promise<void> {
  const wanted = wantedOf(options);
  const stop = new AbortController();
  void host.stopped.then(() => stop.abort());
  const shown = new Map<string, string>();
  await withDesk(host, async (desk) => {
    while (!stop.signal.aborted) {
      const found = await wanted(desk);
      if (host.stdout.isTTY && !options.json) host.stdout.write(`\u001b[H\u001b[2J${tableOf(host, found, Date.now())}`);
      else writeChanges(host, found, { shown, asJson: options.json === true });
      await sleep(PACE, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  });
}

type Changes = { readonly shown: Map<string, string>; readonly asJson: boolean };

function writeChanges(host: Host, found: readonly Shown[], { shown, asJson }: Changes): void {
  for (const operation of found.toReversed()) {
    const { runState, progress, claim, told } = operation;
    const now = JSON.stringify([runState, progress, claim?.phase, claim?.reason, told?.reason, told?.place]);
    if (shown.get(operation.id) === now) continue;
    shown.set(operation.id, now);
    const row = operationRow(operation, Date.now()).map((cell) => (typeof cell === "string" ? cell : cell.text));
    host.stdout.write(
      asJson ? `${JSON.stringify(forPrograms(operation))}\n` : `${row.filter((cell) => cell !== "").join("  ")}\n`,
    );
  }
}

/** Our sub-document under its name in the database. */
function forPrograms(operation: Shown): unknown {
  const { claim, told, parentId, ...rest } = operation;
  const opjob = told ? { phase: "queued", ...told } : (claim ?? null);
  return { ...rest, parentId: parentId?.toHexString() ?? null, opjob };
}
