// The error of what the simulation does not know. Code under simulation may well catch it; the run ends all the same.

let raised: NotSimulated | undefined;

export class NotSimulated extends Error {
  override readonly name = "NotSimulated";

  constructor(what: string) {
    super(`not simulated: ${what}`);
    remember(this);
  }
}

function remember(error: NotSimulated): void {
  raised ??= error;
}

/** The first one since it was last asked for, whoever caught it. */
export function takeNotSimulated(): NotSimulated | undefined {
  const first = raised;
  raised = undefined;
  return first;
}
