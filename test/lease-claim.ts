// A claim on a Lease, as the tests of its door write it on each kind of server. Knows the claim's shape only.
import type { LeaseClaim } from "../src/clusters/lease.ts";

export const CLAIM: LeaseClaim = {
  holder: "a",
  durationMs: 15_000,
  epoch: 7,
  instance: "db",
  acquiredAt: Date.UTC(2026, 0, 1),
  renewedAt: Date.UTC(2026, 0, 1, 0, 0, 5, 30),
};
