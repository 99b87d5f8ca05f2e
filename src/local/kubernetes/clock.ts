// Time and every timer of the cluster, so that stop() can end them all. Knows nothing of what is timed.

export class Clock {
  readonly #pending = new Map<object, () => void>();
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now();
  }

  /** Calls once after `ms`, unless cancelled or stopped before. @returns the cancel */
  after(ms: number, call: () => void): () => void {
    if (this.#stopped) return () => undefined;
    const key = {};
    const timer = setTimeout(
      () => {
        this.#pending.delete(key);
        call();
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    const cancel = () => {
      clearTimeout(timer);
      this.#pending.delete(key);
    };
    this.#pending.set(key, cancel);
    return cancel;
  }

  /** Calls once after the current tick. */
  soon(call: () => void): void {
    setImmediate(() => {
      if (!this.#stopped) call();
    });
  }

  /** Resolves after `ms`, or earlier when the signal aborts or the clock stops: whoever waits must look again. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = deferred<void>();
    if (this.#stopped || signal?.aborted) return Promise.resolve();
    const key = {};
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      this.#pending.delete(key);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    this.#pending.set(key, done);
    return promise;
  }

  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#pending.values()]) end();
    this.#pending.clear();
  }
}

export type Deferred<T> = { readonly promise: Promise<T>; readonly resolve: (value: T) => void };

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
