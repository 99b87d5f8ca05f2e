// Reads a kubeconfig: which cluster, with which credentials, in which namespace. Reads the text it is given; opens no connection.
import { createHash } from "node:crypto";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { OpjobError } from "../errors.ts";

/** One cluster with one credential. */
export type Access = {
  readonly config: KubeConfig;
  /** The same once more, with whatever is in its files by now. */
  readonly reload: () => KubeConfig;
  /** Same key, same cluster and credential: a client is kept per key. */
  readonly key: string;
  /** The API server's address, without any credential in it. */
  readonly server: string;
  /** The namespace of the context, or of the service account; undefined where neither names one. */
  readonly namespace: string | undefined;
};

export type AccessOptions = {
  readonly context: string | undefined;
  readonly allowExec: boolean;
  /** Put before the paths of a Pod's service account. */
  readonly root?: string;
};

/**
 * Access by the text of a kubeconfig.
 * @param where the secret or file that holds it, for errors
 * @throws OpjobError KUBECONFIG_INVALID, KUBECONFIG_CONTEXT_MISSING, KUBECONFIG_EXEC_REFUSED
 */
export function accessFromText(text: string, where: string, options: AccessOptions): Access {
  if (!options.allowExec) refuseFiles(text, where);
  const read = (): KubeConfig => {
    const config = new OurKubeConfig();
    try {
      config.loadFromString(text);
    } catch (cause) {
      // The parser's message may quote lines of the file, which hold credentials.
      const message = `The kubeconfig in ${where} is not a kubeconfig: it cannot be read as YAML.`;
      throw new OpjobError("KUBECONFIG_INVALID", message, { cause: nameOnly(cause) });
    }
    return config;
  };
  return accessFrom({ read, where, digest: () => digestOf(text) }, options);
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
  if (inCluster) {
    const config = new KubeConfig();
    // The library calls its parameter an implementation detail; it is the only way to a service account elsewhere.
    (config.loadFromCluster as (root: string) => void).call(config, options.root ?? "");
    const read = (): KubeConfig => {
      const again = new KubeConfig();
      again.loadFromOptions(config);
      return again;
    };
    const source = { read, where: "the Pod's service account", digest: () => "in-cluster", trusted: true };
    const access = accessFrom(source, { ...options, context: undefined });
    return { ...access, namespace: serviceAccountNamespace ?? access.namespace };
  }
  const read = (): KubeConfig => {
    const config = new OurKubeConfig();
    try {
      config.loadFromDefault();
    } catch (cause) {
      throw new OpjobError("KUBECONFIG_INVALID", "The default kubeconfig cannot be read.", { cause: nameOnly(cause) });
    }
    return config;
  };
  // client-node invents a context "loaded-context" for localhost:8080 where it finds no file.
  if (read().getCurrentContext() === "loaded-context") {
    throw new OpjobError(
      "KUBECONFIG_MISSING",
      "There is no kubeconfig: neither in the orchestrator's secret, nor in-cluster, nor a default file.",
    );
  }
  return accessFrom(
    { read, where: "the default kubeconfig", digest: (config) => digestOf(config.exportConfig()), trusted: true },
    options,
  );
}

/** Where a kubeconfig comes from. */
type Source = {
  readonly read: () => KubeConfig;
  readonly where: string;
  readonly digest: (config: KubeConfig) => string;
  /** Whether it lies in opjob's own Pod: its token may then be in a file of that Pod, too. */
  readonly trusted?: boolean;
};

/** The library does not know kubectl's `tokenFile`, but a provider that reads a file. */
class OurKubeConfig extends KubeConfig {
  override loadFromString(text: string, options?: Parameters<KubeConfig["loadFromString"]>[1]): void {
    super.loadFromString(text, options);
    for (const { name, user } of usersIn(text)) {
      const known = this.getUser(name ?? "");
      const tokenFile = user?.["tokenFile"];
      if (known === null || typeof tokenFile !== "string") continue;
      Object.assign(known, { token: undefined, authProvider: { name: "tokenFile", config: { tokenFile } } });
    }
  }
}

type UserEntry = { readonly name?: string; readonly user?: Readonly<Record<string, unknown>> };

function usersIn(text: string): UserEntry[] {
  try {
    const users = (parse(text, { logLevel: "silent" }) as { users?: unknown } | null)?.users;
    return Array.isArray(users)
      ? (users as UserEntry[]).filter((entry) => typeof entry === "object" && entry !== null)
      : [];
  } catch {
    return []; // what is no YAML is refused with better words
  }
}

function accessFrom({ read, where, digest, trusted = false }: Source, { context, allowExec }: AccessOptions): Access {
  const choose = (config: KubeConfig): KubeConfig => {
    if (context === undefined) return config;
    if (config.getContextObject(context) === null) throw contextMissing(config, where, context);
    config.setCurrentContext(context);
    return config;
  };
  const config = choose(read());
  const current = config.getContextObject(config.getCurrentContext());
  if (config.getContexts().length === 0) throw invalid(where, "it has no contexts, and so is no kubeconfig");
  if (!current)
    throw invalid(where, `its current-context "${config.getCurrentContext() ?? ""}" is not among its contexts`);
  const server = serverOf(config, where, current);
  const wanted = { user: current.user, context: current.name, allowExec, trusted };
  requireUser(config, where, wanted);
  const reload = (): KubeConfig => {
    const again = choose(read());
    // Another server, or what may not be used, is another access: only credentials change on the way.
    const same =
      again.getCurrentContext() === current.name &&
      again.getCurrentCluster()?.server === config.getCurrentCluster()?.server;
    if (!same) return config;
    requireUser(again, where, wanted);
    return again;
  };
  return { config, reload, key: `${digest(config)}:${current.name}`, server, namespace: current.namespace };
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

type Wanted = {
  readonly user: string;
  readonly context: string;
  readonly allowExec: boolean;
  readonly trusted: boolean;
};

function requireUser(config: KubeConfig, where: string, wanted: Wanted): void {
  const user = config.getCurrentUser();
  if (!user) throw invalid(where, `the user "${wanted.user}" of context "${wanted.context}" is missing`);
  // Any auth-provider: the library runs one with an `exec` in its config even if that names a token file as well.
  if (wanted.allowExec || !(user.exec || user.authProvider)) return;
  if (wanted.trusted && !user.exec && isTokenFile(user.authProvider)) return;
  throw new OpjobError("KUBECONFIG_EXEC_REFUSED", `The kubeconfig in ${where} runs a command to get its credentials.`);
}

const isTokenFile = (provider: unknown): boolean => {
  const { name, config } = provider as { readonly name?: string; readonly config?: object };
  return name === "tokenFile" && Object.keys(config ?? {}).join() === "tokenFile";
};

/** Files that hold a credential: they would be read from opjob's own Pod, and sent to whatever server the kubeconfig names. */
const CREDENTIAL_FILES = ["token-file", "tokenFile", "client-certificate", "client-key"];

/** Before the library reads the text: it opens a token file at once. */
function refuseFiles(text: string, where: string): void {
  for (const entry of usersIn(text)) {
    const named = CREDENTIAL_FILES.filter((field) => Object.hasOwn(entry.user ?? {}, field));
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

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
