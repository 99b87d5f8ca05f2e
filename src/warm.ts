// Warm: places every orchestrator before anybody waits for it: faults are told at once, connections and watches are open
// at the first launch, and Jobs from before a restart are seen. Renders a made-up operation only to learn the namespace.
import type { Cluster } from "./clusters/kubernetes.ts";
import { asOpjobError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Placer } from "./place.ts";
import { namespaceOf } from "./templates/stamp.ts";

export type WarmOptions = {
  readonly orchestrators: () => readonly string[];
  readonly isActive: (orchestrator: string) => boolean;
  readonly placer: Placer;
  readonly watch: (cluster: Cluster, namespace: string) => void;
  readonly retain: (keys: ReadonlySet<string>) => Promise<void>;
  readonly log: Log;
};

const MADE_UP = { _id: "000000000000000000000000", _name: "opjob-check", _image: "" };

/** Returns a function that warms all orchestrators; it never throws, and tells each fault once until it changes. */
export function createWarm({ orchestrators, isActive, placer, watch, retain, log }: WarmOptions): () => Promise<void> {
  const faults = new Map<string, string>();

  const warmOne = async (id: string): Promise<void> => {
    try {
      const { cluster, template, namespace, worker, orchestrator } = await placer.place(id);
      watch(cluster, namespace);
      const manifest = template.manifest({
        ...MADE_UP,
        _image: orchestrator.image ?? "",
        _command: worker.command,
        _args: worker.args.map((arg) => arg.replaceAll("{operation}", MADE_UP._id)),
      });
      watch(cluster, namespaceOf(manifest) ?? namespace);
      if (faults.delete(id)) log.info({ orchestrator: id }, "orchestrator is in order again");
    } catch (thrown) {
      const { code, message, remedy } = asOpjobError(thrown);
      if (faults.get(id) === message) return;
      faults.set(id, message);
      if (isActive(id)) log.error({ orchestrator: id, code, error: message, remedy }, "orchestrator cannot launch");
    }
  };

  return async () => {
    const ids = orchestrators();
    for (const known of faults.keys()) if (!ids.includes(known)) faults.delete(known);
    await Promise.all(ids.map(warmOne));
    await retain(placer.retain(ids));
  };
}

/**
 * Reads the records anew and warms what they name; true: a record changed. One reading after the other: one that another
 * overtakes says nothing, and work would begin without any orchestrator.
 */
export function createReload(
  directory: { load(): Promise<boolean> },
  warm: () => Promise<void>,
): () => Promise<boolean> {
  let last: Promise<unknown> = Promise.resolve();
  const load = async (): Promise<boolean> => {
    const changed = await directory.load();
    await warm();
    return changed;
  };
  return () => {
    const loaded = last.then(load, load);
    last = loaded.catch(() => undefined);
    return loaded;
  };
}
