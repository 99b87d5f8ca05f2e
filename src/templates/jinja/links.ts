// Finds addresses in escaped text and makes links of them.
// It knows the forms of addresses; what is around a word (brackets, full stops) stays outside of the link.
import { escapeText } from "./escaping.ts";
import type { Run } from "./run.ts";

export type LinkOptions = {
  /** Characters of an address that are shown; undefined for all. */
  readonly limit: number | undefined;
  readonly rel: string;
  readonly target: string | null;
  /** More beginnings that make a word an address, such as "tel:". */
  readonly schemes: readonly string[];
};

const BRACKETS: readonly (readonly [string, string])[] = [
  ["(", ")"],
  ["<", ">"],
  ["&lt;", "&gt;"],
];
const OPENINGS = ["(", "<", "&lt;"];
const CLOSINGS = [")", ">", ".", ",", "\n", "&gt;"];

export function linkUrls(run: Run, escaped: string, options: LinkOptions): string {
  run.chargeText(escaped.length * 4);
  const attributes = ` rel="${escapeText(options.rel)}"${options.target === null ? "" : ` target="${escapeText(options.target)}"`}`;
  let size = 0;
  const words = (escaped.match(/\s+|\S+/g) ?? []).map((word) => {
    const linked = /^\s/.test(word) ? word : linkWord(word, options, attributes);
    size += linked.length;
    run.checkAppend(size, linked.length);
    return linked;
  });
  return words.join("");
}

function linkWord(word: string, options: LinkOptions, attributes: string): string {
  const { head, middle, tail } = peel(word);
  const address = hrefOf(middle, options.schemes);
  if (!address) return word;
  const shown =
    address.isWeb && options.limit !== undefined && address.shown.length > options.limit
      ? `${address.shown.slice(0, options.limit)}...`
      : address.shown;
  return `${head}<a href="${address.href}"${address.isMail ? "" : attributes}>${shown}</a>${tail}`;
}

/** Takes brackets and marks off both ends; a closing bracket whose opening is inside stays. */
function peel(word: string): { head: string; middle: string; tail: string } {
  let start = 0;
  let end = word.length;
  for (let mark = find(OPENINGS, (one) => word.startsWith(one, start)); mark; ) {
    start += mark.length;
    mark = find(OPENINGS, (one) => word.startsWith(one, start));
  }
  for (let mark = find(CLOSINGS, (one) => word.slice(start, end).endsWith(one)); mark; ) {
    end -= mark.length;
    mark = find(CLOSINGS, (one) => end > start && word.startsWith(one, end - one.length));
  }
  let middle = word.slice(start, end);
  let tail = word.slice(end);
  for (const [open, close] of BRACKETS) {
    const opened = middle.split(open).length - 1;
    if (opened <= middle.split(close).length - 1) continue;
    for (let left = Math.min(opened, tail.split(close).length - 1); left > 0; left--) {
      const cut = tail.indexOf(close) + close.length;
      middle += tail.slice(0, cut);
      tail = tail.slice(cut);
    }
  }
  return { head: word.slice(0, start), middle, tail };
}

const find = (marks: readonly string[], test: (mark: string) => boolean): string | undefined => marks.find(test);

type Address = { readonly href: string; readonly shown: string; readonly isMail: boolean; readonly isWeb: boolean };

function hrefOf(text: string, schemes: readonly string[]): Address | undefined {
  if (isWebAddress(text)) {
    return { href: /^https?:\/\//.test(text) ? text : `https://${text}`, shown: text, isMail: false, isWeb: true };
  }
  if (text.startsWith("mailto:") && isMailAddress(text.slice(7)))
    return { href: text, shown: text.slice(7), isMail: true, isWeb: false };
  const isMail = text.includes("@") && !text.startsWith("www.") && !text.includes(":") && isMailAddress(text);
  if (isMail) return { href: `mailto:${text}`, shown: text, isMail: true, isWeb: false };
  const scheme = schemes.some((one) => text !== one && text.startsWith(one));
  return scheme ? { href: text, shown: text, isMail: false, isWeb: false } : undefined;
}

const isMailAddress = (text: string): boolean =>
  /^[^\s@]\S{0,253}@[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,253}\.[\p{L}\p{N}_]{1,63}$/u.test(text);

const LABEL = /^[\p{L}\p{N}_%-]+$/u;
const KNOWN_ENDINGS = new Set(["com", "net", "int", "edu", "gov", "org", "info", "mil"]);

/** A host with a scheme or "www.", or one that ends in a well-known domain; then perhaps a port and a path. */
function isWebAddress(text: string): boolean {
  const parts = /^(https?:\/\/|www\.)?(\[[\da-f:]*\]|[^/?#:]*)(?::\d{1,5})?(?:[/?#]\S*)?$/i.exec(text);
  if (!parts) return false;
  const [, prefix, host = ""] = parts;
  if (prefix === undefined) return isKnownDomain(host.split("."));
  return isDomain(host.split(".")) || (prefix.toLowerCase() !== "www." && isNumericHost(host));
}

const ofLabels = (labels: readonly string[], shortest: number): boolean =>
  labels.every((label) => LABEL.test(label) && label.length >= shortest);

function isKnownDomain(labels: readonly string[]): boolean {
  const last = labels.at(-1)?.toLowerCase() ?? "";
  return labels.length > 1 && KNOWN_ENDINGS.has(last) && ofLabels(labels, 2);
}

function isDomain(labels: readonly string[]): boolean {
  const last = labels.at(-1) ?? "";
  return (/^[a-z]{2,63}$/i.test(last) || /^xn--[\p{L}\p{N}_%]{2,59}$/iu.test(last)) && ofLabels(labels, 1);
}

const isNumericHost = (host: string): boolean =>
  /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || /^\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]$/i.test(host);
