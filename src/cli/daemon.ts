// `opjob daemon`: runs until SIGTERM or SIGINT, then stops in reverse order within a deadline.
import { Command } from "commander";
import { readConfig } from "../config.ts";
import { startDaemon } from "../daemon.ts";
import { createLog, secretsOfUri } from "../log.ts";

import type { Host } from "./host.ts";

type DaemonHost = Pick<Host, "environment" | "surroundings" | "stopped" | "exit">;

export const daemonCommand = (host: DaemonHost): Command =>
  new Command("daemon")
    .description("Watches FiftyOne's database and launches one Kubernetes Job for each queued operation.")
    .addHelpText("after", "\nIt is configured by environment variables; FIFTYONE_DATABASE_URI must be set.")
    .action(() => runDaemon(host));

/** @throws OpjobError SETTING_INVALID */
async function runDaemon({ environment, surroundings, stopped, exit }: DaemonHost): Promise<void> {
  const config = readConfig(environment);
  const secrets = new Set(secretsOfUri(config.databaseUri));
  const log = createLog({ level: config.logLevel, secrets });
  const daemon = await startDaemon({ config, environment, surroundings, log, secrets });
  const signal = await stopped;
  log.info({ signal }, "stopping: running Jobs live on");
  const late = setTimeout(() => {
    log.error({ seconds: config.stopTimeoutSeconds }, "not stopped in time: ending all the same");
    exit(1);
  }, config.stopTimeoutSeconds * 1_000);
  await daemon.stop();
  clearTimeout(late);
  log.info("stopped");
  // Kept-alive sockets of a library may outlive their owner: nothing of ours is open any more.
  exit(0);
}
