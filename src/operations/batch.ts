// Batches: calls that come while others are under way go out together. A single call is sent at once, on its own.
// Knows nothing of what the calls do.
import type { Clock } from "../clock.ts";

type Waiting<In, Out> = {
  readonly input: In;
  readonly resolve: (output: Out) => void;
  readonly reject: (error: unknown) => void;
};

export type BatchOptions = {
  /** How many calls go out together at the most. */
  readonly largest: number;
  /** How many batches may be under way at once. */
  readonly width: number;
  /** While calls come in crowds, batches go out so far apart, or when they are full: a few large ones cost less than many small ones. */
  readonly pace?: { readonly ms: number; readonly clock: Pick<Clock, "elapsed" | "after"> };
};

/** So many batches may go ahead of the pace: a few calls that come together do not wait. */
const FREE = 3;

/**
 * Makes one call of many.
 * @param send answers a batch, output by output in the order of its inputs; what it throws is thrown to each caller
 */
export function batched<In, Out>(
  send: (inputs: readonly In[]) => Promise<readonly Out[]>,
  { largest, width, pace }: BatchOptions,
): (input: In) => Promise<Out> {
  const waiting: Waiting<In, Out>[] = [];
  let underWay = 0;
  /** When the batches so far would have gone out at the pace. */
  let due = 0;
  let armed = false;

  const rest = (): number =>
    waiting.length >= largest || pace === undefined ? 0 : due - FREE * pace.ms - pace.clock.elapsed();

  const next = (): void => {
    if (underWay >= width || waiting.length === 0) return;
    const ms = rest();
    if (ms > 0) {
      arm(ms);
      return;
    }
    const batch = waiting.splice(0, largest);
    if (pace) due = Math.max(due, pace.clock.elapsed()) + pace.ms;
    underWay++;
    void deliver(batch, () => send(batch.map(({ input }) => input))).finally(() => {
      underWay--;
      next();
    });
  };

  const arm = (ms: number): void => {
    if (armed) return;
    armed = true;
    // A rest below the clock's own precision would be armed for ever, at the same moment.
    pace?.clock.after(Math.ceil(ms), () => {
      armed = false;
      next();
    });
  };

  return (input) =>
    new Promise<Out>((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      next();
    });
}

async function deliver<In, Out>(
  batch: readonly Waiting<In, Out>[],
  send: () => Promise<readonly Out[]>,
): Promise<void> {
  try {
    const outputs = await send();
    for (const [i, { resolve }] of batch.entries()) resolve(outputs[i] as Out);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
