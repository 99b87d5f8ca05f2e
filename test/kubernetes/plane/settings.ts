// The arguments of each component: which ports, files and rights. Pure: facts in, argument lists out.
// Everything listens on 127.0.0.1 only.
import { join } from "node:path";
import type { Component } from "./components.ts";
import { containerd, kubelet, NODE_NAME } from "./node-settings.ts";

/** none: Pods stay Pending; kwok: a simulated node plays them; node: they run in containers on this machine. */
export type Level = "none" | "kwok" | "node";

export const PORTS = [
  "etcd",
  "peer",
  "api",
  "manager",
  "scheduler",
  "kwok",
  "runtime",
  "kubelet",
  "health",
  "registry",
] as const;

export type Facts = {
  readonly level: Level;
  readonly directory: string;
  readonly ports: Readonly<Record<(typeof PORTS)[number], number>>;
  /** Name of the control group of the node's Pods. */
  readonly cgroup: string;
};

export type Settings = { readonly args: readonly (string | number)[]; readonly ready: string | undefined };

export const KUBECONFIG_FILES = {
  admin: "admin.kubeconfig",
  "system:kube-controller-manager": "manager.kubeconfig",
  "system:kube-scheduler": "scheduler.kubeconfig",
  [`system:node:${NODE_NAME}`]: "node.kubeconfig",
} as const;

/** Without the default of 20 and 30 a second, which would bound how fast Pods come into being. */
const RATE = ["--kube-api-qps", 500, "--kube-api-burst", 1_000];

/** The components of each level, in the order of starting. */
const LEVELS = {
  none: ["etcd", "kube-apiserver", "kube-controller-manager"],
  kwok: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"],
  node: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd", "kubelet"],
} as const satisfies Record<Level, readonly Component[]>;
type Part = (typeof LEVELS)[Level][number];

export const componentsOf = (level: Level): readonly Part[] => LEVELS[level];

/** Those that are Kubernetes' own: containerd comes from somewhere else. */
export const binariesOf = (level: Level): readonly Component[] => LEVELS[level].filter((name) => name !== "containerd");

export const settingsOf = (part: Part, facts: Facts): Settings => SETTINGS[part](facts);

const CONTROLLERS = [
  ...[
    "job",
    "cronjob",
    "ttl-after-finished",
    "garbage-collector",
    "namespace",
    "pod-garbage-collector",
    "resourcequota",
  ],
  ...["serviceaccount", "serviceaccount-token"],
  // Without its ConfigMap no Pod with a service account's token starts on a real node.
  "root-ca-certificate-publisher",
];
/** They take the "not ready" taint from new nodes; without a node they have nothing to do. */
const NODE_CONTROLLERS = ["node-lifecycle", "taint-eviction"];

function etcd({ directory, ports }: Facts): Settings {
  const [client, peer] = [`http://127.0.0.1:${ports.etcd}`, `http://127.0.0.1:${ports.peer}`];
  const urls = ["--listen-client-urls", client, "--advertise-client-urls", client];
  const peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer];
  const data = ["--data-dir", join(directory, "etcd"), "--unsafe-no-fsync"];
  const args = [
    "--name",
    "plane",
    "--initial-cluster",
    `plane=${peer}`,
    ...urls,
    ...peers,
    ...data,
    "--log-level",
    "warn",
  ];
  return { args, ready: `${client}/health` };
}

function apiServer({ directory, ports }: Facts): Settings {
  const keys = join(directory, "keys");
  const args = [
    ...["--etcd-servers", `http://127.0.0.1:${ports.etcd}`],
    ...["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", ports.api],
    // A loopback address is no valid endpoint of the Service "kubernetes".
    ...["--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.96.0.0/24"],
    // Without a certificate of ours it writes a self-signed one there, with its authority in the same file.
    ...["--cert-dir", keys],
    ...["--authorization-mode", "Node,RBAC", "--token-auth-file", join(keys, "tokens.csv")],
    ...["--service-account-issuer", "https://kubernetes.default.svc"],
    ...["--service-account-key-file", join(keys, "accounts.key")],
    ...["--service-account-signing-key-file", join(keys, "accounts.key")],
    ...["--kubelet-preferred-address-types", "InternalIP"],
  ];
  return { args, ready: `https://127.0.0.1:${ports.api}/readyz` };
}

function controllerManager({ level, directory, ports }: Facts): Settings {
  const controllers = [...CONTROLLERS, ...(level === "none" ? [] : NODE_CONTROLLERS)];
  const args = [
    ...client(directory, "system:kube-controller-manager", ports.manager),
    ...["--controllers", controllers.map((name) => `${name}-controller`).join()],
    ...["--service-account-private-key-file", join(directory, "keys/accounts.key")],
    ...["--root-ca-file", join(directory, "keys/apiserver.crt")],
    ...["--concurrent-job-syncs", 20, "--concurrent-gc-syncs", 20],
  ];
  return { args, ready: `https://127.0.0.1:${ports.manager}/healthz` };
}

function scheduler({ directory, ports }: Facts): Settings {
  const args = client(directory, "system:kube-scheduler", ports.scheduler);
  return { args, ready: `https://127.0.0.1:${ports.scheduler}/healthz` };
}

function kwok({ directory, ports }: Facts): Settings {
  const args = [
    ...["--kubeconfig", join(directory, KUBECONFIG_FILES.admin), "--config", join(directory, "kwok.yaml")],
    ...["--manage-all-nodes=true", "--node-ip", "127.0.0.1", "--node-port", ports.kwok],
    ...["--server-address", `127.0.0.1:${ports.kwok}`],
  ];
  // It asks the API server on its way up; its readiness is the node's.
  return { args, ready: undefined };
}

const client = (directory: string, user: keyof typeof KUBECONFIG_FILES, port: number): (string | number)[] => [
  ...["--kubeconfig", join(directory, KUBECONFIG_FILES[user]), "--leader-elect=false"],
  ...["--bind-address", "127.0.0.1", "--secure-port", port, ...RATE],
];

const SETTINGS: Record<Part, (facts: Facts) => Settings> = {
  etcd,
  "kube-apiserver": apiServer,
  "kube-controller-manager": controllerManager,
  "kube-scheduler": scheduler,
  kwok,
  containerd,
  kubelet,
};
