// What random templates are made of: the context that they are rendered with, literals, and the filters, methods and tests that
// roughly fit a kind of value. Tables only.

export type Kind = "int" | "float" | "str" | "list" | "dict" | "bool" | "any";

export const CONTEXT = {
  n: 7,
  m: -3,
  z: 0,
  f: 2.5,
  g: 1e21,
  big: 9007199254740991,
  s: "Hello World",
  t: "  a,b;c-d\n\tE_f  ",
  u: "äß😀'\"\\x",
  h: "<a href='x'>T &amp; \"q\"</a>",
  e: "",
  l: [3, 1, 2],
  w: ["b", "A", "c", "a", "B"],
  p: [
    { k: "x", v: 1 },
    { k: "y", v: 2, n: null },
    { k: "X", v: 3 },
  ],
  r: [
    ["a", 1],
    ["b", 2],
  ],
  tree: [1, [2, [3, []]], [4]],
  d: { b: 1, a: [1, 2], c: { d: "e" } },
  env: { API_URL: "http://teams-api:80", FLAG: "1", EMPTY: "", COUNT: 3 },
  yes: true,
  no: false,
  nil: null,
  _id: "65f1c0ffee1234567890abcd",
  _name: "compute-65f1c0ffee",
  _args: ["delegated", "execute", "--id", "65f1c0ffee1234567890abcd", 'say "hi"'],
};

export const INTEGERS = [
  "n",
  "m",
  "z",
  "0",
  "1",
  "2",
  "3",
  "10",
  "12345678901234567890",
  "big",
  "0x1F",
  "0b101",
  "0o17",
  "1_000",
];
export const FLOATS = ["f", "g", "0.5", "1.0", "1e16", "1e-7", "2.675", "3.14159", "100.0", "1_0.5", "1E3", "2.5e+3"];
export const TEXTS = [
  "s",
  "t",
  "u",
  "h",
  "e",
  "_id",
  "_name",
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
  "'\\x41\\u00e9\\101\\t'",
  "'\\q\\\\'",
  "'a' 'b' \"c\"",
  "'line\nbreak'",
  "''",
  "('<i>'|safe)",
  "('<b>'|e)",
];
export const LISTS = [
  "l",
  "w",
  "p",
  "r",
  "tree",
  "_args",
  "[]",
  "[1, 2, 3]",
  "['x', 'y',]",
  "(1, 2)",
  "(1,)",
  "()",
  "range(4)",
];
export const DICTS = ["d", "env", "{}", "{'a': 1}", "{1: 'x', 'k': none}", "p[0]", "{'a': 1, 'b': [2],}", "dict(a=1)"];
export const OTHERS = [
  "nil",
  "none",
  "d.a",
  "d.c.d",
  "p[0].k",
  "d['b']",
  "l[1]",
  "s",
  "n",
  "yes",
  "w[0]",
  "d.get('b')",
  "_args.0",
];
export const MISSING = ["missing", "l[9]", "d.zz", "loop", "x", "y", "caller", "varargs"];

