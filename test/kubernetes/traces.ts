// What of a plane can be found on this machine: processes, mounts, control groups, network interfaces, files, settings.
// Reads only. Linux only.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";

export type Process = { readonly pid: number; readonly started: string; readonly command: string };

/** Where kubelet, containerd and CNI would write, whatever they are told. */
const PLACES = [
  ...["/etc/cni", "/opt/cni", "/opt/containerd", "/run/containerd", "/run/netns", "/run/runc"],
  ...["/var/lib/cni", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/containers", "/var/log/pods"],
];
const SETTINGS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "net/ipv4/ip_forward",
];

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
const namesIn = (path: string): Promise<string[]> => readdir(path).catch(() => []);

/** What must be the same while there is a plane and after it as before. */
export async function machine(): Promise<{ readonly places: readonly string[]; readonly settings: readonly string[] }> {
  const settings = SETTINGS.map(async (name) => `${name}=${(await textOf(`/proc/sys/${name}`)).trim()}`);
  return { places: PLACES.filter((path) => existsSync(path)), settings: await Promise.all(settings) };
}

/** Names of the network interfaces through which this machine reaches an IPv4 address by a route of its own. */
export async function linksTo(address: string): Promise<string[]> {
  // The kernel's table has addresses as numbers in the machine's order of bytes: little-endian wherever this runs.
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  const key = octets.toReversed().join("").toUpperCase();
  const rows = (await textOf("/proc/net/route")).split("\n").map((line) => line.split("\t"));
  return rows.flatMap(([link = "", destination]) => (destination === key ? [link] : []));
}

/** A process that ended and that nobody has asked about yet is a zombie: it counts as gone. */
export async function processOf(pid: number): Promise<Process | undefined> {
  const [, , state, , started] =
    /^(\d+) \((.*)\) (\S) (?:\S+ ){18}(\d+)/s.exec(await textOf(`/proc/${pid}/stat`)) ?? [];
  if (state === undefined || state === "Z" || started === undefined) return undefined;
  return { pid, started, command: (await textOf(`/proc/${pid}/cmdline`)).replaceAll("\0", " ").trim() };
}

/** A process and all that descend from it. */
export async function treeOf(pid: number): Promise<Process[]> {
  const self = await processOf(pid);
  if (self === undefined) return [];
  const threads = await namesIn(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/children`)));
  const children = lists.join(" ").trim().split(/\s+/).filter(Boolean).map(Number);
  return [self, ...(await Promise.all(children.map(treeOf))).flat()];
}

/** Of these processes, those that are still there. */
export async function alive(processes: readonly Process[]): Promise<Process[]> {
  const now = await Promise.all(processes.map(({ pid }) => processOf(pid)));
  return processes.filter(({ started }, i) => now[i]?.started === started);
}

/** Everything that bears a plane's name: its directory's last part. */
export async function bearing(name: string): Promise<string[]> {
  const pids = (await namesIn("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const processes = (await Promise.all(pids.map(processOf))).filter((one) => one?.command.includes(name));
  const mounts = (await textOf("/proc/self/mounts")).split("\n").filter((line) => line.includes(name));
  const groups = await namesIn("/sys/fs/cgroup");
  const nested = await Promise.all(
    groups.map(async (group) => (await namesIn(`/sys/fs/cgroup/${group}`)).filter((one) => one === name)),
  );
  const files = (await namesIn(tmpdir())).filter((one) => one.includes(name));
  return [
    ...processes.map((one) => `process ${one?.pid}: ${one?.command}`),
    ...mounts.map((line) => `mount: ${line}`),
    ...[...groups.filter((one) => one === name), ...nested.flat()].map((one) => `control group: ${one}`),
    ...files.map((one) => `file: ${one}`),
  ];
}
