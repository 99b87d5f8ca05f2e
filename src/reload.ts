// Reload: reads the records anew and makes ready what they name. One reading after the other: one that another overtakes tells
// nothing, and work would begin without any orchestrator.

/** Resolves when a reading is done that began after the call; true: a record changed. */
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
