// While a simulation runs, real time and real chance are out of reach: what asks for them would not play the same twice.
import { NotSimulated } from "./not-simulated.ts";

type Named = Record<string, unknown>;

const FORBIDDEN: readonly (readonly [Named, string])[] = [
  [globalThis as unknown as Named, "setTimeout"],
  [globalThis as unknown as Named, "setInterval"],
  [Math as unknown as Named, "random"],
  [performance as unknown as Named, "now"],
];

/** Until it is disposed of, whoever reaches for the system's timers, clock or chance stops the simulation. */
export function forbidRealTime(): Disposable {
  const real = FORBIDDEN.map(([owner, name]) => owner[name]);
  for (const [owner, name] of FORBIDDEN) {
    owner[name] = () => {
      throw new NotSimulated(`${name} of the system`);
    };
  }
  return {
    [Symbol.dispose]: () => {
      for (const [i, [owner, name]] of FORBIDDEN.entries()) owner[name] = real[i];
    },
  };
}
