// The control group under which a node puts its Pods: one of its own, so that a kubelet of the machine keeps its own.
// Knows both versions of control groups; the guard (guard.ts) takes them away again by their name.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Of those that the machine has, the kubelet wants all. */
const NEEDED = ["cpu", "cpuset", "memory", "hugetlb", "pids"];

/** Makes the group in every hierarchy. @throws Error where the machine does not allow it */
export async function makeCgroup(name: string): Promise<void> {
  for (const { type, path } of await hierarchies()) {
    if (type === "cgroup2") await enable(path);
    const group = join(path, name);
    await mkdir(group);
    if (type === "cgroup2") await enable(group);
    else await inheritProcessors(path, group);
  }
}

/** What is missing for containers to be held to their limits; undefined: nothing. */
export async function missingCgroups(): Promise<string | undefined> {
  const found = await hierarchies();
  for (const { type, path, controllers } of found) {
    if (controllers.includes("memory")) return undefined;
    if (type === "cgroup2" && (await controllersOf(path)).includes("memory")) return undefined;
  }
  return found.length === 0 ? "no control groups are mounted" : "there is no control group for memory";
}

type Hierarchy = { readonly type: string; readonly path: string; readonly controllers: readonly string[] };

async function hierarchies(): Promise<Hierarchy[]> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, path = "", type = ""]) => /^cgroup2?$/.test(type) && path.startsWith("/sys/fs/cgroup"))
    .map(([, path = "", type = "", options = ""]) => ({ type, path, controllers: options.split(",") }));
}

const controllersOf = async (group: string): Promise<string[]> =>
  (await readFile(join(group, "cgroup.controllers"), "utf8")).trim().split(" ");

/** Version 2: children get only what their parent passes on. */
async function enable(group: string): Promise<void> {
  const given = await controllersOf(group);
  const wanted = NEEDED.filter((name) => given.includes(name)).map((name) => `+${name}`);
  if (wanted.length > 0) await writeFile(join(group, "cgroup.subtree_control"), wanted.join(" "));
}

/** Version 1: a new group of "cpuset" has no processors at all, and nothing can run in it. */
async function inheritProcessors(parent: string, group: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const value = await readFile(join(parent, file), "utf8").catch(() => undefined);
    if (value !== undefined) await writeFile(join(group, file), value);
  }
}
