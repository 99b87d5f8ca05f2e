// Python's dict: keeps the order of insertion, and takes 1, 1.0 and true for the same key.
// It knows how keys are hashed; what its values are does not matter to it.
import { typeFault } from "./jinja-error.ts";
import type { Budget } from "./limits.ts";
import { chargeInteger } from "./numbers.ts";
import { DictView, Markup, Opaque, Range, Tuple, typeName, Undefined, type Value } from "./values.ts";

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

function identity(value: object): string {
  const known = identities.get(value) ?? ++lastIdentity;
  identities.set(value, known);
  return `@${known}`;
}

/** A text that is equal for two values exactly if Python takes them for the same key. @throws Fault TypeError */
function hashKey(budget: Budget, value: Value): string {
  if (typeof value === "string") return hashText(budget, value);
  if (typeof value === "boolean") return value ? "n1" : "n0";
  if (typeof value === "bigint") return hashInteger(budget, value);
  if (typeof value === "number") return Number.isInteger(value) ? hashInteger(budget, BigInt(value)) : `f${value}`;
  return hashObject(budget, value);
}

/** To base 16, because writing to base 10 takes time in the square of the size. */
function hashInteger(budget: Budget, value: bigint): string {
  chargeInteger(budget, value);
  return `n${value.toString(16)}`;
}

function hashText(budget: Budget, text: string): string {
  budget.chargeText(text.length);
  return `s${text}`;
}

function hashObject(budget: Budget, value: Exclude<Value, boolean | bigint | number | string>): string {
  if (value === null) return "0";
  if (value instanceof Markup) return hashText(budget, value.text);
  if (value instanceof Undefined) return "u";
  if (value instanceof Range) return `r${value.start},${value.stop},${value.step}`;
  if (value instanceof Tuple) return hashTuple(budget, value);
  if (value instanceof Opaque || (value instanceof DictView && value.part === "values")) return identity(value);
  throw typeFault(`a ${typeName(value)} cannot be the key of a dict`);
}

function hashTuple(budget: Budget, tuple: Tuple): string {
  return budget.inValue(() => {
    let hash = "t";
    for (const item of tuple.items) {
      const part = hashKey(budget, item);
      hash += `${part.length}:${part}`;
      budget.checkString(hash.length);
    }
    return hash;
  });
}

/** Every method that takes a key throws Fault TypeError if the key can change, as a list can. */
export class Dict {
  private readonly slots = new Map<string, [key: Value, value: Value]>();

  get size(): number {
    return this.slots.size;
  }
  get(budget: Budget, key: Value): Value | undefined {
    return this.slots.get(hashKey(budget, key))?.[1];
  }
  has(budget: Budget, key: Value): boolean {
    return this.slots.has(hashKey(budget, key));
  }
  /** A key that is there already keeps its place and its first spelling. */
  set(budget: Budget, key: Value, value: Value): void {
    const hash = hashKey(budget, key);
    const slot = this.slots.get(hash);
    if (slot) {
      slot[1] = value;
      return;
    }
    budget.checkGrowth(this.slots.size + 1);
    this.slots.set(hash, [key, value]);
  }
  delete(budget: Budget, key: Value): Value | undefined {
    const hash = hashKey(budget, key);
    const slot = this.slots.get(hash);
    this.slots.delete(hash);
    return slot?.[1];
  }
  clear(): void {
    this.slots.clear();
  }
  entries(): IterableIterator<[key: Value, value: Value]> {
    return this.slots.values() as IterableIterator<[key: Value, value: Value]>;
  }
}
