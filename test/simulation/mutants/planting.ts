// Plants a fault: copies the code and the simulation into a directory of their own, with one text replaced. Knows files only.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** What the simulation needs to run. */
const COPIED = ["package.json", "src", "test/simulation", "test/random.ts", "test/operations/documents.ts"];

/** The text with the fault in it. @throws Error if the text to be replaced is not there exactly once */
export function planted(text: string, { name, file, from, to }: Mutant): string {
  const pattern = from
    .split(/\s+/)
    .filter((part) => part !== "")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("\\s+");
  const places = [...text.matchAll(new RegExp(pattern, "g"))];
  if (places.length !== 1)
    throw new Error(`the fault "${name}" cannot be planted: its text stands ${places.length} times in src/${file}`);
  return text.replace(new RegExp(pattern), () => to);
}

export const sourceOf = ({ file }: Mutant): string => readFileSync(join(ROOT, "src", file), "utf8");

/** A copy with the fault in it, in a temporary directory. */
export function plant(mutant: Mutant): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "opjob-mutant-"));
  mkdirSync(join(directory, "test/operations"), { recursive: true });
  for (const path of COPIED) cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
  writeFileSync(join(directory, "src", mutant.file), planted(sourceOf(mutant), mutant));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
