// Where a template is stored, read from the URI in an orchestrator's record.
// Pure: knows the spellings, reads nothing. A `name` is what errors and logs say: without credentials or signatures.
import { OpjobError } from "../errors.ts";

export type FileLocation = { readonly kind: "file"; readonly path: string; readonly name: string };
export type InlineLocation = { readonly kind: "inline"; readonly text: string; readonly name: string };
export type WebLocation = { readonly kind: "web"; readonly url: string; readonly name: string };
export type BucketLocation = {
  readonly kind: "s3" | "minio" | "gcs";
  readonly bucket: string;
  readonly key: string;
  readonly name: string;
};
export type AzureLocation = {
  readonly kind: "azure";
  /** `https://ACCOUNT.blob.core.windows.net`; undefined: the account is the surroundings' own. */
  readonly endpoint: string | undefined;
  readonly container: string;
  readonly key: string;
  readonly name: string;
};
export type Location = FileLocation | InlineLocation | WebLocation | BucketLocation | AzureLocation;

const SCHEMES: Readonly<Record<string, (uri: string) => Location>> = {
  file: (uri) => ({ kind: "file", path: pathOf(uri), name: uri }),
  s3: (uri) => ({ kind: "s3", ...objectOf(uri) }),
  minio: (uri) => ({ kind: "minio", ...objectOf(uri) }),
  gs: (uri) => ({ kind: "gcs", ...objectOf(uri) }),
  az: blobOf,
  azure: blobOf,
  abfs: lakeOf,
  abfss: lakeOf,
  http: webOf,
  https: webOf,
};

/**
 * Reads a template's URI: a path, `file://…`, `data:[type][;base64],…`, `s3://`, `minio://`, `gs://`, `az://`, `abfss://`, `https://`.
 * @throws OpjobError TEMPLATE_LOCATION_UNSUPPORTED for a scheme that cannot be read, TEMPLATE_UNREADABLE for a broken URI
 */
export function parseLocation(uri: string): Location {
  if (uri.startsWith("data:")) return { kind: "inline", text: decodeDataUri(uri), name: "inline template" };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "file", path: uri, name: uri };
  const parse = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (parse) return parse(uri);
  throw new OpjobError(
    "TEMPLATE_LOCATION_UNSUPPORTED",
    `The template "${shown(uri)}" is stored at ${scheme}://, which cannot be read.`,
  );
}

/** A URI that may be shown: the user's part may be a password, the query a signature. */
const shown = (uri: string): string => uri.replace(/[?#].*$/s, "").replace(/^([^/]*\/\/)[^/]*@/, "$1");

const unreadable = (uri: string, why: string) =>
  new OpjobError("TEMPLATE_UNREADABLE", `The template "${shown(uri)}" cannot be read: ${why}.`);

function pathOf(uri: string): string {
  try {
    return decodeURIComponent(new URL(uri).pathname);
  } catch {
    throw new OpjobError("TEMPLATE_UNREADABLE", `The template "${uri}" cannot be read: that is no valid file URI.`);
  }
}

/** `scheme://bucket/key`; the key is taken as it is: buckets may hold keys with a percent sign or a question mark. */
function objectOf(uri: string): { bucket: string; key: string; name: string } {
  const [, bucket, key] = /^[^:]+:\/\/([^/@?#]+)\/(.+)$/s.exec(uri) ?? [];
  if (bucket === undefined || key === undefined) {
    throw unreadable(uri, `it must name a bucket and an object, like ${uri.split(":")[0]}://bucket/path/job.yaml.j2`);
  }
  return { bucket, key, name: uri };
}

function blobOf(uri: string): AzureLocation {
  const { bucket, key, name } = objectOf(uri);
  return { kind: "azure", endpoint: undefined, container: bucket, key, name };
}

/** A storage account's own host: credentials for Azure are sent to no other. */
const AZURE_HOST = /^([a-z0-9]{3,24})\.(?:blob|dfs)\.(core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn))$/i;

/** `abfss://container@account.dfs.core.windows.net/key`, as Spark and Databricks write it. */
function lakeOf(uri: string): AzureLocation {
  const [, container, host, key] = /^[^:]+:\/\/([^/@:]+)@([^/]+)\/(.+)$/s.exec(uri) ?? [];
  const [, account, suffix] = AZURE_HOST.exec(host ?? "") ?? [];
  if (container === undefined || key === undefined || account === undefined) {
    throw unreadable(uri, "it must look like abfss://container@account.dfs.core.windows.net/path/job.yaml.j2");
  }
  return { kind: "azure", endpoint: `https://${account}.blob.${suffix}`, container, key, name: uri };
}

/** A blob's own address is read with Azure's credentials, as FiftyOne does, unless it carries a signature of its own. */
function webOf(uri: string): WebLocation | AzureLocation {
  if (!URL.canParse(uri)) throw unreadable(uri, "that is no valid address");
  const url = new URL(uri);
  const name = shown(url.href);
  const [, account, suffix] = AZURE_HOST.exec(url.host) ?? [];
  if (url.protocol === "https:" && account !== undefined && !url.searchParams.has("sig")) {
    const [container, ...rest] = decodePath(uri, url).split("/");
    if (!container || rest.join("/") === "") throw unreadable(uri, "it must name a container and a blob");
    return { kind: "azure", endpoint: `https://${account}.blob.${suffix}`, container, key: rest.join("/"), name };
  }
  return { kind: "web", url: uri, name };
}

function decodePath(uri: string, { pathname }: URL): string {
  try {
    return decodeURIComponent(pathname.slice(1));
  } catch {
    throw unreadable(uri, "its percent-encoding is broken");
  }
}

function decodeDataUri(uri: string): string {
  const comma = uri.indexOf(",");
  const unreadable = (why: string) =>
    new OpjobError("TEMPLATE_UNREADABLE", `The template's data URI cannot be read: ${why}.`);
  if (comma < 0) throw unreadable("it has no comma before its content");
  const body = uri.slice(comma + 1);
  if (!/;base64$/i.test(uri.slice(0, comma))) {
    try {
      return decodeURIComponent(body);
    } catch {
      throw unreadable("its percent-encoding is broken");
    }
  }
  const compact = decodeURIComponentOrSame(body).replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw unreadable("its content is not base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(compact, "base64"));
  } catch {
    throw unreadable("its content is not UTF-8 text");
  }
}

function decodeURIComponentOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
