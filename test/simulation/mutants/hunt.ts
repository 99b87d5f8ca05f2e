// Hunts planted faults: how many seeds it takes until the simulation finds each. Knows how the simulation is run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";
import { plant } from "./planting.ts";

export type Hunted = {
  readonly name: string;
  readonly file: string;
  /** The first seed that found it; undefined: none did. */
  readonly seed: number | undefined;
  /** Where no seed found it: the plan that did, of those that are kept because they once found something. */
  readonly plan: string | undefined;
  /** The rule that was violated, and what violated it. */
  readonly rule: string;
  readonly detail: string;
  /** How many were played at the most. */
  readonly seeds: number;
  readonly seconds: number;
};

/** Plans that once found something. */
const KEPT = "test/simulation/regressions";

/** A fault that stops the code itself is found by anything: it is badly planted. */
const OWN = "opjob meets no fault of its own";

/**
 * @param seeds how many are played at the most
 * @param keep where the smallest plan that finds it is written
 */
export async function hunt(mutant: Mutant, seeds: number, keep?: string): Promise<Hunted> {
  const begun = performance.now();
  const { name, file } = mutant;
  const { directory, remove } = plant(mutant);
  try {
    const output = await play(directory, ["--seeds", String(seeds), "--first"]);
    if (!/^\d+ seeds in /m.test(output))
      throw new Error(`the simulation of "${name}" did not run:\n${output.slice(0, 2_000)}`);
    const found = foundIn(output) ?? (await foundByPlan(directory)) ?? NOT_FOUND;
    if (keep !== undefined && found.seed !== undefined) {
      const plan = (await play(directory, ["--seed", String(found.seed)]))
        .split("\n")
        .find((one) => one.startsWith("{"));
      writeFileSync(join(keep, `${name.replaceAll(/[^a-z]+/gi, "-")}.json`), `${plan ?? ""}\n`);
    }
    return { name, file, ...found, seeds, seconds: (performance.now() - begun) / 1_000 };
  } finally {
    remove();
  }
}

type Found = Pick<Hunted, "seed" | "plan" | "rule" | "detail">;
const NOT_FOUND: Found = { seed: undefined, plan: undefined, rule: "", detail: "" };

function foundIn(output: string): Found | undefined {
  const [, seed, violation = ""] = /^seed (\d+): (.*)$/m.exec(output) ?? [];
  const [, rule = ""] = /^\d+ × (.*): seeds /m.exec(output) ?? [];
  if (seed === undefined || rule === OWN) return undefined;
  return { seed: Number(seed), plan: undefined, rule, detail: violation.slice(rule.length + 2) };
}

async function foundByPlan(directory: string): Promise<Found | undefined> {
  for (const plan of readdirSync(join(directory, KEPT))) {
    const output = await play(directory, ["--plan", join(KEPT, plan), "--whole"]);
    const [, rule = "", detail = ""] = / trace [0-9a-f]+\n((?:\d: )?[^:\n]+): (.*)$/m.exec(output) ?? [];
    if (rule !== "" && rule !== OWN) return { seed: undefined, plan, rule, detail };
  }
  return undefined;
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
