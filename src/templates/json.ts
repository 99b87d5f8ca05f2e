// A manifest as plain data, and how to look into it without trusting its shape. Pure.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const fieldOf = (value: Json | undefined, field: string): Json | undefined =>
  isObject(value) ? value[field] : undefined;
