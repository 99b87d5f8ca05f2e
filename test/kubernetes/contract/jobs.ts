// The Jobs that the contract creates. What their Pods do is said twice: as a command for a node that runs processes, and
// as annotations for one that only plays (plane/kwok.ts). Pure.
import { LABELS } from "../../../src/clusters/observation.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What is laid over the plain Job; a field that is undefined is taken away. */
export type Changes = {
  readonly top?: Fields;
  readonly metadata?: Fields;
  readonly spec?: Fields;
  readonly template?: Fields;
  readonly pod?: Fields;
  readonly container?: Fields;
  /** In the place of the one container. */
  readonly containers?: unknown;
  readonly does?: Deed;
};

/** What a Pod does: write five lines and then … */
export type Deed = "succeed" | "exit-3" | "hang" | "linger" | "crash-once";

const LINES = "for i in 1 2 3 4 5; do echo line $i; done";
const DEEDS: Record<Deed, { readonly script: string; readonly annotations: Record<string, string> }> = {
  succeed: { script: LINES, annotations: {} },
  "exit-3": { script: `${LINES}; exit 3`, annotations: { "plane/exit-code": "3" } },
  hang: { script: `${LINES}; exec sleep 600`, annotations: { "plane/hang": "" } },
  /** Does not heed its first signal for two seconds. */
  linger: {
    script: `trap 'sleep 2; exit 0' TERM; ${LINES}; sleep 600 & wait`,
    annotations: { "plane/hang": "", "plane/linger": "2s" },
  },
  /** Ends with 7, and runs when it is started again. */
  "crash-once": {
    script: `if [ -e "$HOME/ran" ]; then exec sleep 600; fi; touch "$HOME/ran"; ${LINES}; exit 7`,
    annotations: { "plane/hang": "", "plane/restarted": "7" },
  },
};

/** A Job as opjob makes them: labelled, without a second try. */
export function job(name: string | undefined, changes: Changes = {}): Record<string, unknown> {
  const { top, metadata, spec, template, pod, containers, container, does = "hang" } = changes;
  const { script, annotations } = DEEDS[does];
  const labels = { [LABELS.operation]: name ?? "generated" };
  const plain = { name: "worker", image: "contract/worker:1", command: ["/bin/sh", "-c", script] };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels, ...metadata },
    spec: {
      backoffLimit: 0,
      ...spec,
      template: {
        metadata: { labels, annotations, ...template },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: 1,
          containers: containers ?? [{ ...plain, ...container }],
          ...pod,
        },
      },
    },
    ...top,
  };
}

/** A Job that nothing is done for: it has no Pod, and does not change by itself after its first moment. */
export const suspended = (name: string, changes: Changes = {}): Record<string, unknown> =>
  job(name, { ...changes, spec: { suspend: true, ...changes.spec } });
