// The rules about names, labels and metadata that the API server answers 422 for, in its words. Pure.
import { isRecord, type KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";
import type { Cause } from "./status.ts";

const LABEL_FORMAT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`;
const NAME_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const VALUE_FORMAT = `(${NAME_FORMAT})?`;
const LABEL = new RegExp(`^${LABEL_FORMAT}$`);
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_FORMAT}$`);
const NAME = new RegExp(`^${NAME_FORMAT}$`);
const VALUE = new RegExp(`^${VALUE_FORMAT}$`);
const TOO_LONG = (length: number) => `must be no more than ${length} bytes`;
const ALPHANUMERIC = "'-', '_' or '.', and must start and end with an alphanumeric character";

const regex = (text: string, format: string, ...examples: string[]) =>
  `${text} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${format}')`;

const NOT_LABEL = regex(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL_FORMAT,
  "my-name",
  "123-abc",
);
const NOT_SUBDOMAIN = regex(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN_FORMAT,
  "example.com",
);
const NOT_VALUE = regex(
  `a valid label must be an empty string or consist of alphanumeric characters, ${ALPHANUMERIC}`,
  VALUE_FORMAT,
  "MyValue",
  "my_value",
  "12345",
);
const NOT_NAME_PART = regex(
  `must consist of alphanumeric characters, ${ALPHANUMERIC}`,
  NAME_FORMAT,
  "MyName",
  "my.name",
  "123-abc",
);

export const invalidValue = (field: string, value: unknown, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}${why === "" ? "" : `: ${why}`}`,
  field,
});
export const required = (field: string, why = ""): Cause => ({
  reason: "FieldValueRequired",
  message: `Required value${why === "" ? "" : `: ${why}`}`,
  field,
});
export const unsupported = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((one) => `"${one}"`).join(", ")}`,
  field,
});
export const duplicate = (field: string, value: unknown): Cause => ({
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
});

/** What is wrong with a DNS-1123 label, in the server's words; nothing if all is well. */
export function dnsLabelErrors(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 63) errors.push(TOO_LONG(63));
  if (!LABEL.test(value)) errors.push(SUBDOMAIN.test(value) ? "must not contain dots" : NOT_LABEL);
  return errors;
}

function subdomainErrors(value: string): string[] {
  const errors = value.length > 253 ? [TOO_LONG(253)] : [];
  return SUBDOMAIN.test(value) ? errors : [...errors, NOT_SUBDOMAIN];
}

/** The causes of bad label keys and values. @param field for instance `metadata.labels` */
export function labelCauses(labels: Readonly<Record<string, string>> | undefined, field: string): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...keyErrors(key).map((why) => invalidValue(field, key, why)),
    ...(value.length > 63 ? [invalidValue(field, value, TOO_LONG(63))] : []),
    ...(VALUE.test(value) ? [] : [invalidValue(field, value, NOT_VALUE)]),
  ]);
}

/** What is wrong with a qualified name (`example.com/key`). */
export function keyErrors(key: string): string[] {
  const parts = key.split("/");
  if (parts.length > 2) {
    const tail = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [`a valid label key ${NOT_NAME_PART}${tail}`];
  }
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const errors = prefix === undefined ? [] : prefixErrors(prefix);
  if (name === "") errors.push("name part must be non-empty");
  else if (name.length > 63) errors.push(`name part ${TOO_LONG(63)}`);
  return NAME.test(name) ? errors : [...errors, `name part ${NOT_NAME_PART}`];
}

const prefixErrors = (prefix: string): string[] =>
  prefix === "" ? ["prefix part must be non-empty"] : subdomainErrors(prefix).map((error) => `prefix part ${error}`);

/** The causes of bad metadata of any object. */
export function metadataCauses(object: KubeObject, resource: Resource): Cause[] {
  const { name, labels, annotations } = object.metadata;
  const label = resource.kind === "Namespace";
  const nameErrors = label ? dnsLabelErrors : subdomainErrors;
  const named = name
    ? nameErrors(name).map((why) => invalidValue("metadata.name", name, why))
    : [required("metadata.name", "name or generateName is required")];
  const keys = Object.keys(annotations ?? {}).flatMap((key) =>
    keyErrors(key.toLowerCase()).map((why) => invalidValue("metadata.annotations", key, why)),
  );
  return [
    ...named,
    ...labelCauses(labels, "metadata.labels"),
    ...keys,
    ...sizeCauses(annotations),
    ...dataCauses(object),
  ];
}

const MOST_ANNOTATED = 262_144;

function sizeCauses(annotations: Readonly<Record<string, string>> = {}): Cause[] {
  const size = Object.entries(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join("")), 0);
  const message = `Too long: may not be more than ${MOST_ANNOTATED} bytes`;
  return size > MOST_ANNOTATED ? [{ reason: "FieldValueTooLong", message, field: "metadata.annotations" }] : [];
}

const DATA_KEY = /^[-._a-zA-Z0-9]+$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function dataCauses(object: KubeObject): Cause[] {
  if (object.kind !== "Secret" && object.kind !== "ConfigMap") return [];
  const data = isRecord(object["data"]) ? object["data"] : {};
  return Object.entries(data).flatMap(([key, value]) => [
    ...(DATA_KEY.test(key) ? [] : [invalidValue(`data[${key}]`, key, NOT_DATA_KEY)]),
    ...(object.kind === "ConfigMap" || BASE64.test(String(value))
      ? []
      : [invalidValue(`data[${key}]`, "", "not base64")]),
  ]);
}

const NOT_DATA_KEY = regex(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  "[-._a-zA-Z0-9]+",
  "key.name",
  "KEY_NAME",
  "key-name",
);
