// How two renderings differ, as a unified diff. It knows texts and colours only.
import { createTwoFilesPatch } from "diff";
import { EXIT } from "./outcome.ts";
import { type Colour, painter, printableLines } from "./print.ts";
import type { RenderHost } from "./render-subject.ts";

type Named = { readonly name: string; readonly text: string };

/** Prints what changes from one to the other; the exit code tells whether anything does. */
export function showDifference(
  host: Pick<RenderHost, "stdout" | "environment" | "endWith">,
  from: Named,
  to: Named,
): void {
  if (from.text === to.text) {
    host.stdout.write("no difference\n");
    return;
  }
  const paint = painter(host);
  const patch = createTwoFilesPatch(from.name, to.name, from.text, to.text, undefined, undefined, { context: 3 });
  const [, ...lines] = printableLines(patch).trimEnd().split("\n");
  host.stdout.write(`${lines.map((line) => painted(line, paint)).join("\n")}\n`);
  host.endWith(EXIT.notWell);
}

const COLOURS: readonly (readonly [beginning: string, colour: Colour])[] = [
  ["+++", "bold"],
  ["---", "bold"],
  ["@@", "dim"],
  ["+", "green"],
  ["-", "red"],
];

function painted(line: string, paint: ReturnType<typeof painter>): string {
  const colour = COLOURS.find(([beginning]) => line.startsWith(beginning))?.[1];
  return colour === undefined ? line : paint(colour, line);
}
