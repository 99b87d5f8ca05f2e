// Every setting of opjob: its environment variable, type, default, unit and meaning. docs/settings.md is generated from it.
// Pure: no rule between settings (config.ts has them), no environment.
import { CLEANUP } from "./settings/cleanup.ts";
import { CLUSTERS } from "./settings/clusters.ts";
import { DAEMON } from "./settings/daemon.ts";
import { DATABASE } from "./settings/database.ts";
import { QUEUE } from "./settings/queue.ts";
import { REFRESH } from "./settings/refresh.ts";
import { TEMPLATES } from "./settings/templates.ts";
import { WORK } from "./settings/work.ts";

export const SETTINGS = {
  ...DATABASE,
  ...WORK,
  ...REFRESH,
  ...QUEUE,
  ...CLEANUP,
  ...TEMPLATES,
  ...CLUSTERS,
  ...DAEMON,
};
