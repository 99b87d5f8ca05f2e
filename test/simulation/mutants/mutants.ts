// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are the code's own templates
// Faults to be planted in the code, each as a replacement of its text: the simulation must find every one of them.
// White space in the text does not count. A text that is not there exactly once stops everything: then the fault must be
// planted anew where the code has gone. Knows the text of src/; nothing of how faults are found.

import { AGAIN } from "./again.ts";
import { HEARING } from "./hearing.ts";
import { LEADING } from "./leading.ts";
import type { Mutant } from "./mutant.ts";
import { WAITING } from "./waiting.ts";

const ROADS: readonly Mutant[] = [
  {
    name: "claim although it is claimed for this queueing",
    file: "operations/claim.ts",
    from: "$expr: { $ne: [`$${FIELD}.queued_at`, QUEUED_AT] },",
    to: "",
  },
  {
    name: "claim what is archived",
    file: "operations/claim.ts",
    from: "archived: { $ne: true },",
    to: "",
  },
  {
    name: "claim whatever target it has",
    file: "operations/claim.ts",
    from: "delegation_target: { $in: targets },",
    to: "",
  },
  {
    name: "believe that all of a batch is claimed",
    file: "operations/statements.ts",
    from: "return byId(await collection.find(claimedBy(wanted, token), { projection: PROJECTION }).toArray());",
    to: `const read = byId(await collection.find(withIds(wanted), { projection: PROJECTION }).toArray());
    const made = { attempt: 1, token, phase: "claimed", reason: null, message: null, since: null, timeline: {} } as const;
    return new Map([...read].map(([id, one]) => [id, one.claim ? one : { ...one, claim: { ...made, queued_at: one.queuedAt, orchestrator: one.target ?? "" } }])) || claimedBy;`,
  },
  {
    name: "fail whatever state it is in",
    file: "operations/claim.ts",
    from: "run_state: operation.runState,",
    to: "",
  },
  {
    name: "write to what was queued anew",
    file: "operations/claim.ts",
    from: "    queued_at: claim.queued_at,\n    [`${FIELD}.queued_at`]: claim.queued_at,\n",
    to: "",
  },
  {
    name: "take a claim for valid although it was queued anew",
    file: "operations/operation.ts",
    from: "operation.claim !== undefined && operation.claim.queued_at?.getTime() === operation.queuedAt?.getTime()",
    to: "operation.claim !== undefined",
  },
  {
    name: "believe that every Job was recorded",
    file: "operations/statements.ts",
    from: "if (written.every((one) => one === true)) return",
    to: "if (written.length > 0) return",
  },
  {
    name: "adopt a Job of another attempt",
    file: "launch.ts",
    from: "isOfAttempt(found, claimed, database)",
    to: "isOfAttempt(found, { ...claimed, claim: { ...claimed.claim, attempt: found.attempt } }, database)",
  },
  {
    name: "adopt a Job whose labels were not looked at",
    file: "launch.ts",
    from: "if (!ours) throw",
    to: "if (false) throw",
  },
  {
    name: "adopt a Job of an earlier queueing",
    file: "record.ts",
    from: "if (isOfEarlierQueueing(created, claimed)) return passOver(options, made);",
    to: "if (isOfEarlierQueueing(created, claimed)) void passOver;",
  },
  {
    name: "pass over a name although a worker has begun",
    file: "operations/claim.ts",
    from: 'run_state: "queued" satisfies RunState, [`${FIELD}.uid`]: { $exists: false },',
    to: "[`${FIELD}.uid`]: { $exists: false },",
  },
  {
    name: "create under another name when the name is taken",
    file: "launch.ts",
    from: 'if (answer.kind === "created") {',
    to: `if (answer.kind === "exists") {
      const name = \`\${job.name}-b\`;
      const manifest = { ...job.manifest, metadata: { ...(job.manifest["metadata"] as object), name } };
      const second = await cluster.createJob(job.namespace, name, manifest);
      if (second.kind === "created") return { ...rendered, created: second.job, outcome: "created", warnings: [] };
    }
    if (answer.kind === "created") {`,
  },
  {
    name: "look no more at a Job that was found again",
    file: "step.ts",
    from: 'launched?.outcome === "adopted" ? { again: 0 } : next',
    to: "next",
  },
  {
    name: "delete the Job before the failure is written",
    file: "follow.ts",
    from: "if (!(await operations.fail(",
    to: "if (job) await options.dismiss.one(job, found.cluster, { operation, why: ending.reason });\n  if (!(await operations.fail(",
  },
  {
    name: "fail without asking the API server once more",
    file: "follow.ts",
    from: "const ending = await judge.confirm(operation, found, judged);",
    to: "const ending = await Promise.resolve(judged as Ending | undefined);\n  void judge;",
  },
  {
    name: "dismiss a Job of a later attempt than was read",
    file: "follow.ts",
    from: "live.filter(({ job }) => job.attempt <= attempt)",
    to: "live.filter(() => attempt >= 0)",
  },
  {
    name: "forget the claim that a failover took back",
    file: "follow.ts",
    from: 'if (operation.runState === "running") return followed(await retake(options, operation, jobs), operation);',
    to: `if (operation.claim === undefined) return { kind: "unclaimed", next: undefined, operation };
  if (operation.runState === "running") return followed(await retake(options, operation, jobs), operation);`,
  },
  {
    name: "leave alone what a worker of an earlier Job took",
    file: "follow.ts",
    from: 'if (operation.runState === "running") return followed(await retake(options, operation, jobs), operation);',
    to: 'if (operation.runState === "scheduled") return followed(await retake(options, operation, jobs), operation);',
  },
  {
    name: "see no second Job of an operation that has ended",
    file: "follow.ts",
    from: "? isTerminal(runState) && claim.uid !== undefined && claim.uid !== uid",
    to: "? isTerminal(runState) && uid === undefined",
  },
  {
    name: "leave the Job of an operation that ended without a claim",
    file: "follow.ts",
    from: "await dismiss.all(live, { operation, why: `the operation has ${operation.runState}` })",
    to: "undefined",
  },
  {
    name: "write a worker's log with the secrets in it",
    file: "last-words.ts",
    from: "hideSecrets(await cluster.podLog(namespace, pod, query), [...secrets])",
    to: "hideSecrets(await cluster.podLog(namespace, pod, query), secrets.size < 0 ? [...secrets] : [])",
  },
  {
    name: "take what a watch does not show for gone",
    file: "look.ts",
    from: "try { return await lookUp(operation);",
    to: 'try { if (shown.length === 0) return { observation: { kind: "absent", pods: [] }, cluster: undefined }; return await lookUp(operation);',
  },
  {
    name: "take a cluster that does not answer for one without the Job",
    file: "look.ts",
    from: '"cannot see the Job now");\n        return UNKNOWN;',
    to: '"cannot see the Job now");\n        return { observation: { kind: "absent", pods: [] }, cluster: undefined };',
  },
  {
    name: "forget the uid when looking for the Job of an ended operation",
    file: "look.ts",
    from: "return isOfAttempt(job, operation, database) && (recorded || !isTerminal(runState));",
    to: "return job.name !== '' || recorded || isTerminal(runState) || isOfAttempt(job, operation, database);",
  },
  {
    name: "leave the Job of an attempt that a failover took back",
    file: "follow.ts",
    from: "attempt < claim.attempt || isTerminal(runState);",
    to: "attempt < claim.attempt;",
  },
  {
    name: "delete without a live look",
    file: "dismiss.ts",
    from: "const live = await cluster.getJob(job.namespace, job.name);",
    to: "const live = await Promise.resolve(job as JobView | undefined);",
  },
  {
    name: "delete whatever has the name now",
    file: "dismiss.ts",
    from: 'if (live === undefined || live.uid !== job.uid || live.deleting) return undefined; const wait = few?.take() ?? 0; if (wait > 0) { log.warn(fieldsOf(job), "many operations are gone: their Jobs are deleted a few at a time"); return { again: wait }; } await deleteJob(cluster, job, how);',
    to: "if (live === undefined || live.deleting) return undefined; await deleteJob(cluster, live, how);",
  },
  {
    name: "delete without the uid as a precondition",
    file: "clusters/kubernetes.ts",
    from: "preconditions: { uid }",
    to: "preconditions: {}, orphan: uid === ''",
  },
  {
    name: "grant a worker that is done no time to end",
    file: "operations/transition.ts",
    from: "return byWorker ?",
    to: "return byWorker && now < 0 ?",
  },
  {
    name: "leave the Job of an ended operation",
    file: "operations/transition.ts",
    from: "if (live) return observed.job.deleting ?",
    to: "if (live) return observed.job.deleting || now > 0 ?",
  },
  {
    name: "grant an obstacle no time",
    file: "operations/transition.ts",
    from: "if (rest <= 0) {",
    to: "if (rest <= 0 || limitOf(obstacle.patience, patience) < Number.POSITIVE_INFINITY) {",
  },
  {
    name: "take an absent Job for one that still comes",
    file: "operations/transition.ts",
    from: 'return { kind: "fail", ending: explainAbsence(observed.pods, observed.events, operation.claim.uid) };',
    to: 'return { kind: "rest" };',
  },
];

export const MUTANTS: readonly Mutant[] = [...ROADS, ...HEARING, ...AGAIN, ...WAITING, ...LEADING];
