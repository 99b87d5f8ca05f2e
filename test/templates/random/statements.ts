// Random templates: tags around random expressions, with all kinds of white space and its control.
import type { Draw } from "./draw.ts";
import { expression, KINDS } from "./expressions.ts";
import { type Kind, LOOP_PARTS, PLAIN } from "./words.ts";

type Body = () => string;
type Make = (draw: Draw, body: Body) => string;

const value = (draw: Draw, kind: Kind = draw.pick(KINDS)): string => expression(draw, kind, 1 + draw.below(3));
const plain = (draw: Draw): string => draw.pick(PLAIN);

/** White space between the words of a tag, mostly one blank. */
const gap = (draw: Draw): string => (draw.chance(0.9) ? " " : draw.pick(["", "  ", "\n", "\t", " \n "]));

function tag(draw: Draw, content: string): string {
  const sign = () => draw.pick(["", "", "", "", "-", "+"]);
  return `{%${sign()}${gap(draw) || " "}${content}${gap(draw) || " "}${sign()}%}`;
}

function output(draw: Draw): string {
  const shown = draw.chance(0.05) ? `${value(draw)}, ${value(draw)}` : value(draw);
  return `{{${draw.pick(["", "", "-"])}${gap(draw) || " "}${shown}${gap(draw) || " "}${draw.pick(["", "", "-"])}}}`;
}

const wrap = (draw: Draw, open: string, body: string, close: string): string =>
  tag(draw, open) + body + tag(draw, close);

function forLoop(draw: Draw, body: Body): string {
  const sequence = expression(draw, draw.pick(["list", "list", "str", "dict"]), 1 + draw.below(2));
  const target = draw.pick(["x", "x", "x", "x, y", "(x, y)", "_"]);
  const source = target.includes(",")
    ? draw.pick(["d.items()", "r", "p|map('list')", "env|dictsort", sequence])
    : sequence;
  const condition = draw.chance(0.25) ? ` if ${expression(draw, "bool", 1)}` : "";
  const shown = draw.chance(0.6) ? `{{ loop.${draw.pick(LOOP_PARTS)} }}` : "";
  const otherwise = draw.chance(0.2) ? tag(draw, "else") + body() : "";
  return wrap(draw, `for ${target} in ${source}${condition}`, shown + body() + otherwise, "endfor");
}

const recursiveLoop: Make = (draw, body) =>
  wrap(
    draw,
    "for x in tree recursive",
    `{{ loop.depth }}{% if x is iterable %}<{{ loop(x)${draw.pick(["", "|upper", "|length"])} }}>{% else %}{{ x }}${body()}{% endif %}`,
    "endfor",
  );

function condition(draw: Draw, body: Body): string {
  const elif = draw.chance(0.4) ? tag(draw, `elif ${value(draw)}`) + body() : "";
  const otherwise = draw.chance(0.5) ? tag(draw, "else") + body() : "";
  return wrap(draw, `if ${value(draw)}`, body() + elif + otherwise, "endif");
}

function macro(draw: Draw, body: Body): string {
  const parameters = draw.pick(["", "x", "x, y=1", "x, y=x", "x=l, y='d'"]);
  const rest = draw.pick([
    "",
    "{{ varargs }}{{ kwargs }}",
    "{{ varargs }}",
    "{{ kwargs }}",
    "{{ caller() if caller }}",
    "{{ m.name }}{{ m.arguments }}",
  ]);
  const call = draw.pick(["", ", 2", ", y=3", ", 1, 2", ", z=1", ", *[1], **{'y': 2}"]);
  return `${wrap(draw, `macro m(${parameters})`, body() + rest, "endmacro")}{{ m(${value(draw)}${call}) }}`;
}

const callBlock: Make = (draw, body) =>
  wrap(draw, "macro c(q=1)", `[{{ caller(${draw.pick(["q", "q", "q", "q, 2", "", "x=q"])}) }}]`, "endmacro") +
  wrap(draw, `call${draw.pick(["(x)", "(x, y=5)", ""])} c(${value(draw)})`, body(), "endcall");

const namespaceLoop: Make = (draw, body) =>
  tag(draw, "set ns = namespace(c=0, l=[])") +
  wrap(
    draw,
    "for i in [1, 2]",
    tag(draw, `set ns.c = ns.c + ${draw.pick(["i", "1", "loop.index"])}`) + body(),
    "endfor",
  ) +
  "{{ ns.c }}{{ ns.l }}";

const changes: Make = (draw) =>
  tag(draw, `set o = ${draw.pick(["[3, 1]", "{'a': 1}", "l", "d", "w|list"])}`) +
  `{{ o.${draw.pick(["append(1)", "update(b=2)", "pop()", "sort()", "clear()", "extend(l)", "setdefault('k', [])", "insert(1, 'x')"])} }}{{ o }}`;

