// Names of Jobs: a function of the operation and its attempt, so that "already exists" means "found again".
// Pure.
import { createHash } from "node:crypto";

/** Kubernetes keeps a Job's name in a label of its Pods, and label values end at 63 characters. */
export const LONGEST_NAME = 63;

/** An attempt after the first shows in the name: the Job of an earlier attempt may still exist. */
const attemptSuffix = (attempt: number): string => (attempt > 1 ? `-${attempt}` : "");

/** `_name` of the templates: the operator's own name for a person, the operation's id for certainty; ≤ 63 characters. */
export function generatedName(operator: string, id: string, attempt: number): string {
  const tail = `${id}${attemptSuffix(attempt)}`;
  const slug = dashed(operator.split("/").at(-1) ?? "").slice(0, LONGEST_NAME - tail.length - 1);
  return slug === "" ? `op-${tail}` : `${trimDashes(slug)}-${tail}`;
}

/**
 * The name that a Job gets, from the one that its template rendered: it always tells operations and attempts apart, and
 * fits. A name in which the id is missing gets it appended; one that is too long loses its middle, never the id.
 */
export function finalName(rendered: string, id: string, attempt: number): string {
  const suffix = attemptSuffix(attempt);
  const named = rendered.includes(id) ? rendered : joined(rendered, id);
  const complete = named.endsWith(`${id}${suffix}`) ? named : `${named}${suffix || looksLikeAttempt(named, id)}`;
  if (complete.length <= LONGEST_NAME) return complete;
  // What was cut away may be what told two templates of one operation apart: the digest keeps it.
  const digest = createHash("sha256").update(complete).digest("hex").slice(0, 8);
  const tail = `${digest}-${id}${suffix}`.slice(-LONGEST_NAME);
  const head = rendered.slice(0, Math.max(0, LONGEST_NAME - tail.length - 1)).replace(id, "");
  return joined(trimDashes(head), tail);
}

/** A first attempt whose template itself ends in the id and a number would have the name of a later one. */
const looksLikeAttempt = (name: string, id: string): string =>
  /^-\d+$/.test(name.slice(name.lastIndexOf(id) + id.length)) ? "-1" : "";

/** A value that Kubernetes accepts as a label: what does not fit is replaced, and a digest keeps values apart. */
export function labelValue(text: string): string {
  if (/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/.test(text)) return text;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  const kept = text.replaceAll(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 50);
  return joined(kept.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, ""), digest);
}

const joined = (head: string, tail: string): string =>
  head === "" ? tail : head.endsWith("-") ? `${head}${tail}` : `${head}-${tail}`;
const dashed = (text: string): string => trimDashes(text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"));
const trimDashes = (text: string): string => text.replaceAll(/^[-.]+|[-.]+$/g, "");
