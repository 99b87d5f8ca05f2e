// What `encode()` makes of a text: bytes, which a template can print, count and turn back.
// It knows three encodings.
import { asciiOnly } from "./format-percent.ts";
import { valueFault } from "./jinja-error.ts";
import type { Run } from "./run.ts";
import { native } from "./signature.ts";
import { codePoints } from "./text.ts";
import { requireText } from "./text-values.ts";
import { Callable, Opaque, type Value } from "./values.ts";

const LAST_CODE: Readonly<Record<string, number>> = { ascii: 0x7f, latin1: 0xff, utf8: 0x10ffff };
const ALIASES: Readonly<Record<string, string>> = { usascii: "ascii", iso88591: "latin1" };

function encodingOf(name: Value): string {
  const plain = requireText(name).toLowerCase().replace(/[-_ ]/g, "");
  const encoding = ALIASES[plain] ?? plain;
  if (!Object.hasOwn(LAST_CODE, encoding)) throw valueFault(`there is no encoding '${plain.slice(0, 40)}' here`);
  return encoding;
}

function characterOf(byte: number): string {
  const short: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };
  const known = short[byte];
  if (known !== undefined) return known;
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
}

export class Bytes extends Opaque {
  readonly typeName = "bytes";
  private readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    super();
    this.data = data;
  }
  override readonly count = (): number => this.data.length;
  override readonly walk = (): Iterator<Value, void, undefined> => Array.from(this.data, BigInt).values();
  override describe(run: Run): string {
    run.checkString(this.data.length * 4);
    const text = Array.from(this.data, characterOf).join("");
    if (text.includes("'") && !text.includes('"')) return `b"${text}"`;
    return `b'${text.replaceAll("'", "\\'")}'`;
  }
  override attribute(_run: Run, name: string): Value | undefined {
    if (name === "decode")
      return new Callable(
        "decode",
        native("decode", "encoding=", (_, code = "utf-8") => this.decode(code)),
      );
    if (name === "hex") return new Callable("hex", () => Buffer.from(this.data).toString("hex"));
    return undefined;
  }
  private decode(code: Value): string {
    const encoding = encodingOf(code);
    if (encoding === "latin1") return Buffer.from(this.data).toString("latin1");
    if (encoding === "ascii" && this.data.some((byte) => byte > 0x7f)) throw valueFault("the bytes are not ASCII");
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.data);
    } catch {
      throw valueFault("the bytes are not UTF-8");
    }
  }
}

/** What stands for a character that an encoding lacks. */
const SUBSTITUTES: Readonly<Record<string, (character: string) => string>> = {
  ignore: () => "",
  replace: () => "?",
  xmlcharrefreplace: (character) => `&#${character.codePointAt(0) ?? 0};`,
  backslashreplace: asciiOnly,
};

/** `text.encode(encoding, errors)`. @throws Fault ValueError or Limit */
export function encodeText(run: Run, text: string, code: Value, errors: Value): Bytes {
  const encoding = encodingOf(code);
  const last = LAST_CODE[encoding] ?? 0;
  const fits = (character: string): boolean => (character.codePointAt(0) ?? 0) <= last && character.isWellFormed();
  run.checkString(text.length);
  run.chargeCharacters(text.length);
  const encoded = codePoints(text)
    .map((character) => (fits(character) ? character : substitute(requireText(errors), character)))
    .join("");
  run.checkString(encoded.length);
  return new Bytes(encoding === "utf8" ? new TextEncoder().encode(encoded) : Buffer.from(encoded, "latin1"));
}

function substitute(errors: string, character: string): string {
  if (!Object.hasOwn(SUBSTITUTES, errors)) throw valueFault("the text has a character that its encoding does not have");
  return SUBSTITUTES[errors]?.(character) ?? "";
}