const STATEMENTS: readonly Make[] = [
  condition,
  condition,
  forLoop,
  forLoop,
  forLoop,
  recursiveLoop,
  (draw) => tag(draw, `set ${draw.pick(["x", "y", "n", "loop"])} = ${value(draw)}`),
  (draw) =>
    tag(
      draw,
      `set ${draw.pick(["x, y", "(x, y)", "x, (y, z)"])} = ${draw.pick(["1, 2", "l[:2]", "d.items()|first", "'ab'", value(draw)])}`,
    ),
  (draw, body) =>
    wrap(
      draw,
      `set ${draw.pick(["x", "y"])}${draw.pick(["", " | upper", "|trim|replace('a', 'b')"])}`,
      body(),
      "endset",
    ),
  (draw, body) =>
    wrap(draw, draw.pick([`with x = ${value(draw)}, y = x`, "with", `with n = ${value(draw)}`]), body(), "endwith"),
  (draw, body) =>
    wrap(
      draw,
      `filter ${draw.pick(["upper", "trim", "replace('a', 'b')", "indent(2)", "title|trim", "e", "length", "wordwrap(9)"])}`,
      body(),
      "endfilter",
    ),
  macro,
  callBlock,
  namespaceLoop,
  changes,
  (draw) => `{#${draw.pick(["", "-", "+"])} c {{ x }} {% if %} ${draw.pick(["", "-", "+"])}#}`,
  (draw) => wrap(draw, "raw", `{{ x }}${plain(draw)}{% if %}{# #}`, "endraw"),
  (draw, body) =>
    wrap(draw, `autoescape ${draw.pick(["true", "false", "yes"])}`, body() + output(draw), "endautoescape"),
  (draw, body) =>
    `${wrap(draw, `block blk${1 + draw.below(9)}${draw.pick(["", " scoped"])}`, body(), "endblock")}{{ self.blk0() }}`,
  (draw) => tag(draw, `print ${value(draw)}, ${value(draw)}`),
  (draw) =>
    tag(draw, `set cy = cycler('a', 'b', n)`) +
    "{{ cy.next() }}{{ cy.next() }}{{ cy.current }}{{ cy.reset() }}{{ cy.pos }}",
];

function statement(draw: Draw, depth: number): string {
  if (depth <= 0 || draw.chance(0.45)) return plain(draw) + output(draw) + plain(draw);
  const body: Body = () => {
    const inner = Array.from({ length: draw.below(3) }, () => statement(draw, depth - 1)).join("");
    return plain(draw) + inner + plain(draw);
  };
  return plain(draw) + draw.pick(STATEMENTS)(draw, body);
}

/** Lines as they stand in the templates of Jobs. */
function jobLines(draw: Draw): string {
  const lines: (() => string)[] = [
    () => `  name: {{ _name }}${draw.pick(["", "-{{ _id[:4] }}", "{{ '-' ~ n }}"])}\n`,
    () =>
      `args:\n{% for arg in _args ${draw.pick(["", "-", "+"])}%}\n  - {{ arg${draw.pick(["", "|tojson", "|upper", "|replace('\"', '')"])} }}\n{%${draw.pick(["", "-", "+"])} endfor %}\n`,
    () =>
      `env:\n{% for key, item in env|${draw.pick(["dictsort", "items"])} %}\n  - name: {{ key }}\n    value: {{ item|${draw.pick(["tojson", "string", "e"])} }}\n{% endfor %}\n`,
    () => `{%- if ${value(draw, "bool")} %}\nimage: {{ ${value(draw, "str")} }}\n{%- endif %}\n`,
    () => `resources: {{ {'cpu': n, 'memory': (n * 2) ~ 'Gi'} }}\n`,
    () => `  # {{ ${value(draw)} }} {# ${value(draw)} #}\n`,
    () => `labels: { a: "{{ ${value(draw, "str")} }}", b: {{ ${value(draw, "int")} }} }\n`,
    () => `{% set cpu = ${draw.pick(["4", "'4'", "n"])} %}cpu: "{{ cpu }}"\n`,
  ];
  return draw.many(2, 6, () => draw.pick(lines)()).join("");
}

export function statements(draw: Draw): string {
  if (draw.chance(0.12)) return jobLines(draw);
  const text = draw.many(1, 2, () => statement(draw, 3)).join("");
  const used = MACROS.filter(([name]) => text.includes(name)).map(([, definition]) => definition);
  return draw.chance(0.9) ? used.join("") + text : text;
}

/** What expressions use by name, so that most of them find it. */
const MACROS: readonly (readonly [name: string, definition: string])[] = [
  ["mac(", "{% macro mac(x='d', y=1) %}<{{ x }},{{ y }}{{ kwargs }}>{% endmacro %}"],
  ["self.blk0", "{% block blk0 %}b{{ n }}{% endblock %}"],
  ["ns.c", "{% set ns = namespace(c=1) %}"],
];
