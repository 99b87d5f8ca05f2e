// The rules about a Lease that the API server answers 422 for, in its words. Pure.
import type { KubeObject } from "./objects.ts";
import type { Cause } from "./status.ts";
import { invalidValue } from "./validate.ts";

type LeaseSpec = { readonly leaseDurationSeconds?: number; readonly leaseTransitions?: number };

export function leaseCauses(object: KubeObject): Cause[] {
  const { leaseDurationSeconds = 1, leaseTransitions = 0 } = (object["spec"] ?? {}) as LeaseSpec;
  const spec = (field: string, value: number, why: string): Cause => invalidValue(`spec.${field}`, value, why);
  return [
    ...(leaseDurationSeconds > 0 ? [] : [spec("leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0")]),
    ...(leaseTransitions >= 0
      ? []
      : [spec("leaseTransitions", leaseTransitions, "must be greater than or equal to 0")]),
  ];
}
