// Whether a container's variables and arguments hold a secret in plain text: everybody who may read Jobs can read it.
// Pure. Names the variable; never repeats a value.
import { fieldOf, type Json } from "./json.ts";
import type { Container, Lint } from "./lint.ts";

const SECRET_NAME = /(^|_)(KEY|TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|APIKEY)$|PASSWORD|SECRET/i;
/** A name that only tells where the secret is. */
const POINTER_NAME = /_(FILE|PATH|DIR|NAME|ID|URL|URI|ALIAS|ARN|TTL|VERSION|TYPE)$/i;
/** A switch, a number, a path, a word in angle brackets or a reference: no secret. */
const HARMLESS = /^(true|false|yes|no|on|off|none|null|-?[\d.]+|\/\S*|\$\(\w+\)|<.*>)$/i;
const URI_WITH_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:(?!\$\()[^\s/@]+@/i;

export function plainSecrets({ path, fields }: Container): Lint[] {
  const { env, command, args } = fields;
  const variables = (Array.isArray(env) ? env : []).flatMap((entry, i) => {
    const [name, value] = [fieldOf(entry, "name"), fieldOf(entry, "value")];
    if (typeof name !== "string" || typeof value !== "string") return [];
    const why = whyPlain(name, value);
    return why === undefined ? [] : [finding(`The variable ${name} ${why}`, `${path}.env[${i}].value`)];
  });
  return [...variables, ...inTexts(command, `${path}.command`), ...inTexts(args, `${path}.args`)];
}

function whyPlain(name: string, value: string): string | undefined {
  if (URI_WITH_PASSWORD.test(value)) return "holds an address with its password";
  const named = SECRET_NAME.test(name) && !POINTER_NAME.test(name);
  return named && value.trim() !== "" && !HARMLESS.test(value.trim())
    ? "looks like a secret and has its value"
    : undefined;
}

function inTexts(texts: Json | undefined, path: string): Lint[] {
  const found = (Array.isArray(texts) ? texts : []).findIndex(
    (text) => typeof text === "string" && URI_WITH_PASSWORD.test(text),
  );
  return found < 0 ? [] : [finding("An argument holds an address with its password", `${path}[${found}]`)];
}

const finding = (what: string, path: string): Lint => ({
  severity: "warning",
  rule: "plain-secret",
  message: `${what} in plain text: everybody who may read Jobs in the namespace reads it.`,
  remedy: "Put it into a Kubernetes Secret, and name that by `valueFrom.secretKeyRef`.",
  path,
});
