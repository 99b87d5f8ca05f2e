#!/usr/bin/env node
// The entry: the only file, with the local parts, that knows `process`. Everything below is given what it needs.
import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { applyCommand } from "./cli/apply.ts";
import { checkCommand } from "./cli/check.ts";
import { daemonCommand } from "./cli/daemon.ts";
import { demoCommand } from "./cli/demo.ts";
import { explainCommand } from "./cli/explain.ts";
import type { Host } from "./cli/host.ts";
import { logsCommand } from "./cli/logs.ts";
import { opsCommand } from "./cli/ops.ts";
import { orchestratorCommand } from "./cli/orchestrator.ts";
import { runProgram } from "./cli/outcome.ts";
import { renderCommand } from "./cli/render.ts";
import { secretCommand } from "./cli/secret.ts";
import { statusCommand } from "./cli/status.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

const stopped = new Promise<string>((resolve) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
});

const inCluster = process.env["KUBERNETES_SERVICE_HOST"] !== undefined && existsSync(`${SERVICE_ACCOUNT}/token`);
const namespaceFile = `${SERVICE_ACCOUNT}/namespace`;

const host: Host = {
  entry: new URL(import.meta.url),
  environment: process.env,
  surroundings: {
    inCluster,
    serviceAccountNamespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : undefined,
  },
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  stopped,
  endWith: (code) => {
    process.exitCode = code;
  },
  exit: (code) => process.exit(code),
};

const program = new Command("opjob")
  .description("Runs FiftyOne delegated operations as Kubernetes Jobs, straight from MongoDB.")
  .version(version(), "--version")
  .addCommand(daemonCommand(host))
  .addCommand(demoCommand(host))
  .addCommand(renderCommand(host))
  .addCommand(checkCommand(host))
  .addCommand(statusCommand(host))
  .addCommand(opsCommand(host))
  .addCommand(explainCommand(host))
  .addCommand(logsCommand(host))
  .addCommand(orchestratorCommand(host))
  .addCommand(secretCommand(host))
  .addCommand(applyCommand(host))
  .addHelpText("after", "\nSettings are environment variables: docs/settings.md lists all of them.");

// Whoever reads only the first lines of a table closes the pipe: that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
await runProgram(program, host, process.argv.slice(2));

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
