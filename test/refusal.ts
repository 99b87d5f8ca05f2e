// For tests: the error of ours that an act ends with.
// Knows nothing of what is refused.
import { OpjobError } from "../src/errors.ts";

export function refusal(act: () => unknown): OpjobError {
  try {
    act();
  } catch (error) {
    if (error instanceof OpjobError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

export async function refusalOf(promise: Promise<unknown>): Promise<OpjobError> {
  const outcome: unknown = await promise.then(
    () => new Error("it was accepted"),
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof OpjobError) return outcome;
  throw outcome;
}
