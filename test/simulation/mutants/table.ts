// The table of planted faults: what each is, how many seeds it took to find it, and what it violated. Rows that are not hunted
// again stay as they are. Knows Markdown; nothing of how faults are found.
import type { Hunted } from "./hunt.ts";
import type { Mutant } from "./mutant.ts";

const HEAD = `# Planted faults

Faults are planted in a copy of \`src/\`, one by one, and the simulation plays seed after seed, from 1 on, until one violates what must always
hold ([ARCHITECTURE](../ARCHITECTURE.md), [0017](decisions/0017-the-daemon-itself-is-simulated.md)). Written by
\`npm run simulate -- --mutants [TEXT] --table docs/planted-faults.md\`; a test fails when a row stands for no
fault any more. Faults without a row were not hunted since; seeds move when plans are drawn otherwise. Where no seed finds a fault, the
plans are played that once found something ([regressions](../test/simulation/regressions)). What is not found either way would stand below the
table, with the reason.

| Fault | In \`src/\` | Seeds | What it violates |
| --- | --- | ---: | --- |
`;

const nameCell = ({ name }: Pick<Mutant, "name">): string => `| ${name} |`;

function rowOf({ name, file, seed, plan, rule, detail, seeds }: Hunted): string {
  const kept = plan === undefined ? "" : `, but by [a plan](../test/simulation/regressions/${plan})`;
  const took = seed === undefined ? `not found in ${seeds}${kept}` : String(seed);
  return `${nameCell({ name })} \`${file}\` | ${took} | ${rule.startsWith("everything") ? `${rule}: ${detail.split(";")[0]}` : rule} |`;
}

/** @param old the table as it was written before */
export function tableOf(mutants: readonly Mutant[], hunted: readonly Hunted[], old: string): string {
  const rows = mutants.flatMap((mutant) => {
    const fresh = hunted.find(({ name }) => name === mutant.name);
    const kept = old.split("\n").find((line) => line.startsWith(nameCell(mutant)));
    return fresh ? [rowOf(fresh)] : (kept ?? []);
  });
  return `${HEAD}${rows.join("\n")}\n${missedIn(mutants, rows)}`;
}

/** What is not found, in words. */
function missedIn(mutants: readonly Mutant[], rows: readonly string[]): string {
  const missed = rows.filter((row) => / \| not found in \d+ \|/.test(row));
  const told = mutants
    .filter((mutant) => missed.some((row) => row.startsWith(nameCell(mutant))))
    .map(({ name, unseen = "No reason is known: the simulation is too weak for it." }) => `- ${name}: ${unseen}\n`);
  return told.length === 0 ? "" : `\n## Not found\n\n${told.join("")}`;
}

/** Rows of faults that are planted no more, or elsewhere. */
export const strangersIn = (mutants: readonly Mutant[], table: string): string[] =>
  table
    .split("\n")
    .filter((line) => /^\| [a-z]/.test(line))
    .filter((line) => !mutants.some(({ name, file }) => line.startsWith(`${nameCell({ name })} \`${file}\` |`)));
