// What becomes of a hostile template: its output, or the kind of its refusal, or the bound that it meets.
import { compileJinja, JinjaError } from "../../src/templates/jinja/jinja.ts";

export function outcome(template: string): string {
  try {
    return compileJinja(template).render({ x: 1, s: "text", l: [1], d: { k: "v" } });
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    return error.kind === "limit" ? (/^limit (\w+)/.exec(error.message)?.[1] ?? error.message) : error.kind;
  }
}
