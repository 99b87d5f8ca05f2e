// Values that are hard for YAML and for Jinja2, by chance and on purpose: what arguments in tests hold. Knows no template.
import fc from "fast-check";

/** What is hard for YAML, for Jinja2 and for naive text replacement. */
export const HARD = [
  "3",
  "yes",
  "~",
  "null",
  "0123",
  "1e3",
  "6503660453668982e8306123",
  "a: b",
  "- a",
  "{x}",
  "{{ _id }}",
  "{% if %}",
  "{# no #}",
  "[1, 2",
  "a #b",
  "# a",
  "&a",
  "*a",
  "!t",
  "|",
  ">",
  "%x",
  "@x",
  "`x`",
  "'",
  '"',
  '""',
  "\\",
  "a\nb: c",
  "\n      restartPolicy: Always",
  "---",
  "...",
  " lead",
  "trail ",
  "\t",
  "",
  "$&",
  "$1",
  "é✓秘密🙂",
  "a\r\nb",
  "\u2028",
  "\0",
  "<<",
  "key:",
];

const piece = fc.oneof(
  fc.constantFrom(...HARD),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.stringMatching(/^[ -~\n\t]{0,40}$/),
);

/** Any text. */
export const ARGUMENT: fc.Arbitrary<string> = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(""));

/** What an operator's author would write to get a container into somebody else's Job. */
export const CONTAINER = `
        - name: evil
          image: evil/image
          securityContext: {privileged: true}`;
export const ATTACKS = [
  `x${CONTAINER}`,
  `  x  ${CONTAINER}\n`,
  `x"${CONTAINER}`,
  `x'${CONTAINER}`,
  `x}]${CONTAINER}`,
  "x\n      hostNetwork: true",
  "x\n  template: {spec: {containers: [{name: evil}]}}",
  "x\n---\nkind: Pod",
  "x\n...\n",
  "a: b",
  "- a",
  "x # no more",
  "&a [*a]",
  "!!python/object/apply:os.system [id]",
  "<<: *a",
  "a, b, c",
  "], evil: [",
  "}, evil: {",
  '", "evil',
  "', 'evil",
  "|\n  x",
  "? x",
  "%YAML 9",
  "\t- x",
  "\u2028- x",
  "\u0085- x",
  "x\r- y",
  "{{ 7 * 7 }}{% set _name = 'x' %}",
  "\ufeff",
  "",
  " ",
  "~",
];
