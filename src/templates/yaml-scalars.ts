// What a scalar of YAML 1.1 means without quotes: as PyYAML's safe loader resolves it. Pure: a text in, a value out.
import type { Json } from "./json.ts";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ..."yes Yes YES true True TRUE on On ON".split(" ").map((word) => [word, true] as const),
  ..."no No NO false False FALSE off Off OFF".split(" ").map((word) => [word, false] as const),
]);
const NULLS: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const INTEGER =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;

/** The longest number that is read as one: reading more digits takes time in the square of their number. */
const LONGEST_NUMBER = 400;

export const isNull = (text: string): boolean => NULLS.has(text);

/** Infinity, not-a-number, dates and "=" have no form in JSON: they stay the text that they are written as. */
export function resolvePlain(text: string): Json {
  if (isNull(text)) return null;
  const boolean = BOOLEANS.get(text);
  if (boolean !== undefined) return boolean;
  return numberOf(text) ?? text;
}

const TAGGED: Readonly<Record<string, (text: string) => Json | undefined>> = {
  "tag:yaml.org,2002:str": (text) => text,
  "tag:yaml.org,2002:timestamp": (text) => text,
  "tag:yaml.org,2002:binary": (text) => text,
  "tag:yaml.org,2002:null": () => null,
  "tag:yaml.org,2002:bool": (text) => BOOLEANS.get(text),
  "tag:yaml.org,2002:int": (text) => (INTEGER.test(text) ? numberOf(text) : undefined),
  "tag:yaml.org,2002:float": numberOf,
};

/** A scalar with one of YAML's own tags. Undefined where the tag is none of them, or does not fit the text. */
export const resolveTagged = (tag: string, text: string): Json | undefined =>
  Object.hasOwn(TAGGED, tag) ? TAGGED[tag]?.(text) : undefined;

function numberOf(text: string): number | undefined {
  if (text.length > LONGEST_NUMBER || !/^[-+.]?\d/.test(text)) return undefined;
  if (INTEGER.test(text)) return integerOf(text);
  return FLOAT.test(text)
    ? signed(text, (digits) => (digits.includes(":") ? sexagesimal(digits) : Number(digits)))
    : undefined;
}

/** "-1_000" → -1000: the sign and underscores are not part of the digits. */
function signed(text: string, read: (digits: string) => number): number {
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "");
  return text.startsWith("-") ? -read(digits) : read(digits);
}

/** Integers have no negative zero. */
function integerOf(text: string): number {
  return (
    0 +
    signed(text, (digits) => {
      if (digits.includes(":")) return sexagesimal(digits);
      if (/^0[bx]/.test(digits)) return Number(digits);
      return digits.startsWith("0") ? Number.parseInt(digits, 8) : Number(digits);
    })
  );
}

/** "1:30" is 90, as times are. */
const sexagesimal = (digits: string): number => digits.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
