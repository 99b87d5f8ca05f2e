// A Job whose places for an operation's values are blanks: parsed once, filled for each operation.
// It makes launches cheap, and it makes values arrive verbatim: an argument never meets the YAML parser, so no
// character in it can change the structure of the Job. Pure.
import { randomBytes } from "node:crypto";
import { type Wanted, wantedOfJob } from "./job-types.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** What a template is given for one operation. */
export type Values = {
  readonly _id: string;
  readonly _name: string;
  readonly _image: string;
  readonly _command: string;
  readonly _args: readonly string[];
};

// Random for each process: no template can hold one by chance. Letters first, or YAML could take it for a number.
const TOKEN = `blank${randomBytes(6).toString("hex")}x`;
const BLANK = new RegExp(`${TOKEN}(\\d+)e`, "g");
const blank = (index: number): string => `${TOKEN}${index}e`;
const NAMES = ["_id", "_name", "_image", "_command"] as const;

/** How many arguments there are, and whether there is an image. */
export type BlankShape = { readonly args: number; readonly image: boolean };

/** Values in which each one is a blank. */
export const blankValues = ({ args, image }: BlankShape): Values => ({
  _id: blank(0),
  _name: blank(1),
  _image: image ? blank(2) : "",
  _command: blank(3),
  _args: Array.from({ length: args }, (_, i) => blank(NAMES.length + i)),
});

/** A text or a Job with its blanks filled. */
export function fill(text: string, values: Values): string {
  return text.replaceAll(BLANK, (_, index: string) => valueAt(values, Number(index)));
}

export function fillJob(job: Json, values: Values): Json {
  if (typeof job === "string") return job.includes(TOKEN) ? fill(job, values) : job;
  if (Array.isArray(job)) return job.map((item) => fillJob(item, values));
  if (!isObject(job)) return job;
  return Object.fromEntries(Object.entries(job).map(([key, value]) => [fill(key, values), fillJob(value, values)]));
}

/** Whether each blank stands where Kubernetes wants a text: elsewhere the value's own type matters, and YAML must read it. */
export function blanksAreTexts(job: JsonObject): boolean {
  return onlyTexts(job, wantedOfJob());
}

function onlyTexts(job: Json, wanted: Wanted): boolean {
  if (typeof job === "string") return wanted.kind === "string" || !job.includes(TOKEN);
  if (Array.isArray(job))
    return job.every((item) => onlyTexts(item, wanted.kind === "list" ? wanted.of : { kind: "any" }));
  if (!isObject(job)) return true;
  return Object.entries(job).every(([name, value]) => onlyTexts(value, inner(wanted, name)));
}

function inner(wanted: Wanted, name: string): Wanted {
  if (wanted.kind === "map") return wanted.of;
  return (wanted.kind === "object" ? wanted.fields.get(name) : undefined) ?? { kind: "any" };
}

function valueAt(values: Values, index: number): string {
  const name = NAMES[index];
  return name === undefined ? (values._args[index - NAMES.length] ?? "") : values[name];
}
