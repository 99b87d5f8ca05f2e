// The text without meaning that `lipsum()` gives. It differs from one rendering to the next.
// It knows words only.
import { toCount } from "./numbers.ts";
import type { Run } from "./run.ts";
import { isTrue } from "./sequences.ts";
import { Markup, type Value } from "./values.ts";

const WORDS =
  "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua".split(
    " ",
  );

function paragraph(run: Run, least: number, most: number): string {
  const count = least + Math.floor(Math.random() * Math.max(1, most - least));
  run.checkString(count * 12);
  const words = Array.from({ length: count }, () => WORDS[Math.floor(Math.random() * WORDS.length)] ?? "");
  const text = words.join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** `n` paragraphs of `min` up to `max` words. */
export function loremIpsum(run: Run, ...[n = 5n, html = true, min = 20n, max = 100n]: (Value | undefined)[]): Value {
  const count = Math.max(0, toCount(n));
  run.checkSequence(count);
  const paragraphs = Array.from({ length: count }, () => paragraph(run, Math.max(0, toCount(min)), toCount(max)));
  run.checkString(paragraphs.reduce((size, one) => size + one.length + 8, 0));
  if (!isTrue(html)) return paragraphs.join("\n\n");
  return new Markup(paragraphs.map((one) => `<p>${one}</p>`).join("\n"));
}
