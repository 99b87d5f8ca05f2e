// A control plane by hand: `node test/kubernetes/plane/run.ts kwok`. Prints one line of JSON: the path of a kubeconfig, and
// the processes. Ends with Ctrl-C, or when it is killed in any way.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startPlane } from "./plane.ts";
import { componentsOf, type Level } from "./settings.ts";

const LEVELS: readonly Level[] = ["none", "kwok", "node"];

const [, , wanted = "kwok"] = process.argv;
const level = LEVELS.find((one) => one === wanted);
if (level === undefined) throw new Error(`no level ${wanted}: ${LEVELS.join(", ")}`);
const plane = await startPlane({ level });
const kubeconfig = join(plane.directory, "kubeconfig");
await writeFile(kubeconfig, plane.kubeconfig(), { mode: 0o600 });
const pids = componentsOf(level).map((component) => plane.pid(component));
process.stdout.write(`${JSON.stringify({ kubeconfig, directory: plane.directory, pids })}\n`);
const stayAlive = setInterval(() => undefined, 60_000);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
clearInterval(stayAlive);
await plane.stop();
