// Why opjob leaves an operation alone, in words. Pure.
import type { Facts } from "./facts.ts";
import type { Verdict } from "./verdict.ts";

const left = (headline: string, message: string, remedy: string): Verdict => ({
  state: "not taken",
  well: false,
  headline,
  message,
  remedy,
});

/** undefined: nothing of the operation itself keeps opjob from it. */
export function notOurs({ operation, target }: Facts): Verdict | undefined {
  return ofTarget(operation.target ?? "", target) ?? ofState(operation);
}

function ofTarget(name: string, target: Facts["target"]): Verdict | undefined {
  switch (target.kind) {
    case "ours":
      return undefined;
    case "none":
      return left(
        "opjob does not take it: it names no orchestrator.",
        "Its delegation_target is empty: whoever takes such operations, like `fiftyone delegated launch`, may take it.",
        "Queue it with an orchestrator: delegation_target=… in the SDK, or choose one in the App.",
      );
    case "unknown":
      return left(
        `opjob does not take it: there is no orchestrator "${name}".`,
        target.hint,
        "Register that orchestrator, or queue the operation for one that there is.",
      );
    case "elsewhere":
      return left(
        `opjob does not take it: "${name}" is not on Kubernetes.`,
        target.environment === "" ? "Its record names no environment." : `It is on ${target.environment}.`,
        "FiftyOne's API launches it; if it should be on Kubernetes, register it so.",
      );
    case "deactivated":
      return left(
        `opjob does not take it: the orchestrator "${name}" is deactivated.`,
        target.at === undefined
          ? "Its record has a deactivated_at, which means so whatever it holds."
          : `It was deactivated at ${target.at.toISOString()}.`,
        `\`opjob orchestrator activate ${name}\` takes it into use again: the operation then goes on.`,
      );
  }
}

function ofState({ runState, archived }: Facts["operation"]): Verdict | undefined {
  if (archived && runState === "queued") {
    return left(
      "opjob does not take it: it is archived.",
      "Archived operations are not launched.",
      "Unarchive it in FiftyOne: it is then launched.",
    );
  }
  if (runState === "scheduled") {
    return left(
      "opjob does not take it: it is scheduled, not queued.",
      "FiftyOne's API puts a scheduled operation into the queue once it may run.",
      "See in FiftyOne what it waits for: a quota, or operations before it.",
    );
  }
  if (runState === "queued" || runState === "running") return undefined;
  return left(
    `opjob leaves it alone: its state is ${runState}.`,
    "No worker of today's FiftyOne writes that state.",
    "See which program wrote it.",
  );
}
