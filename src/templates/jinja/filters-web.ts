// The filters that make texts for web pages: addresses, attributes, text without tags.
// It knows values and HTML's rules; links are found by links.ts.
import { Dict } from "./dict.ts";
import { escapeValue } from "./escaping.ts";
import { unescapeEntities } from "./html-entities.ts";
import { Fault, typeFault, valueFault } from "./jinja-error.ts";
import { linkUrls } from "./links.ts";
import { toCount } from "./numbers.ts";
import { toText } from "./printing.ts";
import { splitAtSpaces } from "./python-space.ts";
import type { Run } from "./run.ts";
import { collect, each, isIterable, isTrue, undefinedFault } from "./sequences.ts";
import type { Definitions } from "./signature.ts";
import { requireText } from "./text-values.ts";
import { isText, Markup, Undefined, type Value } from "./values.ts";

const marked = (run: Run, text: string): Value => (run.autoescape ? new Markup(text) : text);

/** Percent-encodes all but letters, digits and "_.-~", and "/" where it is not part of a query. */
function quoteUrl(run: Run, value: Value, inQuery: boolean): string {
  const encoded = encodeURIComponent(toText(run, value).toWellFormed()).replace(/[!'()*]/g, percent);
  run.checkString(encoded.length);
  return inQuery ? encoded.replaceAll("%20", "+") : encoded.replaceAll("%2F", "/");
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

function urlEncode(run: Run, value: Value): string {
  if (isText(value) || !isIterable(value)) return quoteUrl(run, value, false);
  const pairs =
    value instanceof Dict ? Array.from(value.entries()) : Array.from(each(run, value), (pair) => collect(run, pair));
  const parts = pairs.map(([key, item, ...more]) => {
    if (key === undefined || item === undefined || more.length > 0) throw valueFault("urlencode needs pairs");
    return `${quoteUrl(run, key, true)}=${quoteUrl(run, item, true)}`;
  });
  run.checkString(parts.reduce((size, part) => size + part.length + 1, 0));
  return parts.join("&");
}

function xmlAttributes(run: Run, value: Value, autospace: Value): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  if (!(value instanceof Dict)) throw new Fault("AttributeError", "xmlattr needs a dict");
  const parts: string[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue;
    if (!isText(key)) throw typeFault("the names of attributes must be texts");
    if (/[\s/>=]/.test(toText(run, key))) throw valueFault("the name of an attribute has a character it must not have");
    parts.push(`${escapeValue(run, key).text}="${escapeValue(run, item).text}"`);
    run.checkString(parts.reduce((size, part) => size + part.length + 1, 0));
  }
  return marked(run, (isTrue(autospace) && parts.length > 0 ? " " : "") + parts.join(" "));
}

function stripTags(run: Run, value: Value): string {
  const text = toText(run, value);
  run.chargeText(text.length);
  return unescapeEntities(splitAtSpaces(removeTags(text)).join(" "));
}

/** Tags and comments, up to the first that is not closed. A loop: a lazy pattern takes quadratic time on many openings. */
function removeTags(text: string): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf("<", at);
    const [end, length] = text.startsWith("<!--", start)
      ? [text.indexOf("-->", start + 4), 3]
      : [text.indexOf(">", start), 1];
    if (start < 0 || end < 0) return kept.join("") + text.slice(at);
    kept.push(text.slice(at, start));
    at = end + length;
  }
}

const optionalText = (value: Value | undefined): string | null =>
  value === undefined || !isTrue(value) ? null : requireText(value);

function urlize(run: Run, value: Value, ...given: (Value | undefined)[]): Value {
  const [limit = null, nofollow = false, target, rel, schemes = null] = given;
  const relations = new Set(splitAtSpaces(optionalText(rel) ?? ""));
  if (isTrue(nofollow)) relations.add("nofollow");
  relations.add("noopener");
  const text = linkUrls(run, escapeValue(run, isText(value) ? value : toText(run, value)).text, {
    limit: limit === null ? undefined : toCount(limit),
    rel: [...relations].sort().join(" "),
    target: optionalText(target),
    schemes: schemes === null ? [] : collect(run, schemes).map(schemeOf),
  });
  return marked(run, text);
}

function schemeOf(value: Value): string {
  const scheme = requireText(value);
  if (!/^[\p{L}\p{N}_.+-]{2,}:\/{0,2}$/u.test(scheme))
    throw valueFault("urlize got a scheme that is none, such as 'tel:'");
  return scheme;
}

export const WEB_FILTERS: Definitions = {
  striptags: ["value", stripTags],
  urlencode: ["value", urlEncode],
  urlize: ["value trim_url_limit= nofollow= target= rel= extra_schemes=", urlize],
  xmlattr: ["d autospace=", (run, value, autospace = true) => xmlAttributes(run, value, autospace)],
};
