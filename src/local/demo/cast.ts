// Who plays in the demo: the orchestrators' records and the operations with their fates, in FiftyOne's own shapes.
// Pure: documents out.
import { ObjectId } from "mongodb";
import type { DemoParams } from "./worker.ts";

export type CastOperation = {
  readonly label: string;
  readonly target: string | null;
  readonly params: DemoParams;
  /** How it must end; an operation without a target of ours stays as it is. */
  readonly ends: "completed" | "failed" | "deleted" | "queued";
  /** What a person does to it while it runs. */
  readonly person?: "fail" | "delete";
};

export const CPU = "kubernetes-cpu";
export const GPU = "kubernetes-gpu";
/** A CPU orchestrator whose image has a typing error. */
export const TYPO = "kubernetes-typo";

type Fate = DemoParams["fate"];
type Ends = CastOperation["ends"];

const operation = (
  label: string,
  target: string | null,
  [fate, seconds]: [Fate, number],
  ends: Ends,
): CastOperation => ({
  label,
  target,
  params: { fate, seconds },
  ends,
});

export const CAST: readonly CastOperation[] = [
  operation("Compute metadata", CPU, ["succeed", 1], "completed"),
  operation("Export dataset", CPU, ["succeed", 3], "completed"),
  operation("Compute hashes", CPU, ["succeed", 2], "completed"),
  operation("Evaluate detections", CPU, ["fail", 2], "failed"),
  operation("Load everything", CPU, ["exhaust-memory", 3], "failed"),
  operation("Convert videos", CPU, ["crash", 3], "failed"),
  operation("Custom script", CPU, ["forget-result", 1], "failed"),
  { ...operation("Wrong button", CPU, ["succeed", 120], "failed"), person: "fail" },
  { ...operation("Not needed any more", CPU, ["succeed", 120], "deleted"), person: "delete" },
  operation("Compute embeddings", GPU, ["succeed", 4], "completed"),
  operation("Apply model", GPU, ["succeed", 5], "completed"),
  operation("Train model", GPU, ["succeed", 4], "completed"),
  operation("Draft labels", TYPO, ["succeed", 2], "failed"),
  operation("Somebody else's", null, ["succeed", 1], "queued"),
];

export type RecordFields = {
  readonly id: string;
  readonly template: string;
  readonly image: string;
  readonly secret: string;
};

/** An orchestrator's record as the Management SDK writes it. */
export function recordOf({ id, template, image, secret }: RecordFields, now: Date) {
  return {
    instance_id: id,
    description: `Demo orchestrator ${id}`,
    environment: "kubernetes",
    available_operators: ["@demo/team/run"],
    config: { kubernetes: { image, executionTmplUri: template, namespace: "fiftyone" } },
    secrets: { kubernetes: { kubeConfig: secret } },
    created_at: now,
    updated_at: now,
  };
}

/** A queued operation as FiftyOne 1.22 writes it. */
export function operationDocument({ label, target, params }: CastOperation, now: Date) {
  return {
    _id: new ObjectId(),
    operator: `@demo/team/${label.toLowerCase().replaceAll(/[^a-z]+/g, "_")}`,
    label,
    delegation_target: target,
    run_state: "queued",
    run_link: null,
    queued_at: now,
    updated_at: now,
    status: null,
    dataset_id: new ObjectId(),
    started_at: null,
    pinned: false,
    completed_at: null,
    failed_at: null,
    scheduled_at: null,
    result: null,
    metadata: {},
    log_path: null,
    monitored: false,
    archived: false,
    rerunnable: true,
    parent_id: null,
    context: { request_params: { dataset_name: "demo", params, request_delegation: true, delegation_target: target } },
  };
}
