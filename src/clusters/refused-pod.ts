// Why the API server does not let the Job controller make a Pod, from the words of its Event. Pure.
import type { EventView } from "./events.ts";
import { sentence } from "./reasons.ts";
import { met, type Obstacle, type WaitingId } from "./waiting-reasons.ts";

/** The first that fits counts. */
const WORDS: readonly (readonly [RegExp, WaitingId])[] = [
  [/failed quota: \S+: must specify/, "resourcesUnset"],
  [/exceeded quota: /, "quotaFull"],
  [/failed calling webhook|failed to call webhook/, "webhookFailed"],
  [/admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request/, "webhookDenied"],
  [/error looking up service account/, "serviceAccountMissing"],
  [/violates PodSecurity/, "podSecurity"],
  [/is forbidden: |is invalid: /, "podRefused"],
];

/** What the last refusal of a Job's Pod says; undefined where none is told. */
export function refusedPod(events: readonly EventView[]): Obstacle | undefined {
  const event = events.findLast(({ kind, reason }) => kind === "Job" && reason === "FailedCreate");
  if (event === undefined) return undefined;
  const said = event.message.replace(/^Error creating: /, "").replace(/^pods "[^"]*" is forbidden: /, "");
  return met(rowOf(event.message), sentence("Kubernetes cannot make a Pod for the Job", said));
}

function rowOf(message: string): WaitingId {
  const [, row = "podCreateFailed"] = WORDS.find(([words]) => words.test(message)) ?? [];
  return row === "quotaFull" && neverFits(message) ? "quotaTooSmall" : row;
}

/** A Pod that asks for more than the whole quota never gets its turn. */
function neverFits(message: string): boolean {
  const [, requested = "", limited = ""] = /requested: (\S+), used: \S+, limited: (\S+)/.exec(message) ?? [];
  const limits = amounts(limited);
  return [...amounts(requested)].some(([name, amount]) => amount > (limits.get(name) ?? Number.POSITIVE_INFINITY));
}

/** `pods=1,requests.cpu=500m` */
const amounts = (list: string): Map<string, number> =>
  new Map(
    list.split(",").map((part): [string, number] => {
      const [name = "", quantity = ""] = part.split("=");
      return [name, quantityOf(quantity)];
    }),
  );

const UNITS = "kMGTPE";

/** 500m, 1.5, 2Ki, 3G, 1e3; what is none is not more than anything. */
export function quantityOf(text: string): number {
  const [, digits = "", unit = "", binary = ""] = /^([\d.]+(?:e\d+)?)([numkKMGTPE]?)(i?)$/.exec(text) ?? [];
  const small = { n: 1e-9, u: 1e-6, m: 1e-3 }[unit];
  const power = UNITS.indexOf(unit === "K" ? "k" : unit) + 1;
  const factor = small ?? (binary === "" ? 1e3 : 1_024) ** (unit === "" ? 0 : power);
  return Number(digits || Number.NaN) * factor;
}
