// Ends what a plane started when the test process itself is killed: a shell of its own session that waits for the end of
// its standard input. Works for every binary and on every Unix. Knows process ids, one directory and one name of control groups.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Lines "add PID" and "drop PID"; at the end of input all that is left is killed, and the control groups and the directory
 * are removed. A group can be removed only when the last process in it is gone, and until then files may still be written.
 */
const SCRIPT = `
all=" "
while read -r act pid; do
  case $act in
    add) all="$all$pid " ;;
    drop) all="\${all%% $pid *} \${all#* $pid }" ;;
  esac
done
for pid in $all; do kill -9 "$pid" 2>/dev/null; done
tries=0
while [ $((tries += 1)) -le 400 ]; do
  left=
  for group in /sys/fs/cgroup/"$2" /sys/fs/cgroup/*/"$2"; do
    [ -n "$2" ] && [ -d "$group" ] || continue
    find "$group" -depth -type d -exec rmdir {} ';' 2>/dev/null
    [ -d "$group" ] && left=1
  done
  [ -z "$left" ] && rm -rf "$1" 2>/dev/null && break
  sleep 0.05
done
`;

export class Guard {
  readonly #shell: ChildProcess;

  /**
   * @param directory removed when this process is killed
   * @param cgroup name of control groups that are removed then, if there are any
   */
  constructor(directory: string, cgroup: string) {
    this.#shell = spawn("/bin/sh", ["-c", SCRIPT, "guard", directory, cgroup], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#shell.stdin?.on("error", () => undefined);
    this.#shell.unref();
  }

  add(pid: number): void {
    this.#shell.stdin?.write(`add ${pid}\n`);
  }

  /** A process that ended: its id may soon be another's. */
  drop(pid: number): void {
    this.#shell.stdin?.write(`drop ${pid}\n`);
  }

  /** Lets it do its work now: kills what is left and removes the directory. */
  async end(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    this.#shell.ref();
    const exited = once(this.#shell, "exit");
    this.#shell.stdin?.end();
    await exited;
  }
}
