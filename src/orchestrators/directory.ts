// The orchestrators as they are now, and the kubeconfig of each. Loaded whole, replaced whole; a record that is wrong
// keeps its error and disturbs no other. Reads through the door it is given.
import { isDeepStrictEqual } from "node:util";
import { asOpjobError, OpjobError } from "../errors.ts";
import type { Log } from "../log.ts";
import { decryptToken, fernetKey } from "./fernet.ts";
import type { Records } from "./mongo.ts";
import { normaliseSecretName, type Orchestrator, parseOrchestrator } from "./orchestrator.ts";

export type DirectoryOptions = {
  readonly records: Records;
  /** FIFTYONE_ENCRYPTION_KEY; empty: not set. */
  readonly encryptionKey: string;
  /** A variable with the name of a secret wins over the stored one, as in FiftyOne. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
};

type Entry = { readonly active: boolean; readonly orchestrator: Orchestrator | OpjobError };

export class Directory {
  readonly #options: DirectoryOptions;
  #entries = new Map<string, Entry>();
  #kubeconfigs = new Map<string, Promise<string>>();
  #generation = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Reads everything anew; what was known of secrets is forgotten. Returns whether any record changed. */
  async load(): Promise<boolean> {
    const { records, log } = this.#options;
    const generation = ++this.#generation;
    const entries = new Map<string, Entry>();
    for (const document of await records.all()) {
      const id = document["instance_id"];
      if (typeof id !== "string" || id === "") {
        log.warn({ record: String(document["_id"]) }, "a record without instance_id: no operation can name it");
        continue;
      }
      const active = document["deactivated_at"] === undefined;
      const known = entries.get(id);
      if (known?.active && !active) continue;
      if (known?.active)
        log.warn({ orchestrator: id }, "two active records of this orchestrator: the newer one counts");
      entries.set(id, { active, orchestrator: parseOrError(document) });
    }
    if (generation !== this.#generation) return false; // a later load has begun: it knows better
    const changed = !isDeepStrictEqual(entries, this.#entries);
    this.#entries = entries;
    this.#kubeconfigs = new Map();
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
    const { environment, records, encryptionKey } = this.#options;
    const given = environment[name] || environment[normaliseSecretName(name)];
    if (given) return given;
    const token = await records.token(name);
    if (token === undefined) throw new OpjobError("SECRET_MISSING", `There is no secret "${name}".`);
    return decryptToken(fernetKey(encryptionKey), token, name);
  }
}

function parseOrError(document: Record<string, unknown>): Orchestrator | OpjobError {
  try {
    return parseOrchestrator(document);
  } catch (error) {
    return asOpjobError(error);
  }
}
