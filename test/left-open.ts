// What a test has opened and not closed (yet): config/test-environment.js closes it when the last test of the file is over. A test that
// runs out of time goes on unheard, and would keep its daemon for ever. Knows what is open by name; nothing of what it is.

type Open = { readonly what: string; readonly close: () => Promise<void> };

declare global {
  /** Jest's environment looks here: it is no module of the test's. */
  var opjobLeftOpen: Map<object, Open> | undefined;
}

/** Closes once, however often it is asked; until then it counts as left open. */
export function closing(what: string, close: () => Promise<void>): () => Promise<void> {
  globalThis.opjobLeftOpen ??= new Map();
  const open = globalThis.opjobLeftOpen;
  const key = {};
  let closed: Promise<void> | undefined;
  const once = (): Promise<void> => {
    closed ??= close().finally(() => open.delete(key));
    return closed;
  };
  open.set(key, { what, close: once });
  return once;
}
