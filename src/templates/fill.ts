// Fills the blanks of a manifest with an operation's values: as texts where Kubernetes wants texts, else as YAML takes a scalar.
// Pure. Knows the types of a Job; nothing of YAML's syntax or of how the values were rendered.
import { OpjobError } from "../errors.ts";
import { type Blanked, fillText, Hole, holdsBlank, wholePiece } from "./blanks.ts";
import type { Piece, TraceData } from "./jinja/jinja.ts";
import { fieldWanted, type Wanted } from "./job-types.ts";
import type { Json, JsonObject } from "./json.ts";
import { resolvePlain } from "./yaml-scalars.ts";

/** etcd takes 1.5 MiB in one request, and the API server adds to what it is sent. */
export const LARGEST_JOB = 1_500_000;

/**
 * The manifest with its values.
 * @param name the template's name, for errors
 * @throws OpjobError TEMPLATE_JOB_INVALID where a value would stand for another key, or the whole becomes too large
 */
export function fillJob(blanked: Blanked, given: readonly Piece[], wanted: Wanted, name: string): Json {
  return new Filling(given, name).fill(blanked, wanted);
}

class Filling {
  private readonly given: readonly Piece[];
  private readonly name: string;
  private size = 0;

  constructor(given: readonly Piece[], name: string) {
    this.given = given;
    this.name = name;
  }

  fill(node: Blanked, wanted: Wanted): Json {
    if (node instanceof Hole) return this.fillHole(node, wanted);
    if (Array.isArray(node)) return node.map((item) => this.fill(item, itemWanted(wanted)));
    if (typeof node !== "object" || node === null) return node;
    const object: JsonObject = {};
    for (const [key, value] of Object.entries(node)) {
      const filled = holdsBlank(key) ? this.count(fillText(key, this.given)) : key;
      // An argument named like a label of the author's would replace it.
      if (filled !== key && (Object.hasOwn(node, filled) || Object.hasOwn(object, filled))) throw this.keyTaken(filled);
      Object.defineProperty(object, filled, {
        value: this.fill(value, fieldWanted(wanted, key)),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return object;
  }

  private fillHole({ text, plain }: Hole, wanted: Wanted): Json {
    const data = plain ? wholePiece(text, this.given)?.data : undefined;
    if (data !== undefined) return this.convert(data, wanted);
    const filled = this.count(fillText(text, this.given));
    return wanted.kind === "string" || !plain ? filled : resolvePlain(filled);
  }

  /** What a template printed as JSON: data, and texts where texts are wanted. */
  private convert(data: TraceData, wanted: Wanted): Json {
    if (wanted.kind === "string" && data !== null) {
      return this.count(typeof data === "string" ? data : JSON.stringify(data));
    }
    if (typeof data === "string") return this.count(data);
    if (typeof data !== "object" || data === null) return data;
    if (isList(data)) return data.map((item) => this.convert(item, itemWanted(wanted)));
    const entries = Object.entries(data);
    return Object.fromEntries(
      entries.map(([key, value]) => [this.count(key), this.convert(value, fieldWanted(wanted, key))]),
    );
  }

  /** An anchor may repeat a long value without end. */
  private count(text: string): string {
    this.size += text.length;
    if (this.size > LARGEST_JOB) throw tooLarge(this.name);
    return text;
  }

  private keyTaken(key: string): OpjobError {
    return new OpjobError(
      "TEMPLATE_JOB_INVALID",
      `The template "${this.name}" uses a value as a key, and the key "${key.slice(0, 63)}" is there already.`,
    );
  }
}

const isList = (data: TraceData): data is readonly TraceData[] => Array.isArray(data);
const itemWanted = (wanted: Wanted): Wanted => (wanted.kind === "list" ? wanted.of : { kind: "any" });

export const tooLarge = (name: string): OpjobError =>
  new OpjobError(
    "TEMPLATE_JOB_INVALID",
    `The template "${name}" gives a Job of more than ${LARGEST_JOB} bytes, which no cluster stores.`,
    { remedy: "Move scripts and data out of the template, into the image or a ConfigMap." },
  );
