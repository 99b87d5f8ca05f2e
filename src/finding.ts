// What a check finds: in words for a person, with a stable code and the template's line where it can be told. Pure.
// An error keeps operations from running, or makes them fail; a warning will hurt later; a hint may be meant so.
import { ERRORS, type ErrorCode, type OpjobError } from "./errors.ts";
import type { LineFinder } from "./templates/lines.ts";
import type { Lint } from "./templates/lint.ts";

export type Severity = "error" | "warning" | "hint";
/** What was checked. */
export type Step = "record" | "credentials" | "template" | "cluster" | "permissions" | "dry run";

export type Finding = {
  readonly severity: Severity;
  readonly step: Step;
  /** A code of docs/errors.md, or the name of a rule. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly line?: number;
};

const PREFIXES: Readonly<Record<string, Step>> = {
  ORCHESTRATOR: "record",
  SECRET: "credentials",
  ENCRYPTION: "credentials",
  KUBECONFIG: "credentials",
  TEMPLATE: "template",
  CLUSTER: "cluster",
  JOB: "dry run",
};

/** @param find of the template, where one was rendered */
export function errorFinding({ code, message, remedy }: OpjobError, find?: LineFinder): Finding {
  const step = code === "TEMPLATE_URI_MISSING" ? "record" : (PREFIXES[code.split("_")[0] ?? ""] ?? "cluster");
  const own = /fails at line (\d+)/.exec(message)?.[1];
  const line = own === undefined ? firstLine(message, find) : Number(own);
  return { severity: "error", step, code, message, remedy, ...(line !== undefined && { line }) };
}

export function lintFinding({ severity, rule, message, remedy, path }: Lint, find: LineFinder): Finding {
  const line = find(path);
  return { severity, step: "template", code: rule, message, remedy, ...(line !== undefined && { line }) };
}

/** A field as the API server names it: `spec.template.spec.containers[0].image`, also behind Go's name of a struct. */
const FIELD = /\b(?:spec|metadata)(?:\.[A-Za-z][\w-]*|\[[^\]\s]*\])+/g;

/** The line of the first field that a text names and the template holds. */
export function firstLine(text: string, find: LineFinder | undefined): number | undefined {
  const fields = find ? (text.match(FIELD) ?? []) : [];
  return fields.map((field) => find?.(field)).find((line) => line !== undefined);
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
