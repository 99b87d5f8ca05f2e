// Kubernetes quantities (`500m`, `16Gi`, `1e3`) as numbers. Pure.

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Cores, bytes or pieces. @throws Error for a text that is no quantity */
export function quantityOf(value: string | number): number {
  const match = /^([+-]?[0-9.]+)([eE][-+]?[0-9]+|[numkKMGTPE]?i?)$/.exec(String(value));
  const [, digits = "", suffix = ""] = match ?? [];
  const unit = UNITS[suffix] ?? (/^[eE]/.test(suffix) ? 10 ** Number(suffix.slice(1)) : undefined);
  if (!match || unit === undefined) throw new Error(`${value} is no quantity`);
  return Number(digits) * unit;
}
