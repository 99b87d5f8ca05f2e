// What the demo says at its end: how each operation ended, the errors as FiftyOne shows them, and what to do next.
// Pure: text out.
import { asExpected, type Played } from "./play.ts";

export type Addresses = {
  readonly databaseUri: string;
  readonly kubeconfigFile: string;
  readonly settingsFile: string;
  readonly metricsUrl: string;
};

export function summary(played: readonly Played[], seconds: number): string {
  const count = (state: string) => played.filter(({ row }) => row.state === state).length;
  const failed = played.filter(({ row }) => row.state === "failed");
  const surprises = played.filter((one) => !asExpected(one));
  return [
    "",
    `After ${seconds.toFixed(1)} s: ${count("completed")} completed, ${count("failed")} failed, ${count("deleted")} deleted, ${count("queued")} left alone.`,
    "",
    "What FiftyOne's App shows for the failed ones:",
    ...failed.map(({ operation, document }) => `\n  ${operation.label}\n${indent(errorOf(document?.["result"]))}`),
    "",
    ...(surprises.length === 0
      ? ["Each operation ended as it should."]
      : surprises.map(
          ({ operation, row }) => `NOT as it should: "${operation.label}" is ${row.state}, not ${operation.ends}.`,
        )),
  ].join("\n");
}

export function nextSteps({ databaseUri, kubeconfigFile, settingsFile, metricsUrl }: Addresses, keep: boolean): string {
  if (!keep) {
    return "Next: `npm run demo -- --keep` leaves it running for mongosh and kubectl; README.md says how to deploy opjob.";
  }
  return [
    "It goes on running until Ctrl-C. Look around:",
    `  mongosh "${databaseUri}" --eval 'db.getSiblingDB("fiftyone").delegated_ops.find({}, {label: 1, run_state: 1, opjob: 1})'`,
    `  KUBECONFIG=${kubeconfigFile} kubectl get jobs,pods`,
    `  curl ${metricsUrl}`,
    `  . ${settingsFile} && npx node src/main.ts check   # or any other command of opjob`,
  ].join("\n");
}

function errorOf(result: unknown): string {
  const error = (result as { error?: string | null } | null)?.error;
  return error ?? "(no text: a person marked it as failed)";
}

const indent = (text: string): string =>
  text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
