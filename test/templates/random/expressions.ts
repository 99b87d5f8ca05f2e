// Random expressions. Knows the grammar and, roughly, which values go together: wholly wild ones would nearly all be errors.
import type { Draw } from "./draw.ts";
import type { Kind } from "./words.ts";
import * as words from "./words.ts";

type Make = (draw: Draw, depth: number) => string;

const LEAVES: Record<Kind, readonly string[]> = {
  int: words.INTEGERS,
  float: words.FLOATS,
  str: words.TEXTS,
  list: words.LISTS,
  dict: words.DICTS,
  bool: ["yes", "no", "true", "false", "True", "False"],
  any: words.OTHERS,
};

export const KINDS: readonly Kind[] = ["int", "float", "str", "list", "dict", "bool", "any"];

export function expression(draw: Draw, kind: Kind, depth: number): string {
  const wanted = draw.chance(0.02) ? "any" : kind;
  if (depth > 0) return draw.pick(MAKERS[wanted])(draw, depth - 1);
  return draw.pick(wanted === "any" && draw.chance(0.1) ? words.MISSING : LEAVES[wanted]);
}

const of =
  (kind: Kind): Make =>
  (draw, depth) =>
    expression(draw, kind, depth);
const int = of("int");
const str = of("str");
const list = of("list");
const dict = of("dict");
const bool = of("bool");
const any = of("any");
const number: Make = (draw, depth) => expression(draw, draw.pick(["int", "float"]), depth);
const float: Make = of("float");

const filtered =
  (target: Make, filters: readonly string[]): Make =>
  (draw, depth) =>
    `${target(draw, depth)}|${draw.pick(filters)}`;
const called =
  (target: Make, methods: readonly string[]): Make =>
  (draw, depth) =>
    `${target(draw, depth)}.${draw.pick(methods)}`;
const binary =
  (left: Make, operators: readonly string[], right: Make): Make =>
  (draw, depth) =>
    `(${left(draw, depth)} ${draw.pick(operators)} ${right(draw, depth)})`;
const fixed =
  (...options: readonly string[]): Make =>
  (draw) =>
    draw.pick(options);

const ternary: Make = (draw, depth) =>
  `(${any(draw, depth)} if ${any(draw, depth)}${draw.chance(0.8) ? ` else ${any(draw, depth)}` : ""})`;
const sliced =
  (target: Make): Make =>
  (draw, depth) => {
    const bound = () => draw.pick(["", "0", "1", "2", "-1", "-2", "10", "n"]);
    return `${target(draw, depth)}[${bound()}:${bound()}${draw.pick(["", "", ":2", ":-1", ":-2", ":"])}]`;
  };

const percentFormat: Make = (draw) => {
  const flags = draw.pick(["", "-", "0", "+", " ", "#", "-0", "+0"]);
  const spec = `%${flags}${draw.pick(["", "1", "5", "12"])}${draw.pick(["", "", ".0", ".2", ".5"])}${draw.pick("sdrfgeEGixXoca".split(""))}`;
  const values = draw.pick(["n", "f", "m", "s", "nil", "l", "(n, s)", "d", "12345.678", "'<'|safe", "big", "g"]);
  return `('${draw.pick(["", "x", "%%"])}${spec}' % ${values})`;
};

const braceFormat: Make = (draw) => {
  const align = draw.pick(["", "<", ">", "^", "*^", "0=", "=", "é>"]);
  const sign = draw.pick(["", "", "+", " ", "-"]);
  const size = `${draw.pick(["", "#"])}${draw.pick(["", "0"])}${draw.pick(["", "3", "12"])}`;
  const end = `${draw.pick(["", "", ",", "_"])}${draw.pick(["", "", ".0", ".2", ".3"])}${draw.pick(["", "d", "f", "e", "g", "x", "b", "s", "%", "n", "c"])}`;
  const field = `{${draw.pick(["", "0", "!r", "!s", "!a", "a"])}:${align}${sign}${size}${end}}`;
  return `'${draw.pick(["", "{{", "x"])}${field}'.format(${draw.pick(["n", "f", "s", "m", "255", "1234567.891", "yes", "a=n", "g", "h"])})`;
};

/** What a call may be given: by place, by name, spread out. */
const macroCall: Make = (draw, depth) => {
  const given = draw.many(0, 1, () => any(draw, depth));
  const more = draw.pick(["", "", "", "y=3", "*[2]", "**{'y': 4}"]);
  return `mac(${[...given, more].filter((one) => one !== "").join(", ")})`;
};

/** Operators side by side: what binds tighter shows only without brackets. */
const flat: Make = (draw) => {
  const operand = () =>
    `${draw.pick(["", "", "", "-", "not ", "+"])}${draw.pick(["n", "m", "f", "2", "3", "0.5", "l", "s", "'a'", "yes", "nil", "missing", "d.b", "l[0]", "(1, 2)"])}${draw.pick(["", "", "", "|abs", "|string", "|length", "|int", " is odd", " is defined", " is not none", ".upper()", "[0]"])}`;
  const operator = () =>
    draw.pick([
      "+",
      "-",
      "*",
      "/",
      "//",
      "%",
      "**",
      "~",
      "==",
      "!=",
      "<",
      "<=",
      ">",
      ">=",
      "in",
      "not in",
      "and",
      "or",
      "if 1 else",
    ]);
  return Array.from({ length: 2 + draw.below(4) }, operand).reduce((left, right) => `${left} ${operator()} ${right}`);
};

