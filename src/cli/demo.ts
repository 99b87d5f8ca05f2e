// `opjob demo`: the whole product on one machine, with an embedded MongoDB and a local Kubernetes, in under a minute.
import { Command } from "commander";
import type { Host } from "./host.ts";

export const demoCommand = (host: Pick<Host, "entry" | "stdout" | "stopped" | "exit">): Command =>
  new Command("demo")
    .description(
      "Shows opjob at work on this machine: embedded MongoDB, local Kubernetes, a dozen operations of all fates.",
    )
    .option("--keep", "leave everything running at the end, and say where")
    .action(async (options: { keep?: boolean }) => {
      // Loaded only here: the daemon must not pay for the demo's parts.
      const { runDemo } = await import("../local/demo/run.ts");
      const closers = new AsyncDisposableStack();
      let well = false;
      try {
        well = await runDemo(host, closers, options.keep === true);
      } finally {
        await closers.disposeAsync();
      }
      host.exit(well ? 0 : 1);
    });
