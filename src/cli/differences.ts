// Differences between what is declared and what is recorded, for people: like a diff, by field. Templates and secrets are told
// apart, never shown.
import { createHash } from "node:crypto";
import type { Difference, Plan } from "../orchestrators/registration.ts";
import { parseLocation } from "../templates/location.ts";
import type { Paint } from "./print.ts";
import { printable } from "./print.ts";

/** The fields' names as FiftyOne's Management SDK has them. */
const NAMES: Record<string, string> = {
  executionTemplate: "executionTmplUri",
  registrationTemplate: "registrationTmplUri",
  kubeconfigSecret: "kubeConfig",
};

export const sdkName = (field: string): string => NAMES[field] ?? field;

export function differenceText({ id, kind, differences }: Plan, paint: Paint): string {
  if (kind === "same") return `orchestrator ${printable(id)}: no difference\n`;
  const shown = differences.filter(({ after, before }) => after !== undefined || before !== undefined);
  const width = Math.max(...shown.map(({ field }) => sdkName(field).length));
  const lines = shown.map((difference) => `  ${lineOf(difference, width, paint)}\n`);
  return `orchestrator ${printable(id)}: ${kind === "create" ? "new" : "changed"}\n${lines.join("")}`;
}

function lineOf({ field, before, after }: Difference, width: number, paint: Paint): string {
  const name = sdkName(field).padEnd(width);
  if (before === undefined) return paint("green", `+ ${name}  ${shownValue(after)}`);
  if (after === undefined) return paint("red", `- ${name}  ${shownValue(before)}`);
  return paint("yellow", `~ ${name}  ${shownValue(before)} → ${shownValue(after)}`);
}

/** A value as a person wants to see it: of an embedded template only which one it is. */
export function shownValue(value = ""): string {
  if (!value.startsWith("data:")) return printable(value);
  const digest = createHash("sha256").update(value).digest("hex").slice(0, 8);
  try {
    const location = parseLocation(value);
    const bytes = location.kind === "inline" ? Buffer.byteLength(location.text) : value.length;
    return `(embedded, ${bytes} bytes, ${digest})`;
  } catch {
    return `(embedded, not readable, ${digest})`;
  }
}
