// From rendered text to one Job: YAML as a Python loader reads it, with a text wherever Kubernetes wants a text.
// Pure. Knows YAML and the shape of a Job; nothing of operations or of how the text was rendered.
import { Composer, type Document, isScalar, Lexer, type Node, Parser, YAMLParseError } from "yaml";
import { OpjobError } from "../errors.ts";
import type { Blanked } from "./blanks.ts";
import { wantedOfJob } from "./job-types.ts";
import { fieldOf, isObject, type Json, type JsonObject } from "./json.ts";
import { readDocument, YamlFault } from "./yaml-reader.ts";

/** Why a text is no YAML, and where in it: an offset. */
export class YamlProblem extends Error {
  override readonly name = "YamlProblem";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * The object in a rendered text, which may hold blanks.
 * @param name the template's name, for errors
 * @throws YamlProblem, or OpjobError TEMPLATE_NOT_A_JOB where there is not exactly one document
 */
export function parseManifest(text: string, name: string): Blanked {
  const parsed = documentsOf(text);
  const error = parsed.flatMap(({ errors }) => errors)[0];
  // The parser quotes what it did not expect, which may be a value that is secret.
  if (error) throw new YamlProblem(error.message.replace(/: ".*"$/s, ""), error.pos[0]);
  const documents = parsed.filter(({ contents }) => contents !== null && !isEmpty(contents));
  const [document] = documents;
  if (document === undefined || documents.length !== 1) {
    throw notAJob(name, documents.length === 0 ? "it renders to nothing" : `it renders ${documents.length} documents`);
  }
  try {
    return readDocument(document, text, wantedOfJob());
  } catch (fault) {
    throw fault instanceof YamlFault ? new YamlProblem(fault.message, fault.offset) : fault;
  }
}

const isEmpty = (contents: Node): boolean =>
  isScalar(contents) && contents.type === "PLAIN" && ["", "~", "null"].includes(contents.source ?? "");

/** Marks, texts and line ends in a rendered text. The time that YAML takes grows with them, and a Job has hundreds. */
const MOST_LEXEMES = 30_000;

/** What the lexer adds of its own: where a document, a scalar or an error begins. */
const LEXER_MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"]);

/**
 * All scalars are read as texts: what they mean without quotes is decided in yaml-scalars.ts. In YAML 1.1, as Python's loaders and
 * Kubernetes' own tools speak it.
 */
function documentsOf(text: string): Document[] {
  const options = {
    version: "1.1",
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
    prettyErrors: false,
  } as const;
  const parser = new Parser();
  function* tokens(): ReturnType<Parser["parse"]> {
    let count = 0;
    let offset = 0;
    for (const lexeme of new Lexer().lex(text)) {
      if (++count > MOST_LEXEMES)
        throw new YamlProblem(`there are more than ${MOST_LEXEMES} marks, texts and line ends`, offset);
      if (!LEXER_MARKS.has(lexeme)) offset += lexeme.length;
      yield* parser.next(lexeme);
    }
    yield* parser.end();
  }
  try {
    return Array.from(new Composer(options).compose(tokens())) as unknown as Document[];
  } catch (error) {
    if (error instanceof RangeError) throw new YamlProblem("it is nested too deeply", 0);
    throw error instanceof YAMLParseError ? new YamlProblem(error.message, error.pos[0]) : error;
  }
}

const notAJob = (name: string, why: string) =>
  new OpjobError("TEMPLATE_NOT_A_JOB", `The template "${name}" gives no Job: ${why}.`);

/** @throws OpjobError TEMPLATE_NOT_A_JOB with what is missing */
export function requireJob(job: Json, name: string): asserts job is JsonObject {
  if (!isObject(job)) throw notAJob(name, "it renders to no object");
  if (job["apiVersion"] !== "batch/v1" || job["kind"] !== "Job") {
    const got = [job["apiVersion"], job["kind"]].map((part) => (typeof part === "string" ? part : "nothing")).join(" ");
    throw notAJob(name, `apiVersion and kind must be "batch/v1 Job", not "${got}"`);
  }
  const pod = fieldOf(fieldOf(job["spec"], "template"), "spec");
  const containers = fieldOf(pod, "containers");
  if (!Array.isArray(containers) || containers.length === 0) {
    throw notAJob(name, "spec.template.spec.containers must hold at least one container");
  }
  const wrong = containers.findIndex((container) => !isObject(container));
  if (wrong >= 0) throw notAJob(name, `spec.template.spec.containers[${wrong}] must be an object`);
  for (const section of ["metadata", "spec"]) {
    if (job[section] !== undefined && !isObject(job[section])) throw notAJob(name, `${section} must be an object`);
  }
}
