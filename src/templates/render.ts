// From a template's text and an operation's values to the rendered text and the manifest in it.
// Compiled templates and their blank Jobs are kept for as long as the text is in use. Pure but for that memory.
import { OpjobError } from "../errors.ts";
import { type BlankShape, blanksAreTexts, blankValues, fill, fillJob, type Values } from "./blanks.ts";
import { compileJinja, JinjaError, type JinjaTemplate } from "./jinja/jinja.ts";
import type { JsonObject } from "./json.ts";
import { parseManifest } from "./manifest.ts";

export type JobTemplate = {
  /** @throws OpjobError TEMPLATE_RENDER_FAILED with the template's line */
  render(values: Values): string;
  /** @throws OpjobError also TEMPLATE_YAML_INVALID, TEMPLATE_NOT_A_JOB */
  manifest(values: Values): JsonObject;
};

type Blank = { readonly text: string; readonly job: JsonObject };

/**
 * Compiles a template.
 * @param name what errors call it: its path or URI
 * @throws OpjobError TEMPLATE_RENDER_FAILED with the line of a syntax error
 */
export function compileTemplate(source: string, name: string): JobTemplate {
  const jinja = guard(name, () => compileJinja(source));
  const blanks = new Map<string, Blank | undefined>();

  const blankFor = ({ _args, _image }: Values): Blank | undefined => {
    // Templates may well ask whether there is an image: an absent one stays absent.
    const shape = { args: _args.length, image: _image !== "" };
    const key = `${shape.args} ${shape.image}`;
    if (blanks.has(key)) return blanks.get(key);
    const made = makeBlank(jinja, shape, name);
    blanks.set(key, made);
    return made;
  };
  const render = (values: Values): string => guard(name, () => jinja.render(values));
  return {
    render,
    manifest(values) {
      const text = render(values);
      const made = blankFor(values);
      // Only where the template prints its values as they are: one that tests or filters them gives another text.
      if (made && fill(made.text, values) === text) return fillJob(made.job, values) as JsonObject;
      return parseManifest(text, name);
    },
  };
}

function makeBlank(jinja: JinjaTemplate, shape: BlankShape, name: string): Blank | undefined {
  try {
    const text = jinja.render(blankValues(shape));
    const job = parseManifest(text, name);
    return blanksAreTexts(job) ? { text, job } : undefined;
  } catch {
    return undefined; // a template that refuses blanks may well accept the real values
  }
}

function guard<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    throw new OpjobError(
      "TEMPLATE_RENDER_FAILED",
      `The template "${name}" fails at line ${error.line}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}
