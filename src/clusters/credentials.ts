// What one cluster is shown of who we are: headers and TLS options of a kubeconfig. The library reads them.
// They are read anew when they are old or were refused: the files behind them are replaced while opjob runs.
// Opens no connection.
import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { ConnectionOptions } from "node:tls";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Dispatcher } from "undici";
import type { Access } from "./kubeconfig.ts";

export type Credential = {
  /** The API server's URL. */
  readonly server: string;
  readonly headers: Record<string, string>;
  readonly tls: Pick<ConnectionOptions, "ca" | "cert" | "key" | "rejectUnauthorized"> & {
    readonly servername?: string;
  };
  /** New connections through the proxy that the kubeconfig names; undefined: it names none. */
  readonly proxied: () => Promise<Dispatcher | undefined>;
  /** Same text, same certificates: connections may stay. */
  readonly material: string;
};

/** Tokens that a file holds are replaced about every hour; client-go looks again after a minute as well. */
export const CREDENTIAL_AGE = 60_000;

export class Credentials {
  readonly #access: Access;
  readonly #age: number;
  #config: KubeConfig;
  #credential: Promise<Credential> | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #last: Credential | undefined;

  constructor(access: Access, ageMs: number) {
    this.#access = access;
    this.#age = ageMs;
    this.#config = access.config;
  }

  /** The credential as it is now; many who ask at once wait for one reading. */
  get(): Promise<Credential> {
    const old = performance.now() - this.#loadedAt > this.#age;
    // What a command gave carries its own time to live, which the library keeps.
    return this.#credential === undefined || old ? this.#load(!runsCommand(this.#config)) : this.#credential;
  }

  /** The credential was answered 401: whoever asks next gets a fresh one. */
  refused(credential: Credential): void {
    if (credential === this.#last) void this.#load(true).catch(() => undefined);
  }

  #load(anew: boolean): Promise<Credential> {
    this.#loadedAt = performance.now();
    const loading = this.#read(anew);
    this.#credential = loading;
    loading.catch(() => {
      if (this.#credential === loading) this.#credential = undefined;
    });
    return loading;
  }

  async #read(anew: boolean): Promise<Credential> {
    // The library keeps what it once read from a file; a new object of its reads again.
    if (anew) this.#config = this.#access.reload();
    const config = this.#config;
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized, servername } = options;
    const given = Object.entries({ ca, cert, key, rejectUnauthorized, servername });
    const tls: Credential["tls"] = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    this.#last = {
      server: config.getCurrentCluster()?.server ?? "",
      headers: textHeaders(options),
      tls,
      material: createHash("sha256").update(JSON.stringify(given)).digest("hex"),
      proxied: () => proxied(config),
    };
    return this.#last;
  }
}

async function proxied(config: KubeConfig): Promise<Dispatcher | undefined> {
  if (config.getCurrentCluster()?.proxyUrl === undefined) return undefined;
  let made: Dispatcher | undefined;
  const context = {
    setHeaderParam: () => undefined,
    setDispatcher: (dispatcher: Dispatcher) => {
      made = dispatcher;
    },
  };
  type Context = Parameters<KubeConfig["applySecurityAuthentication"]>[0];
  await config.applySecurityAuthentication(context as unknown as Context);
  return made;
}

/** A token file is read by the library itself; every other provider runs a command, or may. */
function runsCommand(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  const { tokenFile } = (user?.authProvider?.config ?? {}) as { tokenFile?: string };
  return user?.exec !== undefined || (user?.authProvider !== undefined && tokenFile === undefined);
}

function textHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]);
  return { ...Object.fromEntries(entries), ...basic };
}
