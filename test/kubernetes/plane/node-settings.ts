// The arguments and files of a real node: containerd, the network of its Pods, kubelet. Pure: facts in, texts out.
import { join } from "node:path";
import type { NodePrograms } from "./debian-packages.ts";
import { IMAGE } from "./image.ts";
import { REGISTRIES } from "./registry.ts";
import type { Facts, Settings } from "./settings.ts";

/** As an address it is the node's own, too: the API server asks the kubelet there for logs. */
export const NODE_NAME = "127.0.0.1";

/** Where containers are kept: overlays, but for a directory that is itself on one (as in a container). */
export type Snapshots = "overlayfs" | "native";

/** Of a directory, all that the node writes. */
export const nodeFile = (directory: string, ...names: string[]): string => join(directory, "node", ...names);

export const socketOf = (directory: string): string => nodeFile(directory, "containerd.sock");

export function containerd({ directory, ports }: Facts): Settings {
  const args = ["--config", nodeFile(directory, "containerd.toml")];
  return { args, ready: `http://127.0.0.1:${ports.runtime}/v1/metrics` };
}

export function kubelet({ directory, ports }: Facts): Settings {
  const args = [
    ...["--config", nodeFile(directory, "kubelet.json"), "--kubeconfig", join(directory, "node.kubeconfig")],
    ...["--root-dir", nodeFile(directory, "kubelet"), "--cert-dir", nodeFile(directory, "kubelet/keys")],
    ...["--hostname-override", NODE_NAME],
  ];
  return { args, ready: `http://127.0.0.1:${ports.health}/healthz` };
}

/** Every file of the node, by its path. */
export function nodeFiles(facts: Facts, programs: NodePrograms, snapshots: Snapshots): Record<string, string> {
  const { directory, ports } = facts;
  const at = (...names: string[]): string => nodeFile(directory, ...names);
  const hosts = (port: number): string => {
    const server = `http://127.0.0.1:${port}`;
    return `server = "${server}"\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`;
  };
  return {
    [at("containerd.toml")]: containerdConfig(directory, { programs, snapshots, port: ports.runtime }),
    [at("network/plane.conflist")]: networkConfig(directory, ports.kubelet),
    [at("registries/_default/hosts.toml")]: hosts(ports.registry),
    // The port of nobody.
    [at("registries", REGISTRIES.down, "hosts.toml")]: hosts(1),
    [at("kubelet.json")]: JSON.stringify(kubeletConfig(facts)),
  };
}

type RuntimeFacts = { readonly programs: NodePrograms; readonly snapshots: Snapshots; readonly port: number };

function containerdConfig(directory: string, { programs, snapshots, port }: RuntimeFacts): string {
  const at = (name: string): string => nodeFile(directory, name);
  return `
version = 2
root = "${at("containerd")}"
state = "${at("containerd-state")}"
disabled_plugins = ["io.containerd.internal.v1.opt", ${["aufs", "btrfs", "devmapper", "zfs"].map((name) => `"io.containerd.snapshotter.v1.${name}"`).join()}]
[grpc]
  address = "${socketOf(directory)}"
[metrics]
  address = "127.0.0.1:${port}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  # Who may not lower a score of the out-of-memory killer (no CAP_SYS_RESOURCE) could start no sandbox.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${snapshots}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
  BinaryName = "${programs.runc}"
  Root = "${at("runc")}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${programs.plugins}"
  conf_dir = "${at("network")}"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${at("registries")}"
`;
}

/**
 * Each Pod has a wire of its own to the machine, which goes with the Pod; a bridge would stay.
 * @param port any of this plane's: it tells two planes' networks apart
 */
function networkConfig(directory: string, port: number): string {
  // Of 100.64.0.0/10, which is nobody's public address and seldom a machine's own.
  const ranges = [[{ subnet: `100.${64 + ((port >> 8) % 64)}.${port % 256}.0/24` }]];
  const ipam = { type: "host-local", dataDir: nodeFile(directory, "addresses"), ranges };
  return JSON.stringify({ cniVersion: "0.4.0", name: "plane", plugins: [{ type: "ptp", ipMasq: false, ipam }] });
}

function kubeletConfig({ directory, ports, cgroup }: Facts): object {
  const anyone = { anonymous: { enabled: true }, webhook: { enabled: false } };
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    // Since 1.35 it refuses version 1 of control groups by default.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    containerRuntimeEndpoint: `unix://${socketOf(directory)}`,
    ...{ address: "127.0.0.1", port: ports.kubelet, readOnlyPort: 0 },
    ...{ healthzBindAddress: "127.0.0.1", healthzPort: ports.health },
    ...{ authentication: anyone, authorization: { mode: "AlwaysAllow" } },
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    podLogsDir: nodeFile(directory, "pod-logs"),
    volumePluginDir: nodeFile(directory, "kubelet/plugins"),
    ...{ resolvConf: "", clusterDNS: ["10.96.0.10"], clusterDomain: "cluster.local" },
    maxPods: 250,
    ...{ registryPullQPS: 0, serializeImagePulls: false, eventRecordQPS: 0 },
    ...{ kubeAPIQPS: 500, kubeAPIBurst: 1_000 },
    // How soon it sees that a volume holds more than it may: by itself after a minute.
    volumeStatsAggPeriod: "2s",
    // A full disk of the machine is not what is tested.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "memory.available": "50Mi",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
    },
  };
}
