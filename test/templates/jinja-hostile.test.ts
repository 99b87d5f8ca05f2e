// Templates that want out, or want everything. Each is refused or harmless, within two seconds.
import { afterEach, describe, expect, test } from "@jest/globals";
import { compileJinja, JinjaError, type JinjaValue } from "../../src/templates/jinja/jinja.ts";

const MOST_MILLISECONDS = 2_000;

/** The output, or the kind of the refusal with the limit that it names. */
function outcome(template: string): string {
  const start = performance.now();
  try {
    return compileJinja(template).render({ x: 1, s: "text", l: [1], d: { k: "v" } });
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    return error.kind === "limit" ? (/^limit (\w+)/.exec(error.message)?.[1] ?? error.message) : error.kind;
  } finally {
    expect(performance.now() - start).toBeLessThan(MOST_MILLISECONDS);
  }
}

const pile = (open: string, middle: string, close: string, count: number): string =>
  open.repeat(count) + middle + close.repeat(count);

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

describe("no template reaches a function or an object of the host", () => {
  test.each([
    ["{{ ''.constructor.constructor('return process')() }}", "undefined"],
    ["{{ [].constructor }}{{ {}.constructor }}{{ (1).constructor }}{{ 1.5.constructor }}{{ true.constructor }}", ""],
    ["{{ range.constructor('return 1')() }}", "undefined"],
    ["{{ s['constructor'] }}{{ s|attr('constructor') }}{{ s['length'] }}{{ l.length }}{{ l.push }}{{ d.size }}", ""],
    ["{{ [s]|map(attribute='constructor.constructor')|list }}", "undefined"],
    ["{{ [s]|map(attribute='length')|list }}", "[Undefined]"],
    ["{{ l|map('constructor')|list }}", "runtime"],
    ["{{ l|select('toString')|list }}", "runtime"],
    ["{{ x|constructor }}", "syntax"],
    ["{{ x|__proto__ }}", "syntax"],
    ["{{ x is hasOwnProperty }}", "syntax"],
    ["{{ constructor }}{{ __proto__ }}{{ toString }}{{ process }}{{ globalThis }}{{ require }}{{ this }}", ""],
    ["{{ env }}{{ context }}{{ frame }}{{ runtime }}{{ cb }}{{ run }}{{ scope }}{{ given }}", ""],
    ["{{ self.constructor }}{{ self.blocks }}{{ self['__proto__'] }}", ""],
    ["{% for i in l %}{{ loop.constructor }}{{ loop.iterator }}{{ loop.sequence }}{{ loop.descend }}{% endfor %}", ""],
    ["{% macro m() %}{% endmacro %}{{ m.constructor }}{{ m.body }}{{ m.shape }}{{ m.call }}", ""],
    ["{{ 'a'.upper.call }}{{ 'a'.upper.bind }}{{ d.items.constructor }}", ""],
    ["{{ namespace().fields }}{{ cycler(1).constructor }}{{ joiner().separator }}{{ (l|map('int')).iterator }}", ""],
    ["{{ '{0.constructor}'.format(s) }}", "runtime"],
    ["{{ '{0.__class__.__mro__}'.format(s) }}", "runtime"],
    ["{{ '{0[constructor]}'.format(d) }}", "runtime"],
    ["{{ '%(constructor)s' % d }}", "runtime"],
    ["{{ s.__class__.__mro__[1].__subclasses__() }}", "unsupported"],
    ["{{ cycler.__init__.__globals__.os.popen('id').read() }}", "unsupported"],
    ["{{ s|attr('__class__') }}", "unsupported"],
    ["{{ s['__class__'] }}", "unsupported"],
    ["{{ lipsum.__globals__ }}", "unsupported"],
    ["{{ self.__init__ }}", "unsupported"],
  ])("%s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });
});

describe("no text of a template becomes code", () => {
  test.each([
    ["{{ a`b` }}", "syntax"],
    ['{{ a"]; process.exit(1) // }}', "syntax"],
    ["{{ a$".concat("{process.exit(1)} }}"), "syntax"],
    ["{{ a\\u0022 }}", "syntax"],
    ["{% set a\u2028b = 1 %}", "syntax"],
    ["{% macro m(a=1, 'x') %}{% endmacro %}", "syntax"],
    ["{% block x}}process.exit(1){% endblock %}", "syntax"],
    ["{{ '$' ~ '{process.exit(1)}' }}{{ '`+process.exit(1)+`' }}", "$".concat("{process.exit(1)}`+process.exit(1)+`")],
    ['"); process.exit(1); ("', '"); process.exit(1); ("'],
    ["{% set constructor = 1 %}{% set eval = 2 %}{{ constructor }}{{ eval }}", "12"],
  ])("%s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });
});

describe("no template changes the prototypes of the host", () => {
  test.each([
    ["{% set x = {'__proto__': {'polluted': 1}} %}{{ {}.polluted }}", ""],
    ["{{ d.update({'__proto__': {'polluted': 1}}) or '' }}{{ {}.polluted }}", ""],
    ["{{ dict(__proto__=1) }}", "{'__proto__': 1}"],
    ["{% set ns = namespace() %}{% set ns.__proto__ = {'polluted': 1} %}{{ ns.polluted }}{{ {}.polluted }}", ""],
    ["{% set __proto__ = {'polluted': 1} %}{{ polluted }}", ""],
    [
      "{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(__proto__=1, constructor=2) }}",
      "{'__proto__': 1, 'constructor': 2}",
    ],
    ["{{ d.setdefault('constructor', {}).update({'polluted': 1}) or '' }}{{ s.polluted }}", ""],
    ["{{ '{__proto__}'.format(**{'__proto__': 1}) }}", "1"],
  ])("%s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });

  test("a key of the context named __proto__ is only a key", () => {
    const context = JSON.parse('{"d": {"__proto__": {"polluted": 1}}, "__proto__": {"polluted": 1}}') as Record<
      string,
      JinjaValue
    >;
    expect(compileJinja("{{ d }}{{ {}.polluted }}{{ polluted }}").render(context)).toBe(
      "{'__proto__': {'polluted': 1}}",
    );
  });
});

describe("no template reads another one, or a file", () => {
  test.each(["include '/etc/passwd'", "import 'os' as os", "from 'x' import y", "extends '/etc/passwd'"])(
    "%s",
    (tag) => {
      expect(outcome(`{% ${tag} %}`)).toBe("unsupported");
    },
  );
});

describe("no template runs for long", () => {
  test.each([
    ["{% for i in range(10 ** 10) %}{% endfor %}", "steps"],
    ["{{ range(10 ** 12)|sum }}", "steps"],
    ["{{ range(10 ** 9)|select('none')|list }}", "steps"],
    ["{{ -1 in range(10 ** 9)|map('abs') }}", "steps"],
    ["{% set l = [1] %}{% for i in l %}{{ l.append(1) or '' }}{% endfor %}", "steps"],
    ["{% set l = range(90000)|list %}{% for i in l %}{{ -1 in l }}{% endfor %}", "steps"],
    ["{% set l = range(90000)|list %}{% for i in l %}{{ l == l }}{% endfor %}", "steps"],
    ["{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s.find('b') }}{% endfor %}", "steps"],
    ["{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ {s: 1}[s] }}{% endfor %}", "steps"],
    ["{% set s = 'é😀' * 300000 %}{% for i in range(100000) %}{{ s[1] }}{% endfor %}", "steps"],
    ["{% set s = 'é😀' * 300000 %}{% for i in range(100000) %}{{ s.swapcase()|length }}{% endfor %}", "steps"],
    ["{% set s = 'é😀' * 300000 %}{% for i in range(100000) %}{{ s|wordwrap|length }}{% endfor %}", "steps"],
    ["{% set n = 2 ** 14000 %}{% for i in range(100000) %}{{ n|string|length }}{% endfor %}", "steps"],
    ["{% set n = 'f' * 4000 %}{% for i in range(100000) %}{{ n|int(base=16) and '' }}{% endfor %}", "steps"],
    [
      "{% set ns = namespace(t=(1,)) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ {ns.t: 1} }}",
      "steps",
    ],
    [
      "{% set ns = namespace(t=[1]) %}{% for i in range(60) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t|pprint }}",
      "steps",
    ],
    ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"],
    ["{% macro m() %}{% for i in range(9) %}{{ m() }}{% endfor %}{% endmacro %}{{ m() }}", "recursion"],
    ["{% for i in [1, 1] recursive %}{{ loop([1, 1]) }}{% endfor %}", "recursion"],
    ["{% block a %}{{ self.a() }}{% endblock %}", "recursion"],
  ])("%s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });
});

describe("no template takes much memory", () => {
  test.each([
    ["{{ range(10 ** 9)|list }}", "steps"],
    ["{{ [0] * 10 ** 9 }}", "sequenceLength"],
    ["{{ [1]|batch(10 ** 9, 'x')|list }}", "sequenceLength"],
    ["{{ {}.fromkeys(range(10 ** 9)) }}", "steps"],
    ["{% set a, b = range(10 ** 9) %}", "steps"],
    ["{{ 'a' * 10 ** 9 }}", "stringSize"],
    ["{{ s.center(10 ** 9) }}", "stringSize"],
    ["{{ '%*d' % (10 ** 9, 1) }}", "stringSize"],
    ["{{ '%.1000000000f' % 1 }}", "stringSize"],
    ["{{ '{:{}}'.format(1, 10 ** 9) }}", "stringSize"],
    ["{{ s|indent(10 ** 9) }}", "stringSize"],
    ["{{ [1]|tojson(indent=10 ** 9) }}", "stringSize"],
    ["{% set t = 'a' * 500000 %}{{ t.replace('a', t) }}", "stringSize"],
    ["{{ (['b' * 1000000] * 100)|join }}", "stringSize"],
    ["{% set ns = namespace(t='a') %}{% for i in range(99) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}", "stringSize"],
    ["{% set x %}{% for i in range(90000) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}{% endset %}", "stringSize"],
    ["{% for i in range(90000) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}", "outputSize"],
    ["{{ 2 ** (10 ** 9) }}", "integerBits"],
    ["{% set ns = namespace(n=3) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}", "integerBits"],
    ["{% set l = [] %}{% for i in range(1000) %}{{ l.append('a' * 1000000) or '' }}{% endfor %}", "steps"],
    ["{% set l = [] %}{% for i in range(9999) %}{{ l.append(range(90000)|list) or '' }}{% endfor %}", "steps"],
  ])("%s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });
});

describe("no template is too deep for the stack", () => {
  test.each([
    ["brackets", `{{ ${pile("(", "1", ")", 5_000)} }}`, "nesting"],
    ["lists", `{{ ${pile("[", "1", "]", 50_000)} }}`, "nesting"],
    ["signs", `{{ ${"-".repeat(50_000)}1 }}`, "nesting"],
    ["nots", `{{ ${"not ".repeat(50_000)}1 }}`, "nesting"],
    ["sums", `{{ 1${" + 1".repeat(50_000)} }}`, "nesting"],
    ["filters", `{{ 1${"|abs".repeat(50_000)} }}`, "nesting"],
    ["attributes", `{{ d${".k".repeat(50_000)} }}`, "nesting"],
    ["conditions", `{{ 1${" if 1 else 1".repeat(5_000)} }}`, "nesting"],
    ["ifs", pile("{% if 1 %}", "x", "{% endif %}", 5_000), "nesting"],
    ["elifs", `{% if 0 %}${"{% elif 0 %}".repeat(9_000)}{% endif %}`, "nesting"],
    ["lists in lists", "{% set l = [] %}{{ l.append(l) or '' }}{{ l|tojson }}", "nesting"],
    ["lists in namespaces", "{% set n = namespace() %}{% set n.n = n %}{{ n }}", "nesting"],
    [
      "many levels",
      "{% set n = namespace(t=[]) %}{% for i in range(9000) %}{% set n.t = [n.t] %}{% endfor %}{{ n.t }}",
      "nesting",
    ],
    ["a list that holds itself prints dots", "{% set l = [1] %}{{ l.append(l) or '' }}{{ l }}", "[1, [...]]"],
  ])("%s", (_name, template, expected) => {
    expect(outcome(template)).toBe(expected);
  });
});

describe("no source takes long to read", () => {
  test.each([
    ["braces", "{".repeat(300_000), "nesting"],
    ["tags", "{%".repeat(300_000), "syntax"],
    ["comments", "{# ".repeat(300_000), "syntax"],
    ["raw", `{% raw %}${"{% ".repeat(300_000)}`, "syntax"],
    ["digits", `{{ ${"1".repeat(300_000)} }}`, "a number has too many digits"],
    ["an open string", `{{ '${"a".repeat(300_000)} }}`, "syntax"],
    ["arguments", `{{ f(${"1,".repeat(20_000)}) }}`, "undefined"],
    ["parameters", `{% macro m(${Array.from({ length: 20_000 }, (_, at) => `a${at}`).join()}) %}{% endmacro %}`, ""],
    ["names", Array.from({ length: 3_000 }, (_, at) => `{% if 0 %}{% set a${at} = 1 %}{% endif %}`).join(""), ""],
    ["names in loops", pile("{% for i in [] %}", "{{ a }}".repeat(10_000), "{% endfor %}", 90), ""],
    ["more tokens than the bound", "{{ a }}".repeat(50_000), "templateTokens"],
  ])("%s", (_name, template, expected) => {
    expect(outcome(template)).toBe(expected);
  });

  test("a source above the bound is not read at all", () => {
    expect(outcome("x".repeat(1_048_577))).toBe("templateSize");
  });
});
