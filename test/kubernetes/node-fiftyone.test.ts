// The whole way in earnest: FiftyOne's own code queues, opjob launches, FiftyOne's own worker executes in a Pod that a real node
// runs, and FiftyOne's own service reads what became of it.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { databaseOf, type FiftyoneEnvironment, fiftyoneEnvironment } from "../fiftyone/environment.ts";
import { type OperationSpec, type PeerOperation, queueOperations, readOperations } from "../fiftyone/peer.ts";
import { HANG, SOON, script } from "./node-cases.ts";
import { describeOnNode } from "./on-node.ts";
import { IMAGE } from "./plane/image.ts";
import { seen } from "./seen.ts";
import { type Fate, type Stage, setStage } from "./stage.ts";

const WORKS = "kubernetes-cpu";
const END_WITHIN_MS = 180_000;

type Outcome = { readonly spec: OperationSpec; readonly state: string; readonly error: readonly RegExp[] };

/** Where an operation's Job goes wrong before or beside FiftyOne's worker. */
const FATES: Readonly<Record<string, Fate>> = {
  "exits-3": { container: script("echo the disk is full >&2; exit 3") },
  "wants-memory": {
    container: { ...script("echo growing; tail /dev/zero"), resources: { limits: { memory: "32Mi" } } },
  },
  "has-no-image": { container: { image: "gone.test/team/worker:1" } },
  // Long enough for its container to begin beside FiftyOne's workers, which load two processors for a while.
  "takes-too-long": { job: { activeDeadlineSeconds: 20 }, pod: SOON, container: script(HANG) },
};

const OUTCOMES: readonly Outcome[] = [
  { spec: { target: WORKS, params: { msg: "first" } }, state: "completed", error: [] },
  { spec: { target: WORKS, params: { msg: "second", sleep: 1 } }, state: "completed", error: [] },
  { spec: { target: WORKS, params: { msg: "bad", fail: true } }, state: "failed", error: [/told to fail: bad/] },
  { spec: { target: WORKS, params: { die: true } }, state: "failed", error: [/exit code 1\b/] },
  { spec: { target: "exits-3" }, state: "failed", error: [/exit code 3\b/, /the disk is full/] },
  { spec: { target: "wants-memory" }, state: "failed", error: [/OOMKilled/, /\b137\b/, /growing/] },
  { spec: { target: "has-no-image" }, state: "failed", error: [/gone\.test\/team\/worker:1/, /not found/] },
  { spec: { target: "takes-too-long" }, state: "failed", error: [/DeadlineExceeded/, /working/] },
];

/** A worker's image brings its Python; this one is the machine's own, at the same paths. */
async function templateOf(fiftyone: FiftyoneEnvironment, database: Record<string, string>): Promise<string> {
  const ask = ["-c", "import sys; print(sys.base_prefix)"];
  const base = (await promisify(execFile)(fiftyone.python, ask)).stdout.trim();
  const environment = dirname(dirname(fiftyone.python));
  const plugins = fiftyone.env["FIFTYONE_PLUGINS_DIR"] ?? "";
  const paths = [...new Set(["/usr", "/lib", "/lib64", base, environment, plugins])].filter(
    (path) => !path.startsWith("/usr/") && existsSync(path),
  );
  const name = (path: string): string => `host-${paths.indexOf(path)}`;
  // Its home is the container's own; the machine's programs come after the image's.
  const env = { ...fiftyone.env, ...database, HOME: "/root", PATH: `${dirname(fiftyone.python)}:/bin:/usr/bin` };
  const json = (value: unknown): string => JSON.stringify(value, undefined, 1).replaceAll(/\n\s*/g, " ");
  return `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ _name }}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      # The database listens on the machine's loopback.
      hostNetwork: true
      volumes: ${json(paths.map((path) => ({ name: name(path), hostPath: { path } })))}
      containers:
        - name: task-worker
          image: ${IMAGE}
          env: ${json(Object.entries(env).map(([key, value]) => ({ name: key, value })))}
          volumeMounts: ${json(paths.map((path) => ({ name: name(path), mountPath: path, readOnly: true })))}
          command:
            - {{ _command | tojson }}
          args:
            {% for arg in _args %}
            - {{ arg | tojson }}
            {% endfor %}
`;
}

describeOnNode("operations of the real FiftyOne on a real node", () => {
  let stage: Stage;
  let ids: string[];
  let read: (PeerOperation | null)[];

  beforeAll(async () => {
    const fiftyone = await fiftyoneEnvironment();
    stage = await setStage({ OPJOB_WORKER_COMMAND: fiftyone.python }, { level: "node" });
    const { db, uri } = stage;
    await stage.orchestrate(WORKS, await templateOf(fiftyone, databaseOf(uri, db.databaseName)));
    for (const [target, fate] of Object.entries(FATES)) await stage.orchestrate(target, fate);
    const specs = OUTCOMES.map(({ spec }) => spec);
    ids = await queueOperations(fiftyone, uri, db.databaseName, specs);
    const open = { run_state: { $nin: ["completed", "failed"] } };
    const ended = async () => (await db.collection("delegated_ops").countDocuments(open)) === 0;
    await seen("all operations ended", ended, END_WITHIN_MS);
    read = await readOperations(fiftyone, uri, db.databaseName, ids);
  }, 900_000);
  afterAll(() => stage?.[Symbol.asyncDispose](), 60_000);

  test.each(OUTCOMES.map((outcome, i) => [i, outcome.spec, outcome] as const))(
    "operation %d of %j is read back by FiftyOne as it ended",
    (i, spec, { state, error }) => {
      const operation = read[i];
      expect(operation).toMatchObject({ state, target: spec.target });
      if (state === "completed") {
        expect(operation?.error).toBeNull();
        expect(operation?.result).toMatchObject({ msg: spec.params?.msg, num_samples: 3 });
      }
      for (const word of error) expect(operation?.error).toMatch(word);
    },
  );

  test("each was launched once", () => {
    const launched = stage.daemon.lines.filter(({ msg }) => msg === "launched");
    expect(launched.map(({ operation }) => String(operation)).toSorted()).toEqual(ids.toSorted());
  });
});
