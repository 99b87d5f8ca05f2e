// The known fields of a Job, a Pod and the small kinds, with the names that Go gives their types (errors repeat them).
// Deep parts that no rule here reads (volumes, affinity, probes, …) are left open. Pure data.

export type Scalar = { readonly scalar: "string" | "int" | "bool" | "quantity" | "time"; readonly go: string };
export type Struct = { readonly struct: string; readonly fields: () => Readonly<Record<string, Shape>> };
export type Shape = "open" | Scalar | Struct | { readonly list: Shape } | { readonly map: Shape };

const text = (go = "string"): Scalar => ({ scalar: "string", go });
const string = text();
const bool: Scalar = { scalar: "bool", go: "bool" };
const int32: Scalar = { scalar: "int", go: "int32" };
const int64: Scalar = { scalar: "int", go: "int64" };
const quantity: Scalar = { scalar: "quantity", go: "resource.Quantity" };
const microTime: Scalar = { scalar: "time", go: "v1.MicroTime" };
const strings: Shape = { list: string };
const stringMap: Shape = { map: string };

const struct = (name: string, fields: Readonly<Record<string, Shape>>): Struct => ({
  struct: name,
  fields: () => fields,
});
const open = (...names: string[]): Record<string, Shape> => Object.fromEntries(names.map((name) => [name, "open"]));

const ownerReference = struct("OwnerReference", {
  apiVersion: string,
  kind: string,
  name: string,
  uid: text("types.UID"),
  controller: bool,
  blockOwnerDeletion: bool,
});

export const metadata = struct("ObjectMeta", {
  name: string,
  generateName: string,
  namespace: string,
  selfLink: string,
  uid: text("types.UID"),
  resourceVersion: string,
  generation: int64,
  deletionGracePeriodSeconds: int64,
  labels: stringMap,
  annotations: stringMap,
  ownerReferences: { list: ownerReference },
  finalizers: strings,
  ...open("creationTimestamp", "deletionTimestamp", "managedFields"),
});

const reference = (name: string) => struct(name, { name: string, key: string, optional: bool });
const envVar = struct("EnvVar", {
  name: string,
  value: string,
  valueFrom: struct("EnvVarSource", {
    secretKeyRef: reference("SecretKeySelector"),
    configMapKeyRef: reference("ConfigMapKeySelector"),
    fieldRef: struct("ObjectFieldSelector", { apiVersion: string, fieldPath: string }),
    resourceFieldRef: struct("ResourceFieldSelector", { containerName: string, resource: string, divisor: quantity }),
    fileKeyRef: "open",
  }),
});
const envFrom = struct("EnvFromSource", {
  prefix: string,
  secretRef: struct("SecretEnvSource", { name: string, optional: bool }),
  configMapRef: struct("ConfigMapEnvSource", { name: string, optional: bool }),
});
const resources = struct("ResourceRequirements", {
  limits: { map: quantity },
  requests: { map: quantity },
  claims: "open",
});
const volumeMount = struct("VolumeMount", {
  name: string,
  mountPath: string,
  mountPropagation: text("v1.MountPropagationMode"),
  readOnly: bool,
  recursiveReadOnly: text("v1.RecursiveReadOnlyMode"),
  subPath: string,
  subPathExpr: string,
});

const container = struct("Container", {
  name: string,
  image: string,
  command: strings,
  args: strings,
  workingDir: string,
  env: { list: envVar },
  envFrom: { list: envFrom },
  resources,
  volumeMounts: { list: volumeMount },
  restartPolicy: text("v1.ContainerRestartPolicy"),
  imagePullPolicy: text("v1.PullPolicy"),
  terminationMessagePath: string,
  terminationMessagePolicy: text("v1.TerminationMessagePolicy"),
  stdin: bool,
  stdinOnce: bool,
  tty: bool,
  ...open("ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "resizePolicy"),
  ...open("restartPolicyRules", "securityContext", "volumeDevices"),
});

const toleration = struct("Toleration", {
  key: string,
  operator: text("v1.TolerationOperator"),
  value: string,
  effect: text("v1.TaintEffect"),
  tolerationSeconds: int64,
});

const podSpec = struct("PodSpec", {
  containers: { list: container },
  initContainers: { list: container },
  restartPolicy: text("v1.RestartPolicy"),
  terminationGracePeriodSeconds: int64,
  activeDeadlineSeconds: int64,
  nodeSelector: stringMap,
  nodeName: string,
  serviceAccountName: string,
  serviceAccount: string,
  automountServiceAccountToken: bool,
  hostNetwork: bool,
  hostPID: bool,
  hostIPC: bool,
  hostUsers: bool,
  shareProcessNamespace: bool,
  enableServiceLinks: bool,
  setHostnameAsFQDN: bool,
  hostname: string,
  subdomain: string,
  hostnameOverride: string,
  schedulerName: string,
  priorityClassName: string,
  priority: int32,
  runtimeClassName: string,
  dnsPolicy: text("v1.DNSPolicy"),
  preemptionPolicy: text("v1.PreemptionPolicy"),
  tolerations: { list: toleration },
  imagePullSecrets: { list: struct("LocalObjectReference", { name: string }) },
  overhead: { map: quantity },
  ...open("affinity", "dnsConfig", "ephemeralContainers", "hostAliases", "os", "readinessGates", "resourceClaims"),
  ...open("resources", "schedulingGates", "schedulingGroup", "securityContext", "topologySpreadConstraints"),
  ...open("volumes", "workloadRef"),
});

const jobSpec = struct("JobSpec", {
  parallelism: int32,
  completions: int32,
  activeDeadlineSeconds: int64,
  backoffLimit: int32,
  backoffLimitPerIndex: int32,
  maxFailedIndexes: int32,
  ttlSecondsAfterFinished: int32,
  suspend: bool,
  manualSelector: bool,
  completionMode: text("v1.CompletionMode"),
  podReplacementPolicy: text("v1.PodReplacementPolicy"),
  managedBy: string,
  template: struct("PodTemplateSpec", { metadata, spec: podSpec }),
  ...open("selector", "podFailurePolicy", "successPolicy", "scheduling"),
});

const leaseSpec = struct("LeaseSpec", {
  holderIdentity: string,
  leaseDurationSeconds: int32,
  acquireTime: microTime,
  renewTime: microTime,
  leaseTransitions: int32,
  strategy: text("v1.CoordinatedLeaseStrategy"),
  preferredHolder: string,
});

const top = (kind: string, fields: Readonly<Record<string, Shape>>) =>
  struct(kind, { kind: string, apiVersion: string, metadata, ...fields });

/** By kind; a kind that is not here is open but for its metadata. */
export const KINDS: Readonly<Record<string, Struct>> = {
  Job: top("Job", { spec: jobSpec, status: "open" }),
  Pod: top("Pod", { spec: podSpec, status: "open" }),
  Secret: top("Secret", { type: text("v1.SecretType"), data: stringMap, stringData: stringMap, immutable: bool }),
  ConfigMap: top("ConfigMap", { data: stringMap, binaryData: stringMap, immutable: bool }),
  Lease: top("Lease", { spec: leaseSpec }),
  Namespace: top("Namespace", { spec: "open", status: "open" }),
};
