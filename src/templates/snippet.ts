// What of a template may be shown where it is wrong: its line without what may be secret, a password in an `env` value for instance.
// Pure. Keys, tags of Jinja2 and the signs of YAML's structure stay; every other text becomes "…".

const LONGEST = 100;

/** A line of a template for an error; empty where there is nothing to show. */
export function snippetOf(source: string, line: number): string {
  const text = source.split(/\r\n?|\n/, line)[line - 1] ?? "";
  // Not the whole of a long line: the pattern's time grows faster than its length.
  const shown = withoutTexts(text.slice(0, LONGEST * 3).trimEnd());
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
}

/** A key with its colon, a tag, blanks with the marks of structure, or any other word. */
const PART =
  /((?:- +)*(?:"[\w./-]+"|'[\w./-]+'|[\w./-]+)\s*:(?=\s|$))|(\{\{.*?\}\}|\{%.*?%\}|\{\{.*|\{%.*)|([\s[\]{},]|-(?=\s))|[^\s[\]{},]+/g;

const withoutTexts = (line: string): string =>
  line.replaceAll(PART, (part, key?: string, tag?: string, structure?: string) =>
    key !== undefined || tag !== undefined || structure !== undefined ? part : "…",
  );
