// Random templates for comparing this engine with the real Jinja2. A run is determined by its seed.
// It knows the language's grammar and, roughly, which values go together: wholly wild templates would nearly all be errors.

type Kind = "int" | "float" | "str" | "list" | "dict" | "bool" | "any";
type Make = (depth: number) => string;

/** A small generator of numbers in [0, 1) (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const RANDOM_CONTEXT = {
  n: 7,
  m: -3,
  z: 0,
  f: 2.5,
  s: "Hello World",
  t: "  a,b;c-d\n\tE_f  ",
  u: "äß😀'\"\\x",
  e: "",
  l: [3, 1, 2],
  w: ["b", "A", "c", "a", "B"],
  p: [
    { k: "x", v: 1 },
    { k: "y", v: 2, n: null },
    { k: "X", v: 3 },
  ],
  d: { b: 1, a: [1, 2], c: { d: "e" } },
  yes: true,
  no: false,
  nil: null,
  _id: "65f1c0ffee1234567890abcd",
};

const WORDS = [
  "'abc'",
  "'a b c'",
  "'x-y_z'",
  "'3.5'",
  "'42'",
  "'  pad '",
  "'%s|%s'",
  "'é😀'",
  "'a\\nb\\n'",
  '"it\'s"',
  "'<b>&'",
  "'A,B,,C'",
];

export class RandomTemplates {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = randomNumbers(seed);
  }

  private below(bound: number): number {
    return Math.floor(this.random() * bound);
  }
  private pick<T>(options: readonly T[]): T {
    return options[this.below(options.length)] as T;
  }
  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** One template, as text. */
  template(): string {
    let text = "";
    for (let count = 1 + this.below(2); count > 0; count--) text += this.statement(3);
    return text;
  }

  private readonly int: Make = (depth) => {
    if (depth <= 0) return this.pick(["n", "m", "z", "0", "1", "2", "3", "10", "12345678901234567890", "-1"]);
    const a = () => this.expression("int", depth - 1);
    return this.pick([
      () => `(${a()} + ${a()})`,
      () => `(${a()} - ${a()})`,
      () => `${a()} * ${a()}`,
      () => `(${a()} // ${a()})`,
      () => `(${a()} % ${a()})`,
      () => `(-${a()})`,
      () => `(2 ** ${this.below(12)})`,
      () => `${this.expression("list", depth - 1)}|length`,
      () => `${this.expression("str", depth - 1)}|length`,
      () => `${this.expression("any", depth - 1)}|int`,
      () => `${this.expression("str", depth - 1)}.count('${this.pick(["a", "", "b"])}')`,
      () => `${this.expression("str", depth - 1)}.find('${this.pick(["a", "", "l"])}')`,
      () => `${a()}|abs`,
      () => `${this.expression("list", depth - 1)}|sum`,
      () => `${this.expression("str", depth - 1)}|wordcount`,
      () => `(${a()})|round(${this.pick(["", "-1", "1"])})`,
    ])();
  };

  private readonly float: Make = (depth) => {
    if (depth <= 0) return this.pick(["f", "0.5", "1.0", "1e16", "1e-7", "2.675", "3.14159", "100.0"]);
    const a = () => this.expression(this.pick(["int", "float"]), depth - 1);
    return this.pick([
      () => `(${a()} / ${a()})`,
      () => `(${a()} * ${this.float(depth - 1)})`,
      () => `(${a()} - ${this.float(depth - 1)})`,
      () => `(${this.float(depth - 1)} // ${a()})`,
      () => `(${this.float(depth - 1)} % ${a()})`,
      () => `${a()}|float`,
      () => `${this.float(depth - 1)}|round(${this.below(4)}${this.pick(["", ", 'ceil'", ", 'floor'"])})`,
    ])();
  };

  private readonly str: Make = (depth) => {
    if (depth <= 0) return this.pick(["s", "t", "u", "e", "_id", ...WORDS]);
    const a = () => this.expression("str", depth - 1);
    return this.pick([
      () => `(${a()} ~ ${this.expression("any", depth - 1)})`,
      () => `(${a()} + ${a()})`,
      () => `(${a()} * ${this.below(4)})`,
      () => `${a()}|${this.textFilter()}`,
      () => `${a()}|${this.textFilter()}`,
      () => `${a()}.${this.textMethod()}`,
      () => `${a()}.${this.textMethod()}`,
      () => `${a()}[${this.slice()}]`,
      () => `${a()}[${this.pick(["0", "-1", "2"])}]`,
      () => `${this.expression("list", depth - 1)}|join(${this.pick(["", "','", "'-'"])})`,
      () => `('${this.percentFormat()}' % ${this.pick(["n", "f", "m", "s", "nil", "l", "(n, s)", "d", "12345.678"])})`,
      () => `'${this.braceFormat()}'.format(${this.pick(["n", "f", "s", "m", "255", "1234567.891", "yes"])})`,
      () => `${this.expression("any", depth - 1)}|string`,
      () => `${this.expression("any", depth - 1)}|tojson`,
      () => `${this.expression("any", depth - 1)}|pprint`,
      () => `${this.expression(this.pick(["int", "float"]), depth - 1)}|filesizeformat`,
      () => `${this.expression(this.pick(["dict", "str"]), depth - 1)}|urlencode`,
    ])();
  };

  private textFilter(): string {
    return this.pick([
      "upper",
      "lower",
      "title",
      "capitalize",
      "trim",
      "reverse",
      "e",
      "string",
      "striptags",
      "center(12)",
      "center(9)",
      "indent(2)",
      "indent(3, true)",
      "indent(2, blank=true)",
      "replace('a', 'bb')",
      "replace('', '.')",
      "replace('b', '', 1)",
      "truncate(5)",
      "truncate(6, true, '..', 0)",
      "truncate(7, leeway=1)",
      "wordwrap(5)",
      "wordwrap(4, false)",
      "default('d')",
      "default('d', true)",
      "format(n)",
      "urlize",
      "first",
      "last",
      "forceescape",
      "trim('a')",
      "escape",
      "list|join",
      "urlencode",
    ]);
  }

  private textMethod(): string {
    return this.pick([
      "upper()",
      "lower()",
      "title()",
      "capitalize()",
      "swapcase()",
      "casefold()",
      "strip()",
      "lstrip()",
      "rstrip()",
      "strip(' a')",
      "center(9)",
      "center(8, '*')",
      "ljust(8)",
      "rjust(8, '.')",
      "zfill(8)",
      "expandtabs(4)",
      "replace('a', 'b')",
      "replace('', '-', 2)",
      "split()",
      "split(',')",
      "split(None, 1)",
      "rsplit(' ', 1)",
      "rsplit(None, 1)",
      "splitlines()",
      "splitlines(true)",
      "partition('b')",
      "rpartition('a')",
      "join(['1', '2'])",
      "startswith('a')",
      "endswith(('b', 'c'))",
      "find('b')",
      "rfind('a', 1)",
      "index('a')",
      "count('a', 1)",
      "removeprefix('a')",
      "removesuffix('c')",
      "isdigit()",
      "isalpha()",
      "isupper()",
      "istitle()",
      "isspace()",
      "isalnum()",
      "isidentifier()",
      "islower()",
      "isnumeric()",
      "format(n, s)",
      "isprintable()",
      "isascii()",
      "zfill(3)",
    ]);
  }

  private percentFormat(): string {
    const flags = this.pick(["", "-", "0", "+", " ", "#", "-0", "+0"]);
    const width = this.pick(["", "1", "5", "12"]);
    const precision = this.pick(["", "", ".0", ".2", ".5"]);
    return `${this.pick(["", "x", "%%"])}%${flags}${width}${precision}${this.pick("sdrfgeEGixXoca".split(""))}`;
  }

  private braceFormat(): string {
    const align = this.pick(["", "<", ">", "^", "*^", "0=", "=", "é>"]);
    const sign = this.pick(["", "", "+", " ", "-"]);
    const grouping = this.pick(["", "", ",", "_"]);
    const precision = this.pick(["", "", ".0", ".2", ".3"]);
    const spec = `${align}${sign}${this.pick(["", "#"])}${this.pick(["", "0"])}${this.pick(["", "3", "12"])}${grouping}${precision}`;
    return `${this.pick(["", "{{", "x"])}{${this.pick(["", "0", "!r", "!s"])}:${spec}${this.pick(["", "d", "f", "e", "g", "x", "b", "s", "%", "n"])}}`;
  }

  private slice(): string {
    const bound = () => this.pick(["", "0", "1", "2", "-1", "-2", "10", "n"]);
    return `${bound()}:${bound()}${this.pick(["", "", ":2", ":-1", ":-2", ":"])}`;
  }

  private readonly list: Make = (depth) => {
    if (depth <= 0) return this.pick(["l", "w", "p", "[]", "[1, 2, 3]", "['x', 'y']", "(1, 2)", "(1,)"]);
    const a = () => this.expression("list", depth - 1);
    const any = () => this.expression("any", depth - 1);
    return this.pick([
      () => `[${any()}, ${any()}]`,
      () => `(${any()}, ${any()})`,
      () => `(${a()} + ${a()})`,
      () => `(${a()} * 2)`,
      () => `range(${this.below(6)})|list`,
      () => `range(${this.below(6)}, ${this.below(9)}, ${this.pick(["1", "2", "-1"])})`,
      () => `${a()}[${this.slice()}]`,
      () => `${a()}|${this.listFilter()}`,
      () => `${a()}|${this.listFilter()}`,
      () => `${this.expression("str", depth - 1)}|list`,
      () => `${this.expression("str", depth - 1)}.split(${this.pick(["", "','", "' '"])})`,
      () => `${this.expression("dict", depth - 1)}.${this.pick(["items", "keys", "values"])}()|list`,
      () => `${this.expression("dict", depth - 1)}|dictsort`,
    ])();
  };

  private listFilter(): string {
    return this.pick([
      "sort",
      "sort(reverse=true)",
      "sort(case_sensitive=true)",
      "unique|list",
      "list",
      "reverse|list",
      "batch(2)|list",
      "batch(2, 'z')|list",
      "slice(2)|list",
      "slice(3, 0)|list",
      "map('string')|list",
      "map('upper')|list",
      "map(attribute='k')|list",
      "map(attribute='n', default='q')|list",
      "select|list",
      "reject('none')|list",
      "select('string')|list",
      "select('gt', 1)|list",
      "selectattr('v', 'gt', 1)|list",
      "rejectattr('n')|list",
      "groupby('k')",
      "sort(attribute='k')",
      "sort(attribute='v,k')",
      "first",
      "last",
      "min",
      "max",
      "max(attribute='v')",
      "sum",
      "sum(attribute='v')",
      "join",
      "join(', ', attribute='k')",
      "length",
      "tojson",
      "pprint",
      "unique(attribute='k')|list",
      "tojson(indent=2)",
      "map('length')|list",
      "map('default', 'x')|list",
      "select('odd')|list",
      "map('int')|list",
      "items|list",
      "groupby('v')|map('first')|list",
    ]);
  }

  private readonly dict: Make = (depth) => {
    if (depth <= 0) return this.pick(["d", "{}", "{'a': 1}", "{1: 'x', 'k': none}", "p[0]"]);
    const any = () => this.expression("any", depth - 1);
    return this.pick([
      () => `{'a': ${any()}, 'b': ${any()}}`,
      () => `dict(a=${any()}, b=${any()})`,
      () => `{${this.expression("int", depth - 1)}: ${any()}}`,
      () => `dict(${this.expression("dict", depth - 1)}, q=1)`,
      () => `d.copy()`,
    ])();
  };

  private readonly bool: Make = (depth) => {
    if (depth <= 0) return this.pick(["yes", "no", "true", "false"]);
    const any = () => this.expression("any", depth - 1);
    const number = () => this.expression(this.pick(["int", "float"]), depth - 1);
    return this.pick([
      () => `(${number()} ${this.pick(["<", "<=", ">", ">=", "==", "!="])} ${number()})`,
      () => `(${number()} < ${number()} <= ${number()})`,
      () => `(${any()} == ${any()})`,
      () =>
        `(${any()} ${this.pick(["in", "not in"])} ${this.expression(this.pick(["list", "str", "dict"]), depth - 1)})`,
      () => `(not ${any()})`,
      () => `(${any()} is ${this.pick(["", "not "])}${this.test()})`,
      () => `(${any()} is ${this.test()})`,
    ])();
  };

  private test(): string {
    return this.pick([
      "defined",
      "undefined",
      "none",
      "string",
      "number",
      "integer",
      "float",
      "boolean",
      "mapping",
      "sequence",
      "iterable",
      "callable",
      "odd",
      "even",
      "divisibleby 3",
      "divisibleby(2)",
      "lower",
      "upper",
      "true",
      "false",
      "eq 1",
      "ne('a')",
      "gt 1",
      "lt(2)",
      "in [1, 2]",
      "escaped",
      "sameas none",
      "filter",
      "test",
    ]);
  }

  private readonly any: Make = (depth) => {
    if (depth <= 0) {
      const safe = ["nil", "none", "d.a", "d.c.d", "p[0].k", "d['b']", "l[1]", "s", "n", "yes", "w[0]", "d.get('b')"];
      return this.pick(this.chance(0.1) ? ["missing", "l[9]", "d.zz", "loop", "x", "y"] : safe);
    }
    const any = () => this.expression("any", depth - 1);
    return this.pick([
      () => this.expression(this.pick(["int", "float", "str", "list", "dict", "bool"]), depth),
      () => this.expression(this.pick(["int", "float", "str", "list", "dict", "bool"]), depth),
      () => this.expression(this.pick(["int", "float", "str", "list", "dict", "bool"]), depth),
      () => `(${any()} if ${any()} else ${any()})`,
      () => `(${any()} ${this.pick(["and", "or"])} ${any()})`,
      () => `(${any()})|default(${any()})`,
      () => `(${this.expression("dict", depth - 1)}).get('${this.pick(["a", "b", "q"])}'${this.pick(["", ", 0"])})`,
      () => `${this.expression("list", depth - 1)}[${this.pick(["0", "-1", "1", "7"])}]`,
    ])();
  };

  private expression(kind: Kind, depth: number): string {
    const makes: Record<Kind, Make> = {
      int: this.int,
      float: this.float,
      str: this.str,
      list: this.list,
      dict: this.dict,
      bool: this.bool,
      any: this.any,
    };
    return makes[this.chance(0.02) ? "any" : kind](depth);
  }

  private tag(content: string): string {
    const sign = () => this.pick(["", "", "", "", "-", "+"]);
    return `{%${sign()} ${content} ${sign()}%}`;
  }

  private text(): string {
    return this.pick(["a", " b ", "\n", "  \n", "- k: ", "\n  x: ", "\t", "", "  ", "\n\n", "{ }", "# c", "}}", "%"]);
  }

  private statement(depth: number): string {
    const kind: Kind = this.pick(["int", "float", "str", "list", "dict", "bool", "any"]);
    const value = () => this.expression(kind, 1 + this.below(3));
    if (depth <= 0 || this.chance(0.45))
      return `${this.text()}{{${this.pick(["", "-"])} ${value()} ${this.pick(["", "-"])}}}${this.text()}`;
    const body = () => this.body(depth - 1);
    return (
      this.text() +
      this.pick([
        () =>
          `${this.tag(`if ${value()}`)}${body()}${this.chance(0.4) ? this.tag(`elif ${value()}`) + body() : ""}${this.chance(0.5) ? this.tag("else") + body() : ""}${this.tag("endif")}`,
        () => this.loop(depth),
        () => this.loop(depth),
        () => this.tag(`set ${this.pick(["x", "y", "n"])} = ${value()}`),
        () => `${this.tag(`set ${this.pick(["x", "y"])}${this.pick(["", " | upper"])}`)}${body()}${this.tag("endset")}`,
        () => `${this.tag(`with x = ${value()}, y = x`)}${body()}${this.tag("endwith")}`,
        () =>
          `${this.tag(`filter ${this.pick(["upper", "trim", "replace('a', 'b')", "indent(2)", "title"])}`)}${body()}${this.tag("endfilter")}`,
        () =>
          `${this.tag("macro m(x, y=1)")}${body()}${this.pick(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}"])}${this.tag("endmacro")}{{ m(${value()}${this.pick(["", ", 2", ", y=3", ", 1, 2"])}) }}`,
        () =>
          `${this.tag("macro c(q)")}[{{ caller(q) }}]${this.tag("endmacro")}${this.tag(`call(x) c(${value()})`)}${body()}${this.tag("endcall")}`,
        () => `{#${this.pick(["", "-", "+"])} c ${this.pick(["", "-", "+"])}#}`,
        () => `${this.tag("raw")}{{ x }}${this.text()}${this.tag("endraw")}`,
        () =>
          `${this.tag(`set ns = namespace(c=0)`)}${this.tag(`for i in [1, 2]`)}${this.tag("set ns.c = ns.c + i")}${body()}${this.tag("endfor")}{{ ns.c }}`,
        () => `${this.tag(`autoescape ${this.pick(["true", "false"])}`)}${body()}${this.tag("endautoescape")}`,
      ])()
    );
  }

  private loop(depth: number): string {
    const sequence = this.expression(this.pick(["list", "list", "str", "dict"]), 1 + this.below(2));
    const condition = this.chance(0.25) ? ` if ${this.expression("bool", 1)}` : "";
    const loopValue = this.chance(0.6)
      ? `{{ loop.${this.pick(["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "cycle('a', 'b')", "changed(x)"])} }}`
      : "";
    const otherwise = this.chance(0.2) ? this.tag("else") + this.body(depth - 1) : "";
    return `${this.tag(`for x in ${sequence}${condition}`)}${loopValue}${this.body(depth - 1)}${otherwise}${this.tag("endfor")}`;
  }

  private body(depth: number): string {
    let text = this.text();
    for (let count = this.below(3); count > 0; count--) text += this.statement(depth);
    return text + this.text();
  }
}
