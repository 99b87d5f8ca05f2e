// Aggregation pipelines, stage by stage: $match, $project, and $group with $sum and $topN. A stage that is not known here
// stops the simulation. Pure.
import { NotSimulated } from "../not-simulated.ts";
import { evaluate } from "./expression.ts";
import { matches } from "./match.ts";
import { type Sort, sorted } from "./update.ts";
import type { Doc } from "./values.ts";

export const aggregated = (docs: readonly Doc[], pipeline: readonly Doc[]): readonly Doc[] =>
  pipeline.reduce((given, stage) => staged(given, stage), docs);

function staged(docs: readonly Doc[], stage: Doc): readonly Doc[] {
  const [name = ""] = Object.keys(stage);
  const given = stage[name] as Doc;
  switch (name) {
    case "$match":
      return docs.filter((doc) => matches(doc, given));
    case "$project":
      return docs.map((doc) => shaped(doc, given));
    case "$group":
      return grouped(docs, given);
    default:
      throw new NotSimulated(`the stage ${name}`);
  }
}

function shaped(doc: Doc, wanted: Doc): Doc {
  const fields = Object.entries(wanted).map(([name, one]) => [name, evaluate(one === 1 ? `$${name}` : one, doc)]);
  return Object.fromEntries([["_id", doc["_id"]], ...fields].filter(([, value]) => value !== undefined)) as Doc;
}

function grouped(docs: readonly Doc[], { _id: key, ...wanted }: Doc): readonly Doc[] {
  const groups = Map.groupBy(docs, (doc) => evaluate(key, doc));
  return [...groups].map(([_id, members]) => ({
    _id,
    ...Object.fromEntries(Object.entries(wanted).map(([name, one]) => [name, accumulated(members, one as Doc)])),
  }));
}

type TopN = { readonly n: number; readonly sortBy: Sort; readonly output: Doc };

function accumulated(docs: readonly Doc[], accumulator: Doc): unknown {
  const [name = ""] = Object.keys(accumulator);
  if (name === "$sum") return docs.reduce((sum, doc) => sum + Number(evaluate(accumulator[name], doc)), 0);
  if (name !== "$topN") throw new NotSimulated(`the accumulator ${name}`);
  const { n, sortBy, output } = accumulator[name] as TopN;
  return sorted(docs, sortBy)
    .slice(0, n)
    .map((doc) => evaluate(output, doc));
}
