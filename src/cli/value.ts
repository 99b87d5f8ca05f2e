// A value that a person hands to a command: from a file or standard input, never from an argument, which other users of the
// machine and the shell's history would see.
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { OpjobError } from "../errors.ts";
import type { Host } from "./host.ts";

/** Kubernetes takes no larger Secret; nothing that is meant here is larger. */
const LARGEST = 1_048_576;

/**
 * @param file a path; "-" or none: standard input
 * @throws OpjobError INPUT_INVALID
 */
export async function readValue({ stdin }: Pick<Host, "stdin">, file: string | undefined): Promise<string> {
  const fromStdin = file === undefined || file === "-";
  if (fromStdin && stdin.isTTY === true) {
    const remedy = "Name a file with --file, or pipe the value in: what is typed here would be seen.";
    throw new OpjobError("INPUT_INVALID", "There is no value.", { remedy });
  }
  const where = fromStdin ? "standard input" : `the file ${file}`;
  const text = textOf(fromStdin ? await buffer(stdin) : await readBytes(file), where);
  if (text === "") throw new OpjobError("INPUT_INVALID", `The value in ${where} is empty.`);
  return text;
}

/** A text from a file that a person names. @throws OpjobError INPUT_INVALID */
export const readText = async (file: string): Promise<string> => textOf(await readBytes(file), `the file ${file}`);

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    throw new OpjobError("INPUT_INVALID", `The file ${file} cannot be read (${code}).`);
  }
}

function textOf(bytes: Buffer, where: string): string {
  if (bytes.length > LARGEST) throw new OpjobError("INPUT_INVALID", `What is in ${where} is larger than 1 MiB.`);
  try {
    // FiftyOne's own programs read a secret as UTF-8 text.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return oneLine(text) ? text.replace(/\r?\n$/, "") : text;
  } catch {
    throw new OpjobError("INPUT_INVALID", `What is in ${where} is not UTF-8 text.`);
  }
}

/** `echo` ends a value with a line end that is not meant; one of many lines is left as it is. */
const oneLine = (text: string): boolean => /^[^\n]*\n?$/.test(text);
