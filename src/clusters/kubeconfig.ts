// Reads a kubeconfig: which cluster, with which credentials, in which namespace. Reads the text it is given; opens no connection.
import { createHash } from "node:crypto";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { OpjobError } from "../errors.ts";

/** One cluster with one credential. */
export type Access = {
  readonly config: KubeConfig;
  /** Same key, same cluster and credential: a client is kept per key. */
  readonly key: string;
  /** The API server's address, without any credential in it. */
  readonly server: string;
  /** The namespace of the context, or of the service account; undefined where neither names one. */
  readonly namespace: string | undefined;
};

export type AccessOptions = { readonly context: string | undefined; readonly allowExec: boolean };

/**
 * Access by the text of a kubeconfig.
 * @param where the secret or file that holds it, for errors
 * @throws OpjobError KUBECONFIG_INVALID, KUBECONFIG_CONTEXT_MISSING, KUBECONFIG_EXEC_REFUSED
 */
export function accessFromText(text: string, where: string, options: AccessOptions): Access {
  if (!options.allowExec) refuseFiles(text, where);
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (cause) {
    // The parser's message may quote lines of the file, which hold credentials.
    throw new OpjobError(
      "KUBECONFIG_INVALID",
      `The kubeconfig in ${where} is not a kubeconfig: it cannot be read as YAML.`,
      {
        cause: nameOnly(cause),
      },
    );
  }
  return accessFrom(config, where, createHash("sha256").update(text).digest("hex"), options);
}

/**
 * Access without a kubeconfig of the orchestrator's own: the Pod's service account, else the default kubeconfig file.
 * @param serviceAccountNamespace the content of the service account's namespace file, where there is one
 * @throws OpjobError KUBECONFIG_MISSING where there is neither
 */
export function defaultAccess(
  inCluster: boolean,
  serviceAccountNamespace: string | undefined,
  options: AccessOptions,
): Access {
  const config = new KubeConfig();
  if (inCluster) {
    config.loadFromCluster();
    const access = accessFrom(config, "the Pod's service account", "in-cluster", {
      ...options,
      allowExec: true,
      context: undefined,
    });
    return { ...access, namespace: serviceAccountNamespace ?? access.namespace };
  }
  try {
    config.loadFromDefault();
  } catch (cause) {
    throw new OpjobError("KUBECONFIG_INVALID", "The default kubeconfig cannot be read.", { cause: nameOnly(cause) });
  }
  // client-node invents a context "loaded-context" for localhost:8080 where it finds no file.
  if (config.getCurrentContext() === "loaded-context") {
    throw new OpjobError(
      "KUBECONFIG_MISSING",
      "There is no kubeconfig: neither in the orchestrator's secret, nor in-cluster, nor a default file.",
    );
  }
  const text = config.exportConfig();
  return accessFrom(config, "the default kubeconfig", createHash("sha256").update(text).digest("hex"), options);
}

function accessFrom(config: KubeConfig, where: string, digest: string, { context, allowExec }: AccessOptions): Access {
  if (context !== undefined) {
    if (config.getContextObject(context) === null) throw contextMissing(config, where, context);
    config.setCurrentContext(context);
  }
  const current = config.getContextObject(config.getCurrentContext());
  if (!current)
    throw invalid(where, `its current-context "${config.getCurrentContext() ?? ""}" is not among its contexts`);
  const server = serverOf(config, where, current);
  requireUser(config, where, { user: current.user, context: current.name, allowExec });
  return { config, key: `${digest}:${current.name}`, server, namespace: current.namespace };
}

function serverOf(config: KubeConfig, where: string, current: { name: string; cluster: string }): string {
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) {
    throw invalid(where, `the cluster "${current.cluster}" of context "${current.name}" is missing or has no server`);
  }
  if (!URL.canParse(cluster.server)) throw invalid(where, `the server of cluster "${current.cluster}" is no URL`);
  // The library refuses plain http unless it is told that there is no certificate to check.
  if (cluster.server.startsWith("http:") && !cluster.skipTLSVerify) {
    const remedy = "set insecure-skip-tls-verify: true if that is meant";
    throw invalid(where, `the server of cluster "${current.cluster}" is plain http; ${remedy}`);
  }
  return withoutCredentials(cluster.server);
}

type Wanted = { readonly user: string; readonly context: string; readonly allowExec: boolean };

function requireUser(config: KubeConfig, where: string, wanted: Wanted): void {
  const user = config.getCurrentUser();
  if (!user) throw invalid(where, `the user "${wanted.user}" of context "${wanted.context}" is missing`);
  // Any auth-provider: the library runs one with an `exec` in its config even if that names a token file as well.
  if (wanted.allowExec || !(user.exec || user.authProvider)) return;
  throw new OpjobError("KUBECONFIG_EXEC_REFUSED", `The kubeconfig in ${where} runs a command to get its credentials.`);
}

/** Files that hold a credential: they would be read from opjob's own Pod, and sent to whatever server the kubeconfig names. */
const CREDENTIAL_FILES = ["token-file", "tokenFile", "client-certificate", "client-key"];

/** Before the library reads the text: it opens a token file at once. */
function refuseFiles(text: string, where: string): void {
  let users: unknown;
  try {
    users = (parse(text, { logLevel: "silent" }) as { users?: unknown } | null)?.users;
  } catch {
    return; // what is no YAML is refused with better words
  }
  for (const entry of Array.isArray(users) ? (users as { user?: object }[]) : []) {
    const named = CREDENTIAL_FILES.filter((field) => Object.hasOwn(entry?.user ?? {}, field));
    if (named.length === 0) continue;
    throw new OpjobError("KUBECONFIG_INVALID", `The kubeconfig in ${where} refers to files (${named.join(", ")}).`, {
      remedy: "Store one that holds the credentials themselves: `kubectl config view --raw --flatten` writes it.",
    });
  }
}

function contextMissing(config: KubeConfig, where: string, context: string): OpjobError {
  const names = config.getContexts().map(({ name }) => `"${name}"`);
  return new OpjobError(
    "KUBECONFIG_CONTEXT_MISSING",
    `The kubeconfig in ${where} has no context "${context}"; it has ${names.length === 0 ? "none" : names.join(", ")}.`,
  );
}

const invalid = (where: string, why: string) =>
  new OpjobError("KUBECONFIG_INVALID", `The kubeconfig in ${where} cannot be used: ${why}.`);

const nameOnly = (cause: unknown): string => (cause instanceof Error ? cause.name : "Error");

function withoutCredentials(server: string): string {
  const url = new URL(server);
  url.username = "";
  url.password = "";
  return url.href.replace(/\/$/, "");
}
