// The door to where templates are stored: chooses the store for a place, gives each read its deadline, and remembers what came.
// A file is looked at at every use; what comes over a network is asked for again after a short life.
import type { Log } from "../log.ts";
import type { Location } from "./location.ts";
import { createMemory, type Stale, type Stored, versionOf } from "./memory.ts";
import { azureStore } from "./stores/azure.ts";
import { readFromFile } from "./stores/file.ts";
import { gcsStore } from "./stores/gcs.ts";
import { type Answer, type Asked, within } from "./stores/reading.ts";
import { s3Store } from "./stores/s3.ts";
import { webStore } from "./stores/web.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type StorageOptions = {
  /** For the addresses of stores; the stores' own libraries find their credentials by themselves. */
  readonly environment?: Environment;
  /** Whether an address may be plain http. */
  readonly allowHttp?: boolean;
  /** How long a text is used before its store is asked again (ms). */
  readonly lifeMs?: number;
  /** Deadline of one read (ms). */
  readonly timeoutMs?: number;
  readonly log?: Log;
  readonly now?: () => number;
};

export type Storage = {
  /** @throws OpjobError TEMPLATE_MISSING, _FORBIDDEN, _UNREADABLE, _STORE_UNREACHABLE, _LOCATION_UNSUPPORTED */
  load(location: Location): Promise<Stored>;
  /** Forgets all other templates. */
  retain(locations: readonly Location[]): void;
  /** The templates in use whose store is away. */
  stale(): Stale[];
  /** Texts in memory. */
  readonly size: number;
};

const DEFAULTS = { environment: {} as Environment, allowHttp: false, lifeMs: 30_000, timeoutMs: 10_000 };

export function openStorage(options: StorageOptions = {}): Storage {
  const { environment, allowHttp, lifeMs, timeoutMs } = { ...DEFAULTS, ...options };
  const memory = createMemory({ lifeMs, log: options.log, now: options.now ?? Date.now });
  const read = reader(environment, allowHttp);
  return {
    async load(location) {
      if (location.kind === "inline") return { text: location.text, version: versionOf(location.text) };
      return memory.recall({
        key: keyOf(location),
        name: location.name,
        always: location.kind === "file",
        read: (tag) => within(timeoutMs, location.name, (signal) => read(location, { tag, signal })),
      });
    },
    retain: (locations) => memory.retain(new Set(locations.map(keyOf))),
    stale: () => memory.stale(),
    get size() {
      return memory.size;
    },
  };
}

/** Whole, for two addresses may differ in what is never shown of them. */
const keyOf = (location: Location): string => JSON.stringify(location);

function reader(environment: Environment, allowHttp: boolean) {
  const web = webStore(allowHttp);
  const s3 = s3Store(environment);
  const gcs = gcsStore(environment);
  const azure = azureStore(environment);
  return async (location: Exclude<Location, { kind: "inline" }>, asked: Asked): Promise<Answer> => {
    switch (location.kind) {
      case "file":
        return readFromFile(location, asked);
      case "web":
        return web(location, asked);
      case "s3":
      case "minio":
        return s3(location, asked);
      case "gcs":
        return gcs(location, asked);
      case "azure":
        return azure(location, asked);
    }
  };
}
