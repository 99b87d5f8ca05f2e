// What a setting may hold: checks that say in words what it must be. Pure.

/** From 0 on. */
export const natural = (max: number) => (value: unknown) => {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw new Error(`must be a whole number from 0 to ${max}`);
  }
};
export const positive = (max: number) => (value: unknown) => {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) {
    throw new Error(`must be a whole number from 1 to ${max}`);
  }
};
export const text = (value: unknown) => {
  if (typeof value !== "string") throw new Error("must be text");
};
/** Seconds. */
export const DAY = 86_400;
