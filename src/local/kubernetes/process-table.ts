// Which processes of this machine belong to which container, and how much memory they hold, from /proc. Children that left
// their process group are found by a mark in their environment. Without /proc (not Linux) it finds nothing.
import { readdirSync, readFileSync } from "node:fs";

/** The environment variable that marks every process of a container. */
export const MARK = "LOCAL_KUBERNETES_CONTAINER";

export type Member = { readonly pid: number; readonly container: string; readonly bytes: number };

const PAGE = 4096;
const SETTLED_PASSES = 5;

type Known = { readonly start: string; readonly container: string | undefined; readonly passes: number };

export class ProcessTable {
  /** By pid. A process between fork and exec still shows its parent's environment, so "no mark" is believed only later. */
  #known = new Map<number, Known>();

  /** The live processes of all containers. */
  scan(): Member[] {
    const next = new Map<number, Known>();
    const members: Member[] = [];
    for (const entry of listProcesses()) {
      const pid = Number(entry);
      const stat = readStat(pid);
      if (!stat) continue;
      const known = this.#identify(pid, stat.start);
      next.set(pid, known);
      if (known.container !== undefined) members.push({ pid, container: known.container, bytes: stat.bytes });
    }
    this.#known = next;
    return members;
  }

  #identify(pid: number, start: string): Known {
    const before = this.#known.get(pid);
    const same = before?.start === start ? before : undefined;
    if (same?.container !== undefined || (same?.passes ?? 0) >= SETTLED_PASSES) return same as Known;
    return { start, container: readMark(pid), passes: (same?.passes ?? 0) + 1 };
  }
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Zombies hold nothing and cannot be signalled, so they do not count. */
function readStat(pid: number): { readonly start: string; readonly bytes: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { start: fields[19] ?? "", bytes: Number(fields[21]) * PAGE };
  } catch {
    return undefined;
  }
}

function readMark(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/environ`, "latin1");
    const at = `\0${text}`.indexOf(`\0${MARK}=`);
    return at < 0 ? undefined : text.slice(at + MARK.length + 1).split("\0", 1)[0];
  } catch {
    return undefined;
  }
}
