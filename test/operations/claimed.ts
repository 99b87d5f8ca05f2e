// Claimed operations and what is observed of their Jobs, as the reducer's tests need them.
// Knows shapes only: nothing of what follows from them.
import type { JobView, PodView } from "../../src/clusters/observation.ts";
import type { Claim, Claimed } from "../../src/operations/operation.ts";
import type { Observation, Patiences } from "../../src/operations/transition.ts";
import { jobView, OPERATION, podView, T0 } from "../clusters/views.ts";

export const PATIENCE: Patiences = { short: 30_000, pending: 900_000, result: 5_000 };
export const NOW = T0 + 120_000;

export const claimOf = (fields: Partial<Claim> = {}): Claim => ({
  queued_at: new Date(T0),
  attempt: 1,
  orchestrator: "kubernetes-gpu",
  phase: "created",
  reason: null,
  message: null,
  since: new Date(T0),
  job: `echo-${OPERATION}`,
  uid: "job-1",
  timeline: { seen: new Date(T0), claimed: new Date(T0), created: new Date(T0) },
  ...fields,
});

export const operationOf = (fields: Partial<Claimed> = {}, claim: Partial<Claim> = {}): Claimed => ({
  id: OPERATION,
  operator: "@peer/echo",
  target: "kubernetes-gpu",
  runState: "queued",
  queuedAt: new Date(T0),
  endedAt: null,
  archived: false,
  error: null,
  parentId: null,
  priority: 0,
  ...fields,
  claim: claimOf(claim),
});

export const seen = (job: Partial<JobView>, ...pods: Partial<PodView>[]): Observation => ({
  kind: "job",
  job: jobView(job),
  pods: pods.map((pod) => podView(pod)),
});
export const ABSENT: Observation = { kind: "absent", pods: [] };
export const UNKNOWN: Observation = { kind: "unknown" };
