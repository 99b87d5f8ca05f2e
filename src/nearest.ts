// Names that were mistyped: which known one is nearest, and how to say so. Pure.

/** The candidate with the smallest edit distance to a mistyped name. */
export function nearest(name: string, candidates: readonly string[]): string {
  return closest(name, candidates)?.candidate ?? "";
}

/** So many names are listed where none is near. */
const LISTED = 5;

/**
 * What to add to "there is no …": the name that was probably meant, else the names that there are.
 * @param what their plural: "orchestrators"
 */
export function didYouMean(name: string, candidates: readonly string[], what: string): string {
  const best = closest(name, candidates);
  if (best === undefined) return `There are no ${what}.`;
  if (best.distance <= Math.max(2, name.length / 2)) return `Did you mean "${best.candidate}"?`;
  const listed = candidates.slice(0, LISTED).map((candidate) => `"${candidate}"`);
  return `The ${what} are ${listed.join(", ")}${candidates.length > LISTED ? ", …" : ""}.`;
}

function closest(name: string, candidates: readonly string[]) {
  const scored = candidates.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  return scored.sort((a, b) => a.distance - b.distance)[0];
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
