// Texts among values: taking one from a value, padding, joining.
// It knows values and sizes; each text that grows is checked before it is made.
import { typeFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { each } from "./sequences.ts";
import { codePointCount } from "./text.ts";
import { isText, textOf, typeName, type Value } from "./values.ts";

/** @throws Fault TypeError */
export function requireText(value: Value): string {
  if (!isText(value)) throw typeFault(`a ${typeName(value)} is not a text`);
  return textOf(value);
}

/** `fill` must be one character. @throws Fault TypeError or Limit */
export function pad(run: Run, text: string, sides: { left: number; right: number }, fill: string): string {
  if (codePointCount(fill) !== 1) throw typeFault("the fill must be one character");
  const left = Math.max(0, sides.left);
  const right = Math.max(0, sides.right);
  run.checkString(text.length + (left + right) * fill.length);
  return fill.repeat(left) + text + fill.repeat(right);
}

/** Python puts the odd space to the left where the width is odd, and to the right else. */
export function center(run: Run, text: string, width: number, fill = " "): string {
  const space = Math.max(0, width - codePointCount(text));
  const left = Math.floor(space / 2) + (space % 2 === 1 && width % 2 === 1 ? 1 : 0);
  return pad(run, text, { left, right: space - left }, fill);
}

/** `separator.join(values)`: every element must be a text. @throws Fault TypeError or Limit */
export function joinStrict(run: Run, separator: string, values: Value): string {
  const parts: string[] = [];
  let size = 0;
  for (const value of each(run, values)) {
    const text = requireText(value);
    size += text.length + separator.length;
    run.checkAppend(size, text.length + separator.length);
    parts.push(text);
  }
  return parts.join(separator);
}