const MAKERS: Record<Kind, readonly Make[]> = {
  int: [
    binary(int, ["+", "-", "*", "//", "%"], int),
    binary(int, ["+", "-", "*", "//", "%"], int),
    (draw, depth) => `(-${int(draw, depth)})`,
    (draw) => `(2 ** ${draw.below(12)})`,
    (draw) => `(${draw.pick(["-2", "n", "m", "2.5", "-0.5"])} ** ${draw.pick(["2", "n", "z", "-1", "no"])})`,
    filtered(list, ["length", "sum", "count"]),
    filtered(str, ["length", "wordcount"]),
    filtered(any, ["int", "int(9)", "int(0, 16)", "int(default=5, base=8)"]),
    filtered(int, ["abs", "round", "round(-1)", "round(1, 'floor')", "string|int"]),
    called(str, ["count('a')", "count('')", "find('l')", "rfind('b')"]),
    called(int, ["bit_length()", "real", "numerator", "conjugate()", "nosuch"]),
  ],
  float: [
    binary(number, ["/"], number),
    binary(number, ["*", "-", "//", "%"], float),
    filtered(number, ["float"]),
    (draw, depth) =>
      `${float(draw, depth)}|round(${draw.below(4)}${draw.pick(["", ", 'ceil'", ", 'floor'", ", method='common'"])})`,
    called(float, ["is_integer()", "real", "hex()"]),
  ],
  str: [
    binary(str, ["~"], any),
    binary(str, ["+"], str),
    (draw, depth) => `(${str(draw, depth)} * ${draw.below(4)})`,
    filtered(str, words.TEXT_FILTERS),
    filtered(str, words.TEXT_FILTERS),
    called(str, words.TEXT_METHODS),
    called(str, words.TEXT_METHODS),
    sliced(str),
    (draw, depth) => `${str(draw, depth)}[${draw.pick(["0", "-1", "2", "n"])}]`,
    filtered(list, ["join", "join(',')", "join('-')", "join('<'|safe)"]),
    percentFormat,
    braceFormat,
    filtered(any, ["string", "tojson", "pprint", "e", "forceescape", "d('x')"]),
    filtered(number, ["filesizeformat", "filesizeformat(true)"]),
    filtered(dict, ["urlencode", "xmlattr"]),
    macroCall,
  ],
  list: [
    (draw, depth) => `[${any(draw, depth)}, ${any(draw, depth)}]`,
    (draw, depth) => `(${any(draw, depth)}, ${any(draw, depth)})`,
    binary(list, ["+"], list),
    (draw, depth) => `(${list(draw, depth)} * 2)`,
    (draw) => `range(${draw.below(6)}, ${draw.below(9)}, ${draw.pick(["1", "2", "-1"])})`,
    sliced(list),
    filtered(list, words.LIST_FILTERS),
    (draw, depth) => `${list(draw, depth)}|${draw.pick(words.LIST_FILTERS)}|list`,
    (draw, depth) => `${list(draw, depth)}|${draw.pick(words.LIST_FILTERS)}|${draw.pick(words.LIST_FILTERS)}`,
    called(list, words.LIST_METHODS),
    filtered(str, ["list"]),
    called(str, ["split()", "split(',')", "splitlines()"]),
    called(dict, ["items()|list", "keys()|list", "values()|list", "items()", "keys()"]),
    filtered(dict, ["dictsort", "items|list"]),
  ],
  dict: [
    (draw, depth) => `{'a': ${any(draw, depth)}, 'b': ${any(draw, depth)}}`,
    (draw, depth) => `dict(a=${any(draw, depth)}, b=${any(draw, depth)})`,
    (draw, depth) => `{${int(draw, depth)}: ${any(draw, depth)}, ${str(draw, depth)}: 1}`,
    (draw, depth) => `dict(${dict(draw, depth)}, q=1)`,
    called(dict, ["copy()"]),
    fixed("dict(r)", "namespace(a=1)", "dict([('a', 1)], b=2)"),
  ],
  bool: [
    binary(number, ["<", "<=", ">", ">=", "==", "!="], number),
    (draw, depth) => `(${number(draw, depth)} < ${number(draw, depth)} <= ${number(draw, depth)})`,
    binary(any, ["==", "!="], any),
    binary(any, ["in", "not in"], (draw, depth) => expression(draw, draw.pick(["list", "str", "dict"]), depth)),
    (draw, depth) => `(not ${any(draw, depth)})`,
    (draw, depth) => `(${any(draw, depth)} is ${draw.pick(["", "", "not "])}${draw.pick(words.TESTS)})`,
    (draw, depth) => `(${str(draw, depth)} is ${draw.pick(words.TESTS)})`,
    binary(bool, ["and", "or"], any),
  ],
  any: [
    ...KINDS.filter((kind) => kind !== "any").flatMap((kind) => [of(kind), of(kind)]),
    ternary,
    binary(any, ["and", "or"], any),
    (draw, depth) => `(${any(draw, depth)})|default(${any(draw, depth)})`,
    called(dict, words.DICT_METHODS),
    (draw, depth) => `(${dict(draw, depth)})[${draw.pick(["'a'", "'b'", "1", "n", "nil"])}]`,
    (draw, depth) => `${list(draw, depth)}[${draw.pick(["0", "-1", "1", "7", "'k'", "n"])}]`,
    flat,
    macroCall,
    fixed(
      "cycler('a', 'b').next()",
      "joiner('|')()",
      "range",
      "dict",
      "m",
      "self.blk0()",
      "ns.c",
      "lipsum(n=0)",
      "loop.index",
    ),
  ],
};
