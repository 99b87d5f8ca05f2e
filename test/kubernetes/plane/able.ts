// Whether this machine can have a real node, and if not, why. Starts nothing that stays.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Environment } from "../../../src/local/mongod-binary.ts";
import { missingCgroups } from "./cgroup.ts";
import { hasNodePrograms } from "./debian-packages.ts";

const run = promisify(execFile);

/** Undefined: it can. */
export async function whyNoNode(env: Environment = process.env): Promise<string | undefined> {
  if (process.platform !== "linux") return `it needs Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "it needs root";
  return (await missingCgroups()) ?? (await missingNamespaces()) ?? (await missingPrograms(env));
}

/** A CI that could run the suites and does not would report a success that nobody saw. */
export const mustHaveNode = (env: Environment = process.env): boolean =>
  Boolean(env["CI"]) && process.platform === "linux" && process.getuid?.() === 0;

async function missingNamespaces(): Promise<string | undefined> {
  const args = [
    "--mount",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child=KILL",
    "mount",
    "-t",
    "tmpfs",
    "tmpfs",
    "/run",
  ];
  return run("unshare", args).then(
    () => undefined,
    ({ message }: Error) => `it may not mount in a namespace of its own (${message.trim().split("\n").at(-1)})`,
  );
}

async function missingPrograms(env: Environment): Promise<string | undefined> {
  if (await hasNodePrograms(env)) return undefined;
  return run("apt-get", ["--version"], { env }).then(
    () => undefined,
    () => "there is no apt to fetch containerd with",
  );
}
