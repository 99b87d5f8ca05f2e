// Batches: calls that come while others are under way go out together. A single call is sent at once, on its own.
// Knows nothing of what the calls do.

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
};

/**
 * Makes one call of many.
 * @param send answers a batch, output by output in the order of its inputs; what it throws is thrown to each caller
 */
export function batched<In, Out>(
  send: (inputs: readonly In[]) => Promise<readonly Out[]>,
  { largest, width }: BatchOptions,
): (input: In) => Promise<Out> {
  const waiting: Waiting<In, Out>[] = [];
  let underWay = 0;

  const next = (): void => {
    if (underWay >= width || waiting.length === 0) return;
    const batch = waiting.splice(0, largest);
    underWay++;
    void deliver(batch, () => send(batch.map(({ input }) => input))).finally(() => {
      underWay--;
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
