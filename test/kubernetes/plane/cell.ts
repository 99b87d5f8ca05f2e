// Mounts and processes of their own for a node: what runs in the cell cannot outlive it, and what it mounts is seen by nobody
// else. All of a cell ends with its first process, by the kernel's own hand. Knows Linux namespaces; not what runs inside.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "./components.ts";
import type { Guard } from "./guard.ts";

/** Settings of the machine that a kubelet and its network plugins would change; in a cell they find them as they want them. */
const MACHINE_SETTINGS = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
  "net/ipv4/ip_forward": 1,
};

/** Kubelet, containerd and CNI write to fixed places below them, whatever they are told. */
const MACHINE_PLACES = ["/run", "/var/lib", "/var/log"];

/** First process of a cell: lays what may be written over the machine's own, says so, and stays to reap orphans. */
const SCRIPT = `
own=$1; shift
mount -t tmpfs tmpfs "$own"
for place in ${MACHINE_PLACES.join(" ")}; do
  mkdir -p "$own$place.written" "$own$place.work"
  mount -t overlay -o "lowerdir=$place,upperdir=$own$place.written,workdir=$own$place.work" overlay "$place"
done
for setting in "$@"; do
  file=/proc/sys/\${setting%%=*}
  [ -e "$file" ] || continue
  mine=$own/$(echo "\${setting%%=*}" | tr / .)
  echo "\${setting#*=}" > "$mine"
  mount --bind "$mine" "$file"
done
echo ready
sleep infinity &
wait
`;

export type Cell = {
  /** The same command, to be run in the cell. It dies with the process that runs it. */
  readonly inside: (command: Command) => Command;
};

/** Opens a cell that ends with this process, or when the guard ends. @throws Error with what Linux refused */
export async function openCell(directory: string, guard: Guard): Promise<Cell> {
  const own = join(directory, "cell");
  await mkdir(own);
  const settings = Object.entries(MACHINE_SETTINGS).map(([name, value]) => `${name}=${value}`);
  const namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
  // Twice bound: to the guard, and to this process, should the guard be killed first.
  const cell = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...namespaces, "--", "/bin/sh", "-euc", SCRIPT, "cell", own, ...settings],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const { pid } = cell;
  if (pid === undefined) throw new Error(`no cell could be opened: ${String((await once(cell, "error"))[0])}`);
  guard.add(pid);
  cell.once("exit", () => guard.drop(pid));
  const words: string[] = [];
  createInterface({ input: cell.stderr }).on("line", (line) => words.push(line));
  const ready = once(createInterface({ input: cell.stdout }), "line");
  const ended = once(cell, "close").then(() =>
    Promise.reject(new Error(`no cell could be opened: ${words.join("; ")}`)),
  );
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  const target = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim();
  const enter = ["--target", target, "--mount", "--pid", "--", "setpriv", "--pdeathsig", "KILL"];
  return { inside: ({ file, first }) => ({ file: "nsenter", first: [...enter, file, ...first] }) };
}
