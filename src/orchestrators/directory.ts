// The orchestrators as they are now, and the kubeconfig of each. Loaded whole, replaced whole; a record that is wrong
// keeps its error and disturbs no other. Reads through the door it is given.
import { isDeepStrictEqual } from "node:util";
import { asOpjobError, OpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type Keys, openToken } from "./keys.ts";
import type { Records } from "./mongo.ts";
import { normaliseSecretName, type Orchestrator, parseOrchestrator } from "./orchestrator.ts";

export type DirectoryOptions = {
  readonly records: Records;
  /** The encryption keys as they are now. */
  readonly keys: () => Promise<Keys>;
  /** A variable with the name of a secret wins over the stored one, as in FiftyOne. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
};

type Entry = { readonly active: boolean; readonly orchestrator: Orchestrator | OpjobError };

export class Directory {
  readonly #options: DirectoryOptions;
  #entries = new Map<string, Entry>();
  #kubeconfigs = new Map<string, Promise<string>>();
  /** The tokens that were read, by secret; undefined: there was none. A load compares them with those of then. */
  #tokens = new Map<string, string | undefined>();
  #generation = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Reads everything anew. Returns whether any record, or any secret that was in use, changed. */
  async load(): Promise<boolean> {
    const { records, log } = this.#options;
    const generation = ++this.#generation;
    const entries = entriesOf(await records.all(), log);
    const rotated = await this.#haveTokensChanged();
    if (generation !== this.#generation) return false; // a later load has begun: it knows better
    const changed = rotated || !isDeepStrictEqual(entries, this.#entries);
    this.#entries = entries;
    // Also where nothing changed: the key may have.
    this.#kubeconfigs = new Map();
    this.#tokens = new Map();
    return changed;
  }

  /** instance_ids of the active orchestrators: operations of these targets are ours. */
  targets(): string[] {
    return [...this.#entries].filter(([, { active }]) => active).map(([id]) => id);
  }

  /** All that are known: also deactivated ones, whose Jobs may still run. */
  ids(): string[] {
    return [...this.#entries.keys()];
  }

  isActive(id: string): boolean {
    return this.#entries.get(id)?.active === true;
  }

  /** The orchestrator's own limit; undefined: it names none. */
  maxInFlight(id: string): number | undefined {
    const orchestrator = this.#entries.get(id)?.orchestrator;
    return orchestrator === undefined || orchestrator instanceof OpjobError ? undefined : orchestrator.maxInFlight;
  }

  /** @throws OpjobError ORCHESTRATOR_INVALID when the record is wrong or gone */
  get(id: string): Orchestrator {
    const entry = this.#entries.get(id);
    if (entry === undefined)
      throw new OpjobError("ORCHESTRATOR_INVALID", `There is no orchestrator "${id}" on Kubernetes (any more).`);
    if (entry.orchestrator instanceof OpjobError) throw entry.orchestrator;
    return entry.orchestrator;
  }

  /** What is in memory: proportional to the records, and to the secrets that they name. */
  get sizes() {
    return { orchestrators: this.#entries.size, kubeconfigs: this.#kubeconfigs.size, tokens: this.#tokens.size };
  }

  /**
   * The text of an orchestrator's kubeconfig; empty: in-cluster or default credentials.
   * @throws OpjobError SECRET_MISSING, SECRET_UNREADABLE, ENCRYPTION_KEY_…
   */
  kubeconfig({ kubeconfigSecret: name }: Orchestrator): Promise<string> {
    if (name === undefined) return Promise.resolve("");
    const known = this.#kubeconfigs.get(name);
    if (known) return known;
    const reading = this.#read(name);
    this.#kubeconfigs.set(name, reading);
    reading.catch(() => this.#kubeconfigs.delete(name));
    return reading;
  }

  async #read(name: string): Promise<string> {
    const { environment, records, keys } = this.#options;
    const given = environment[name] || environment[normaliseSecretName(name)];
    if (given) return given;
    const token = await records.token(name);
    this.#tokens.set(name, token);
    if (token === undefined) throw new OpjobError("SECRET_MISSING", `There is no secret "${name}".`);
    return openToken(await keys(), token, name).bytes.toString("utf8");
  }

  /** Without change streams nobody tells of a rotated secret: what waits for it must go on all the same. */
  async #haveTokensChanged(): Promise<boolean> {
    const known = [...this.#tokens];
    const now = await Promise.all(known.map(([name]) => this.#options.records.token(name)));
    return known.some(([, token], i) => token !== now[i]);
  }
}

function entriesOf(documents: readonly Record<string, unknown>[], log: Log): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const document of documents) {
    const id = document["instance_id"];
    if (typeof id !== "string" || id === "") {
      log.warn({ record: String(document["_id"]) }, "a record without instance_id: no operation can name it");
      continue;
    }
    const active = document["deactivated_at"] === undefined;
    const known = entries.get(id);
    if (known?.active && !active) continue;
    if (known?.active) log.warn({ orchestrator: id }, "two active records of this orchestrator: the newer one counts");
    entries.set(id, { active, orchestrator: parseOrError(document) });
  }
  return entries;
}

function parseOrError(document: Record<string, unknown>): Orchestrator | OpjobError {
  try {
    return parseOrchestrator(document);
  } catch (error) {
    return asOpjobError(error);
  }
}
