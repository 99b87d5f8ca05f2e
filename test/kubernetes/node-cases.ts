// Every way in which a worker can fail on a real node by what its template says: what is asked for, and what the error in
// FiftyOne must then name. The expectations hold for what is meant, not for today's sentences.
import { IMAGE } from "./plane/image.ts";
import { REGISTRIES } from "./plane/registry.ts";
import type { Fate } from "./stage.ts";

/** `says`: what the error must name, whatever its sentences are. */
export type Failure = { readonly what: string; readonly fate: Fate; readonly says: readonly RegExp[] };

export const script = (text: string): object => ({ image: IMAGE, command: ["/bin/sh", "-c", text] });
export const HANG = "echo working; sleep 600";
/** A shell that is a container's first process pays no heed to SIGTERM: without this it is given 30 s. */
export const SOON = { terminationGracePeriodSeconds: 1 };
const other = (name: string, text: string, more: object = {}): object => ({ name, ...script(text), ...more });

export const FAILURES: readonly Failure[] = [
  {
    what: "exit code 3 with words on stderr",
    fate: { container: script("echo starting; echo the disk is full >&2; exit 3") },
    says: [/exit code 3\b/, /^starting$/m, /^the disk is full$/m],
  },
  {
    what: "more memory than its limit",
    fate: { container: { ...script("echo growing; tail /dev/zero"), resources: { limits: { memory: "32Mi" } } } },
    says: [/OOMKilled/, /\b137\b/, /growing/],
  },
  {
    what: "an image at a registry that does not answer",
    fate: { container: { image: `${REGISTRIES.down}/team/worker:1` } },
    says: [/down\.test\/team\/worker:1/, /connection refused/],
  },
  {
    what: "an image that its registry does not have",
    fate: { container: { image: "gone.test/team/worker:1" } },
    says: [/gone\.test\/team\/worker:1/, /not found/],
  },
  {
    what: "an image whose registry is overloaded",
    fate: { container: { image: `${REGISTRIES.busy}/team/worker:1` } },
    says: [/busy\.test\/team\/worker:1/, /429|too many requests/i],
  },
  {
    what: "an image that needs credentials",
    fate: { container: { image: `${REGISTRIES.locked}/team/worker:1` } },
    says: [/locked\.test\/team\/worker:1/, /401|unauthori[sz]ed|authorization/i],
  },
  {
    what: "an image that is not on the node and may not be pulled",
    fate: { container: { image: "opjob.test/absent:1", imagePullPolicy: "Never" } },
    says: [/opjob\.test\/absent:1/, /Never/],
  },
  {
    what: "an image name that is none",
    fate: { container: { image: "no such:::name" } },
    says: [/InvalidImageName/, /no such:::name/],
  },
  {
    what: "an environment of a ConfigMap that is missing",
    fate: { container: { ...script(HANG), envFrom: [{ configMapRef: { name: "absent-map" } }] } },
    says: [/CreateContainerConfigError/, /absent-map/],
  },
  {
    what: "a variable of a Secret that is missing",
    fate: {
      container: {
        ...script(HANG),
        env: [{ name: "KEY", valueFrom: { secretKeyRef: { name: "absent-secret", key: "key" } } }],
      },
    },
    says: [/CreateContainerConfigError/, /absent-secret/],
  },
  {
    what: "a command that the image does not have",
    fate: { container: { image: IMAGE, command: ["/no/such/program"] } },
    says: [/StartError/, /no\/such\/program/],
  },
  {
    what: "the Job's deadline",
    fate: { job: { activeDeadlineSeconds: 12 }, pod: SOON, container: script(HANG) },
    says: [/DeadlineExceeded/, /activeDeadlineSeconds/, /working$/],
  },
  {
    what: "the Pod's deadline",
    fate: { pod: { ...SOON, activeDeadlineSeconds: 12 }, container: script(HANG) },
    says: [/DeadlineExceeded/, /activeDeadlineSeconds/, /working$/],
  },
  {
    what: "a volume of a Secret that is missing",
    fate: {
      container: { ...script(HANG), volumeMounts: [{ name: "keys", mountPath: "/keys" }] },
      pod: { volumes: [{ name: "keys", secret: { secretName: "absent-secret" } }] },
    },
    says: [/MountFailed/, /volume/, /absent-secret/],
  },
  {
    what: "an init container",
    fate: {
      container: script(HANG),
      pod: { initContainers: [other("clone", "echo no such branch; exit 4")] },
    },
    says: [/InitContainerFailed/, /"clone"/, /exit code 4\b/, /no such branch$/],
  },
  {
    what: "a worker beside a native sidecar",
    fate: {
      container: script("echo cannot go on; exit 5"),
      pod: { ...SOON, initContainers: [other("telemetry", HANG, { restartPolicy: "Always" })] },
    },
    says: [/"worker"/, /exit code 5\b/, /cannot go on$/],
  },
  {
    what: "more in a volume than it may hold",
    fate: {
      container: {
        ...script("echo writing; dd if=/dev/zero of=/data/much bs=1M count=20 2>/dev/null; sleep 600"),
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      },
      pod: { volumes: [{ name: "data", emptyDir: { sizeLimit: "5Mi" } }] },
    },
    says: [/Evicted/, /data/, /5Mi/],
  },
  {
    what: "more on its disk than its limit",
    fate: {
      container: {
        ...script("echo writing; dd if=/dev/zero of=/much bs=1M count=20 2>/dev/null; sleep 600"),
        resources: { limits: { "ephemeral-storage": "5Mi" } },
      },
    },
    says: [/Evicted/, /ephemeral/],
  },
  {
    what: "a signal from outside",
    // A container's first process cannot be killed from within; with hostPID it is not the first. Kubernetes reads $$ as $.
    fate: { container: script("echo working; kill -9 $$$$"), pod: { hostPID: true } },
    says: [/signal 9\b/, /\b137\b/, /working$/],
  },
  {
    what: "success that nobody recorded",
    fate: { container: script("echo all done") },
    says: [/NoResult/, /all done$/],
  },
];
