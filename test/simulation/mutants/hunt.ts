// Hunts planted faults: how many seeds it takes until the simulation finds each. Knows how the simulation is run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutants.ts";
import { plant } from "./planting.ts";

export type Hunted = {
  readonly name: string;
  readonly file: string;
  /** The first seed that found it; undefined: none did. */
  readonly seed: number | undefined;
  /** What was violated, or how the run ended. */
  readonly found: string;
  readonly seconds: number;
};

/**
 * @param seeds how many are played at the most
 * @param keep where the smallest plan that finds it is written
 */
export async function hunt(mutant: Mutant, seeds: number, keep?: string): Promise<Hunted> {
  const begun = performance.now();
  const { directory, remove } = plant(mutant);
  try {
    const output = await play(directory, ["--seeds", String(seeds), "--first"]);
    const [, seed, found = ""] = /^seed (\d+): (.*)$/m.exec(output) ?? [];
    const broken = seed === undefined && !/^\d+ seeds in /m.test(output);
    if (broken) throw new Error(`the simulation of "${mutant.name}" did not run:\n${output.slice(0, 2_000)}`);
    const { name, file } = mutant;
    if (keep !== undefined && seed !== undefined) {
      const plan = (await play(directory, ["--seed", seed])).split("\n").find((line) => line.startsWith("{")) ?? "";
      writeFileSync(join(keep, `${name.replaceAll(/[^a-z]+/gi, "-")}.json`), `${plan}\n`);
    }
    return {
      name,
      file,
      seed: seed === undefined ? undefined : Number(seed),
      found,
      seconds: (performance.now() - begun) / 1_000,
    };
  } finally {
    remove();
  }
}

async function play(directory: string, args: readonly string[]): Promise<string> {
  const command = ["test/simulation/main.ts", ...args];
  const child = spawn(process.execPath, command, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += String(chunk);
    });
  }
  await once(child, "close");
  return output;
}
