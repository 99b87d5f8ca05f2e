// What a real node showed is what opjob reads of it: the fields that it judges by are where it looks for them.
import { describe, expect, test } from "@jest/globals";
import { type ContainerView, jobEnd, viewJob, viewPod } from "../../src/clusters/observation.ts";
import { RECORDED, recorded } from "./recorded.ts";

const ofContainer = ({ name, waiting, terminated }: ContainerView): string =>
  `${name} ${waiting?.reason ?? (terminated ? `${terminated.reason} ${terminated.exitCode}` : "runs")}`;

/** The last state in which there was a Pod at all: how it is, why, and how its containers are. */
function lastPodOf(name: string): string {
  const pods = recorded(name).states.flatMap((state) => state.pods);
  const pod = pods.at(-1);
  if (pod === undefined) throw new Error("no Pod was seen");
  const { phase, reason, conditions, initContainers, containers } = viewPod(pod);
  const disruption = conditions.find(({ type, status }) => type === "DisruptionTarget" && status === "True");
  const why = [reason, disruption?.reason ?? ""].filter((word) => word !== "");
  return [phase, ...why, ...[...initContainers, ...containers].map(ofContainer)].join(", ");
}

test.each([
  ["exit code 3 with words on stderr", "Failed, worker Error 3"],
  ["more memory than its limit", "Failed, worker OOMKilled 137"],
  ["a signal from outside", "Failed, worker Error 137"],
  ["a command that the image does not have", "Failed, worker StartError 128"],
  ["success that nobody recorded", "Succeeded, worker Completed 0"],
  ["an init container", "Failed, clone Error 4, worker PodInitializing"],
  ["a worker beside a native sidecar", "Failed, telemetry Error 137, worker Error 5"],
  ["success beside a native sidecar", "Succeeded, telemetry Error 137, worker Completed 0"],
  ["more in a volume than it may hold", "Failed, Evicted, worker Error 137"],
  ["more on its disk than its limit", "Failed, Evicted, worker Error 137"],
  ["an eviction by the API", "Failed, EvictionByEvictionAPI, worker Error 137"],
  ["the Pod's deadline", "Failed, DeadlineExceeded, worker Error 137"],
  ["the Job's deadline", "Failed, worker Error 137"],
  ["an image at a registry that does not answer", "Pending, worker ErrImagePull"],
  ["an image that its registry does not have", "Pending, worker ErrImagePull"],
  ["an image whose registry is overloaded", "Pending, worker ErrImagePull"],
  ["an image that needs credentials", "Pending, worker ErrImagePull"],
  ["an image that is not on the node and may not be pulled", "Pending, worker ErrImageNeverPull"],
  ["an image name that is none", "Pending, worker InvalidImageName"],
  ["an environment of a ConfigMap that is missing", "Pending, worker CreateContainerConfigError"],
  ["a variable of a Secret that is missing", "Pending, worker CreateContainerConfigError"],
  ["a volume of a Secret that is missing", "Pending, worker ContainerCreating"],
  ["a Job that somebody deletes", "Running, worker runs"],
])("of %s the last Pod is: %s", (name, pod) => {
  expect(lastPodOf(name)).toBe(pod);
});

describe.each(RECORDED.map((one) => [one.case, one] as const))("of %s", (_name, { states }) => {
  test("every Job and Pod is told to be of one and the same operation and database", () => {
    const views = states.flatMap(({ job, pods }) => [viewJob(job), ...pods.map(viewPod)]);
    const operations = new Set(views.map(({ operation, database }) => `${operation} ${database}`));
    expect([...operations]).toEqual([expect.stringMatching(/^[0-9a-f]{24} [0-9a-f]{16}$/)]);
  });

  test("no Job has ended while its Pod still runs", () => {
    const ended = states.filter(({ job }) => jobEnd(viewJob(job)) !== undefined);
    expect(ended.flatMap(({ pods }) => pods.map(viewPod)).filter(({ phase }) => phase === "Running")).toEqual([]);
  });
});
