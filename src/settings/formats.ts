// What a setting's value may be; each throws the words that follow the variable's name. And the shape of a setting. Pure.
import type { SchemaObj } from "convict";

export type Settings = Record<string, SchemaObj & { readonly env: string; readonly unit?: string }>;

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
export const DAY = 86_400;