export const TEXT_FILTERS = (
  "upper|lower|title|capitalize|trim|reverse|e|string|striptags|center(12)|center(width=9)|indent(2)|indent(3, true)|" +
  "indent(2, blank=true)|indent('> ', first=true)|replace('a', 'bb')|replace('', '.')|replace('b', '', 1)|truncate(5)|" +
  "truncate(6, true, '..', 0)|truncate(7, leeway=1)|truncate(length=9, end='')|wordwrap(5)|wordwrap(4, false)|" +
  "wordwrap(6, wrapstring='/')|default('d')|default('d', true)|default(default_value='q', boolean=true)|format(n)|urlize|first|last|" +
  "forceescape|trim('a')|trim(chars='aH ')|escape|list|join|urlencode|safe|tojson|pprint|length|int|float|wordcount|attr('upper')"
).split("|");
export const TEXT_METHODS = (
  "upper()|lower()|title()|capitalize()|swapcase()|casefold()|strip()|lstrip()|rstrip()|strip(' a')|center(9)|center(8, '*')|ljust(8)|" +
  "rjust(8, '.')|zfill(8)|expandtabs(4)|replace('a', 'b')|replace('', '-', 2)|split()|split(',')|split(None, 1)|rsplit(' ', 1)|" +
  "rsplit(None, 1)|split(sep=',', maxsplit=1)|splitlines()|splitlines(true)|partition('b')|rpartition('a')|join(['1', '2'])|join(w)|" +
  "startswith('a')|endswith(('b', 'c'))|find('b')|rfind('a', 1)|index('a')|count('a', 1)|removeprefix('a')|removesuffix('c')|isdigit()|" +
  "isalpha()|isupper()|istitle()|isspace()|isalnum()|isidentifier()|islower()|isnumeric()|format(n, s)|format(*l)|format(**d)|" +
  "isprintable()|isascii()|zfill(3)|encode()|encode('ascii', 'replace')|translate({97: 'Z'})|format_map(d)"
).split("|");
export const LIST_FILTERS = (
  "sort|sort(reverse=true)|sort(case_sensitive=true)|sort(attribute='k')|sort(attribute='v,k')|unique|unique(attribute='k')|" +
  "unique(case_sensitive=true)|list|reverse|batch(2)|batch(2, 'z')|slice(2)|slice(3, 0)|map('string')|map('upper')|map('join')|" +
  "map(attribute='k')|map(attribute='n', default='q')|map('length')|map('default', 'x')|map('int')|map('first')|map('replace', 'a', 'b')|" +
  "select|reject('none')|select('string')|select('gt', 1)|select('odd')|select('in', [1, 'a'])|selectattr('v', 'gt', 1)|selectattr('k')|" +
  "rejectattr('n')|rejectattr('k', 'in', ['x'])|groupby('k')|groupby('v', default=0)|groupby(0)|items|first|last|min|max|" +
  "max(attribute='v')|min(case_sensitive=true)|sum|sum(attribute='v')|sum(start=10)|join|join(', ', attribute='k')|join('-')|length|" +
  "tojson|tojson(indent=2)|pprint|string|count|urlencode|random|d([])"
)
  .split("|")
  .filter((one) => one !== "random");
export const DICT_FILTERS =
  "dictsort|dictsort(by='value')|dictsort(true, reverse=true)|items|list|length|tojson|pprint|xmlattr|urlencode|string|first|last|map('upper')|join(',')".split(
    "|",
  );
export const LIST_METHODS =
  "index(1)|count(1)|copy()|append(5)|extend([6, 7])|insert(0, 8)|pop()|pop(0)|remove(1)|reverse()|sort()|sort(reverse=true)|clear()|nosuch()|index('q')".split(
    "|",
  );
export const DICT_METHODS =
  "get('a')|get('q', 0)|items()|keys()|values()|copy()|pop('a')|pop('q', none)|setdefault('a', 9)|update(a=2)|update({'z': 1})|popitem()|clear()|fromkeys([1, 2], 3)".split(
    "|",
  );
export const TESTS = (
  "defined|undefined|none|string|number|integer|float|boolean|mapping|sequence|iterable|callable|odd|even|divisibleby 3|divisibleby(2)|" +
  "lower|upper|true|false|eq 1|equalto('a')|ne('a')|gt 1|ge(0)|lt(2)|le 3|in [1, 2]|in(w)|escaped|sameas none|sameas(true)|filter|test|" +
  "greaterthan(1)|lessthan 5"
).split("|");
export const LOOP_PARTS = (
  "index|index0|first|last|length|revindex|revindex0|previtem|nextitem|depth|depth0|cycle('a', 'b')|changed(x)|previtem.k|" +
  "nextitem.k|nosuch"
).split("|");

export const PLAIN = [
  "a",
  " b ",
  "\n",
  "  \n",
  "- k: ",
  "\n  x: ",
  "\t",
  "",
  "  ",
  "\n\n",
  "{ }",
  "# c",
  "}}",
  "%",
  "%}",
  "#}",
  "\r\n",
  "\r",
  "\u00a0\n",
];
