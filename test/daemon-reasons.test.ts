// The reason of a failure, and whose fault it is, seen from outside: the whole daemon on a real MongoDB and a Kubernetes API server.
// Every row of the tables is in test/clusters, and on a real control plane in test/kubernetes.
import { expect, test } from "@jest/globals";
import { storeSecret, until } from "./local-daemon.ts";
import { NAMESPACE, type Scene, scene, template } from "./scene.ts";

type PodName = { readonly namespace: string; readonly name: string };
const podOf = async ({ kubernetes }: Scene, id: string): Promise<PodName> => {
  const answer = await fetch(`${kubernetes.url}/api/v1/pods?labelSelector=opjob/operation=${id}`);
  const { items } = (await answer.json()) as { items: { metadata: PodName }[] };
  const [pod] = items;
  if (pod === undefined) throw new Error("it has no Pod");
  return pod.metadata;
};
const BLIND = "blind-blind-blind";
const STRANGER = template({ pod: "serviceAccountName: nobody" });

test("a service account that is missing is told from the cluster's Events, and its operation runs once it is there", async () => {
  await using stage = await scene(STRANGER);
  await stage.start({ OPJOB_IMAGE_GRACE_SECONDS: "30" });
  const id = await stage.queue();
  const { opjob, run_state } = await stage.reaches(id, "ServiceAccountMissing");
  expect(opjob).toMatchObject({ phase: "waiting", fault: "template" });
  expect(opjob?.message).toMatch(/serviceaccount "nobody" not found\. The cause lies in the Job template/);
  expect(run_state).toBe("queued");
  await stage.kubernetes.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: "nobody" } });
  expect((await stage.reaches(id, "running")).opjob).toMatchObject({ reason: null, fault: null });
});

test("it fails the operation when it stays away, in the words of the Events", async () => {
  await using stage = await scene(STRANGER);
  await stage.start({ OPJOB_IMAGE_GRACE_SECONDS: "0" });
  const { opjob, result } = await stage.reaches(await stage.queue(), "failed");
  expect(opjob).toMatchObject({ reason: "ServiceAccountMissing", fault: "template" });
  expect(result?.error).toMatch(/nobody.*not in the operation\.\nWhat to do: Create the service account/);
  await until("the Job is gone", async () => (await stage.jobs()).length === 0);
});

test("without the right to read Events the operation waits and fails all the same, in poorer words", async () => {
  const blind = { user: "blind", allow: (verb: string, resource: string) => `${verb} ${resource}` !== "list events" };
  await using stage = await scene(STRANGER, { accounts: { [BLIND]: blind } });
  await storeSecret(stage.database.db, "KUBE", stage.kubernetes.kubeconfig({ token: BLIND }));
  await stage.start({ OPJOB_PENDING_TIMEOUT_SECONDS: "1" });
  const { opjob, result } = await stage.reaches(await stage.queue(), "failed");
  expect(opjob).toMatchObject({ reason: "NoPod", fault: "cluster" });
  expect(result?.error).toMatch(/has not made a Pod .*it is not your fault/);
  expect(stage.daemon().lines.filter(({ msg }) => msg === "cannot read Events")).toHaveLength(1);
});

test("a Pod that somebody deletes is not the operation's fault, though it is gone by then", async () => {
  await using stage = await scene();
  await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  stage.kubernetes.faults.deletePod(await podOf(stage, id));
  const { opjob, result } = await stage.reaches(id, "failed");
  expect(opjob).toMatchObject({ reason: "PodDeleted", fault: "cluster" });
  expect(result?.error).toMatch(/it is not your fault\.\nWhat to do: Run the operation again/);
});

test("an eviction is not the operation's fault, and one for a limit of its own is", async () => {
  await using stage = await scene();
  await stage.start();
  const fates = [
    ["The node was low on resource: memory. ", "cluster"],
    ['Container task-worker exceeded its local ephemeral storage limit "1Gi". ', "operation"],
  ] as const;
  for (const [message, fault] of fates) {
    const id = await stage.queue();
    await stage.reaches(id, "running");
    stage.kubernetes.faults.evict(await podOf(stage, id), message);
    expect((await stage.reaches(id, "failed")).opjob).toMatchObject({ reason: "Evicted", fault });
  }
});

test("the last log lines are told although the Job's deadline has taken the Pod away", async () => {
  const deaf = template({ job: "activeDeadlineSeconds: 2", pod: "terminationGracePeriodSeconds: 1" }).replace(
    "  template:\n",
    '  template:\n    metadata:\n      annotations: {local/ignore-sigterm: ""}\n',
  );
  await using stage = await scene(deaf);
  await stage.start();
  const id = await stage.queue();
  await stage.reaches(id, "running");
  stage.kubernetes.simulate.print(await podOf(stage, id), "epoch 1\nlast words\n");
  const { opjob, result } = await stage.reaches(id, "failed");
  expect(opjob).toMatchObject({ reason: "DeadlineExceeded", fault: "operation" });
  expect(result?.error).toMatch(/Last log lines of container "task-worker":\nepoch 1\nlast words$/);
});

test("what can never be launched is the template's fault", async () => {
  await using stage = await scene("apiVersion: v1\nkind: Pod\n");
  await stage.start();
  const { opjob, result } = await stage.reaches(await stage.queue(), "failed");
  expect(opjob).toMatchObject({ reason: "TEMPLATE_NOT_A_JOB", fault: "template" });
  expect(result?.error).toContain("The cause lies in the Job template");
});
