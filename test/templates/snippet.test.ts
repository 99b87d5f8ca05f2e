// What an error shows of a template's line: its structure and its tags, and none of its texts, which may be secret.
import { expect, test } from "@jest/globals";
import { snippetOf } from "../../src/templates/snippet.ts";
import { cpuTimer } from "../cpu.ts";

test.each([
  ["            value: hunter2", "            value: …"],
  ['  - name: "DB_URI" # hunter2', "  - name: … … …"],
  ["  password: {{ secret | tojson }} hunter2", "  password: {{ secret | tojson }} …"],
  ["\tbad: x", "\tbad: …"],
  ["args: [a, {b: c}, 'it''s']", "args: […, {b: …}, …]"],
  ["{% if x %}- hunter2{% endif %}", "{% if x %}- …{% endif %}"],
  ["  - {{ unclosed 'hunter2", "  - {{ unclosed 'hunter2"],
  ["postgres://user:hunter2@host", "…"],
  ['"a/b": hunter2', '"a/b": …'],
  ["", ""],
  ["- - x", "- - …"],
])("%j is shown as %j", (line, shown) => {
  expect(snippetOf(`first\n${line}\nlast`, 2)).toBe(shown);
});

test("a line that is not there, and lines by all kinds of line ends", () => {
  expect(snippetOf("a: b", 7)).toBe("");
  expect(snippetOf("a: 1\r\nb: 2\rc: 3", 3)).toBe("c: …");
});

test("a long line is cut, in no time", () => {
  const spent = cpuTimer();
  expect(snippetOf("- ".repeat(500_000), 1).length).toBeLessThan(110);
  expect(snippetOf(`${"a".repeat(500_000)}: b`, 1).length).toBeLessThan(110);
  expect(spent()).toBeLessThan(500);
});
