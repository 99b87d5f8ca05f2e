// Templates that want out, or want everything. Each is refused or harmless, within two seconds and little memory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "@jest/globals";
import { compileJinja, type JinjaValue } from "../../src/templates/jinja/jinja.ts";
import { cpuTimer } from "../cpu.ts";
import { CODE, DEEP, LARGE, LONG, POLLUTING, REACHING, SOURCES } from "./hostile.ts";
import { outcome } from "./hostile-outcome.ts";

const MOST_MILLISECONDS = 2_000;

function timed(template: string): string {
  const spent = cpuTimer();
  const result = outcome(template);
  expect(spent()).toBeLessThan(MOST_MILLISECONDS);
  return result;
}

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

describe.each([
  ["no template reaches a function or an object of the host", REACHING],
  ["no text of a template becomes code", CODE],
  ["no template changes the prototypes of the host", POLLUTING],
  ["no template runs for long", LONG],
  ["no template takes much memory", LARGE],
])("%s", (_, templates) => {
  test.each(templates)("%s", (template, expected) => {
    expect(timed(template)).toBe(expected);
  });
});

describe.each([
  ["no template is too deep for the stack", DEEP],
  ["no source takes long to read", SOURCES],
])("%s", (_, templates) => {
  test.each(templates)("%s", (_name, template, expected) => {
    expect(timed(template)).toBe(expected);
  });
});

test("a key of the context named __proto__ is only a key", () => {
  const context = JSON.parse('{"d": {"__proto__": {"polluted": 1}}, "__proto__": {"polluted": 1}}') as Record<
    string,
    JinjaValue
  >;
  expect(compileJinja("{{ d }}{{ {}.polluted }}{{ polluted }}").render(context)).toBe("{'__proto__': {'polluted': 1}}");
});

describe("no template reads another one, or a file", () => {
  test.each(["include '/etc/passwd'", "import 'os' as os", "from 'x' import y", "extends '/etc/passwd'"])(
    "%s",
    (tag) => {
      expect(timed(`{% ${tag} %}`)).toBe("unsupported");
    },
  );
});

test("all of them together run in a process with 64 MB of memory", async () => {
  const child = spawn(process.execPath, ["--max-old-space-size=64", "test/templates/hostile-child.ts"]);
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "close") as Promise<[number]>]);
  expect([code, out.trim()]).toEqual([
    0,
    `${[REACHING, CODE, POLLUTING, LONG, LARGE, DEEP, SOURCES].flat().length} done`,
  ]);
}, 60_000);
