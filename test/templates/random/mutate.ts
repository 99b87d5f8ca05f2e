// Changes a template at random places, as a slip of the hand would: what is no template any more must be refused, and at the same line.
import type { Draw } from "./draw.ts";

const PIECES = [
  ..."{{ }} {% %} {# #} - + | ( ) [ ] { } , : . = == != < > <= >= ~ * ** / // % {%- -%} +%} {%+ - %} %}{%".split(" "),
  ..."is in not and or if else elif endif for endfor set endset macro endmacro call endcall filter endfilter block endblock".split(
    " ",
  ),
  ..."raw endraw with endwith recursive none true None True loop upper join default autoescape print scoped required".split(
    " ",
  ),
  ..."include import from extends break continue do trans 'a' \"b\" 1 2.5 1e3 0x1f 1_0 x n s l d ns.x ' \" \\ ` $ @ ! & ^ ? ;".split(
    " ",
  ),
  ..."é 1. 1.e ._ 0b2 00 01 1__0 '\\x' '\\u12' '\\N{DASH}'".split(" "),
  "\n",
  "\n\n",
  " ",
  "\r\n",
  "\r",
  "\u2028",
  "\u0085",
  "\u00a0",
  "\ufeff",
];

export function mutate(draw: Draw, template: string): string {
  const parts = template.match(/\{\{|\}\}|\{%|%\}|\{#|#\}|\w+|\s+|[^\w\s]/gu) ?? [];
  for (let count = 1 + draw.below(2); count > 0; count--) {
    const at = draw.below(parts.length + 1);
    draw.pick([
      () => parts.splice(at, 1),
      () => parts.splice(at, 0, draw.pick(PIECES)),
      () => parts.splice(at, 0, draw.pick(PIECES)),
      () => parts.splice(at, 1, draw.pick(PIECES)),
      () => parts.splice(at, 0, parts[draw.below(parts.length)] ?? ""),
    ])();
  }
  return parts.join("");
}
