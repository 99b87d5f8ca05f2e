// What the room's door promises, as documentation.
import { describe, expect, test } from "@jest/globals";
import { compileJinja, JinjaError, type JinjaOptions, type JinjaValue } from "../../src/templates/jinja/jinja.ts";

function render(template: string, context: Record<string, JinjaValue> = {}, options: JinjaOptions = {}): string {
  return compileJinja(template, options).render(context);
}

function failure(act: () => unknown): JinjaError {
  try {
    act();
  } catch (error) {
    if (error instanceof JinjaError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("an ordinary Job template is rendered with the lines that its tags leave", () => {
  const template = "args:\n{% for arg in _args %}\n  - {{ arg }}\n{% endfor %}\n";
  expect(render(template, { _args: ["delegated", "execute"] })).toBe("args:\n\n  - delegated\n\n  - execute\n");
});

test("a template is compiled once and rendered many times, and nothing is kept between renderings", () => {
  const template = compileJinja("{% set n = n + 1 %}{{ n }}{{ l.append(n) or '' }}{{ l }}");
  const context = { n: 1, l: [] };
  expect(template.render(context)).toBe("2[2]");
  expect(template.render(context)).toBe("2[2]");
  expect(context).toEqual({ n: 1, l: [] });
});

describe("white space", () => {
  test("the last line end goes, unless it is to be kept", () => {
    expect(render("a\n")).toBe("a");
    expect(render("a\n", {}, { keepTrailingNewline: true })).toBe("a\n");
  });

  test("trimBlocks takes the line end after a tag, and '+' keeps it", () => {
    expect(render("{% if 1 %}\nx\n{% endif +%}\ny", {}, { trimBlocks: true })).toBe("x\n\ny");
  });

  test("lstripBlocks takes the indentation of a tag that starts its line, and '+' keeps it", () => {
    expect(render("  {% if 1 %}x\n  {%+ endif %}|", {}, { lstripBlocks: true })).toBe("x\n  |");
  });

  test("'-' takes all white space on its side", () => {
    expect(render("a \n {%- if 1 -%} \n b {%- endif %}")).toBe("ab");
  });
});

describe("values are Python's", () => {
  test.each([
    ["{{ [1, 2.0, 'a', true, none, (1,), {'k': []}] }}", "[1, 2.0, 'a', True, None, (1,), {'k': []}]"],
    ["{{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 100 }} {{ 7 / 2 }}", "-4 2 1267650600228229401496703205376 3.5"],
    ["{{ 'yes' if [] else 'no' }}{{ 'yes' if {} else 'no' }}", "nono"],
    ["{{ 'abc'[::-1] }} {{ [1, 2, 3][-1] }}", "cba 3"],
    ["{{ '%05.1f|%-4s|' % (3.14159, 'a') }} {{ '{:>6,}'.format(1234) }}", "003.1|a   |  1,234"],
    ["{{ 1e16 }} {{ 0.1 + 0.2 }} {{ 1.0 }}", "1e+16 0.30000000000000004 1.0"],
    ["{{ 2.5|round }} {{ 2.675|round(2) }} {{ '%.0f' % 0.5 }}", "2.0 2.67 0"],
    ["{{ '😀a'|length }} {{ '😀a'[1] }}", "2 a"],
  ])("%s", (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test("numbers without a fraction come in as integers, because JSON does not tell them apart", () => {
    expect(render("{{ a }} {{ b }}", { a: 2, b: 2.5 })).toBe("2 2.5");
  });
});

describe("names", () => {
  test("what a loop sets ends with the round; a namespace keeps it", () => {
    expect(render("{% set x = 0 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}")).toBe("0");
    expect(render("{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = i %}{% endfor %}{{ ns.x }}")).toBe(
      "2",
    );
  });

  test("a name that the template sets later is missing in the loops before, as in Jinja2", () => {
    expect(render("{% for i in [1] %}[{{ n }}]{% endfor %}{% set n = 1 %}", { n: 7 })).toBe("[]");
    expect(render("{{ n }}{% for i in [1] %}[{{ n }}]{% endfor %}{% set n = 1 %}", { n: 7 })).toBe("7[7]");
  });

  test("a missing name prints nothing, and fails in any other use", () => {
    expect(render("[{{ missing }}]{{ missing is defined }}")).toBe("[]False");
    expect(failure(() => render("\n{{ missing.name }}"))).toMatchObject({ kind: "undefined", line: 2 });
  });
});

describe("an error says what kind it is and where", () => {
  test.each([
    ["{% if %}", "syntax", 1],
    ["a\nb {{ 1 + }}", "syntax", 2],
    ["\n\n{{ 'x'|nosuch }}", "syntax", 3],
    ["\n{{ nothing() }}", "undefined", 2],
    ["\n{{ 1 + 'a' }}", "runtime", 2],
    ["{% for a in [1,\n2] %}{{\n a / 0 }}{% endfor %}", "runtime", 3],
    ["\n{% include 'other' %}", "unsupported", 2],
    ["\n{% extends 'other' %}", "unsupported", 2],
    ["{% import 'other' as o %}", "unsupported", 1],
    ["{{ range(10 ** 9)|list }}", "limit", 1],
  ])("%j: %s, line %d", (template, kind, line) => {
    expect(failure(() => render(template))).toMatchObject({ kind, line });
  });
});

describe("limits", () => {
  test.each([
    ["templateSize", "{{ 1 }}", { templateSize: 5 }],
    ["outputSize", "{{ 'abc' }}{{ 'abc' }}", { outputSize: 5 }],
    ["stringSize", "{{ ('abc' * 2)|length }}", { stringSize: 5 }],
    ["sequenceLength", "{{ [1, 2, 3]|length }}", { sequenceLength: 2 }],
    ["steps", "{% for i in range(100) %}{% endfor %}", { steps: 50 }],
    ["recursion", "{% macro m(n) %}{{ m(n - 1) if n }}{% endmacro %}{{ m(5) }}", { recursion: 3 }],
    ["nesting", "{{ [[[[1]]]] }}", { nesting: 3 }],
    ["integerBits", "{{ 2 ** 100 }}", { integerBits: 64 }],
  ])("%s is named when it is met", (name, template, limits) => {
    const error = failure(() => render(template, {}, { limits }));
    expect(error.kind).toBe("limit");
    expect(error.message).toContain(name);
  });

  test("a real template stays far below all of them", () => {
    const template = "{% for arg in _args %}\n  - {{ arg }}\n{% endfor %}";
    expect(render(template, { _args: ["a", "b", "c", "d"] }, { limits: { steps: 200 } })).toContain("- d");
  });
});

describe("autoescape", () => {
  test("output is not escaped, unless a block asks for it", () => {
    expect(render("{{ '<' }}{% autoescape true %}{{ x }}{{ x|safe }}{% endautoescape %}", { x: "<" })).toBe("<&lt;<");
  });
});
