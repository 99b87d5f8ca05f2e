// The demo from its start to its end: builds the world, starts the real daemon in it, plays, and says what was seen.
import { randomBytes } from "node:crypto";
import type { Host } from "../../cli/host.ts";
import { readConfig } from "../../config.ts";
import { startDaemon } from "../../daemon.ts";
import { createLog } from "../../log.ts";
import { asExpected, play } from "./play.ts";
import { nextSteps, summary } from "./summary.ts";
import { createTable } from "./table.ts";
import { buildWorld, queueCast } from "./world.ts";

export type DemoHost = Pick<Host, "entry" | "stdout" | "stopped">;

const LONGEST_MS = 50_000;

/** Returns whether every operation ended as it should. */
export async function runDemo(host: DemoHost, closers: AsyncDisposableStack, keep: boolean): Promise<boolean> {
  const say = (line: string) => void host.stdout.write(`${line}\n`);
  let interrupted = false;
  void host.stopped.then(() => {
    interrupted = true;
  });
  say("Starting a MongoDB and a Kubernetes of our own …");
  const key = randomBytes(32).toString("base64url").padEnd(44, "=");
  const world = await buildWorld(closers, { key, say, entry: host.entry });
  const config = readConfig({
    ...world.settings,
    OPJOB_HTTP_HOST: "127.0.0.1",
    OPJOB_HTTP_PORT: "0",
    OPJOB_IMAGE_GRACE_SECONDS: "8",
    OPJOB_RESULT_GRACE_SECONDS: "2",
    OPJOB_RUN_LINK: "http://127.0.0.1/jobs/{namespace}/{job}",
  });
  const surroundings = { inCluster: false, serviceAccountNamespace: undefined };
  const log = createLog({ level: "fatal", secrets: [key] });
  const daemon = await startDaemon({ config, environment: {}, surroundings, log });
  closers.defer(() => daemon.stop());

  say("Queueing what an ML team queues on a Monday morning. One operation is somebody else's: it is never touched.\n");
  const begun = Date.now();
  const entries = await queueCast(world.db);
  const { draw } = createTable(host.stdout, Date.now);
  const played = await play({ db: world.db, entries, draw, interrupted: () => interrupted, deadlineMs: LONGEST_MS });
  say(summary(played, (Date.now() - begun) / 1_000));
  say(nextSteps({ ...world, metricsUrl: `http://127.0.0.1:${daemon.port}/metrics` }, keep));
  if (keep) await host.stopped;
  return played.every(asExpected);
}
