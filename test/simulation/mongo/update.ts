// Updates: what a document is after one; sorting and projections. As many operators as an orchestrator's and a worker's
// updates need; one that is not known here stops the simulation. Pure: documents go in and new ones come out.
import { NotSimulated } from "../not-simulated.ts";
import { evaluate } from "./expression.ts";
import { at, compare, copy, type Doc, isDoc, put } from "./values.ts";

export type Update = Doc | readonly Doc[];

/** The document after an update, and nothing of the one before it is changed. */
export function updated(doc: Doc, update: Update): Doc {
  const made = copy(doc);
  if (isStages(update)) for (const stage of update) applyStage(made, stage);
  else for (const [operator, fields] of Object.entries(update)) apply(made, operator, fields as Doc);
  return made;
}

const isStages = (update: Update): update is readonly Doc[] => Array.isArray(update);

function apply(doc: Doc, operator: string, fields: Doc): void {
  for (const [path, value] of Object.entries(fields)) {
    if (operator === "$set") put(doc, path, copy(value));
    else if (operator === "$unset") put(doc, path, undefined);
    else if (operator === "$inc") put(doc, path, Number(at(doc, path) ?? 0) + Number(value));
    else throw new NotSimulated(`the update ${operator}`);
  }
}

function applyStage(doc: Doc, stage: Doc): void {
  const [[name, given] = ["", undefined]] = Object.entries(stage);
  if (name === "$unset") {
    for (const path of [given].flat()) put(doc, String(path), undefined);
    return;
  }
  if (name !== "$set" && name !== "$addFields") throw new NotSimulated(`the stage ${name} of an update`);
  // All expressions of a stage see the document as it was before the stage.
  const before = copy(doc);
  for (const [path, expression] of Object.entries(given as Doc)) setField({ doc, before }, path, expression);
}

/** A plain object is merged into what is there; an expression replaces it. */
function setField(documents: { readonly doc: Doc; readonly before: Doc }, path: string, expression: unknown): void {
  const { doc, before } = documents;
  const names = isDoc(expression) ? Object.keys(expression) : [];
  if (isDoc(expression) && names.length > 0 && !names.some((name) => name.startsWith("$"))) {
    if (!isDoc(at(doc, path))) put(doc, path, {});
    for (const name of names) setField(documents, `${path}.${name}`, expression[name]);
    return;
  }
  // What is missing is missing then.
  put(doc, path, evaluate(expression, before));
}

export type Sort = Readonly<Record<string, 1 | -1>>;

export const sorted = (docs: readonly Doc[], sort: Sort | undefined): readonly Doc[] =>
  sort === undefined
    ? docs
    : docs.toSorted((a, b) => {
        for (const [path, direction] of Object.entries(sort)) {
          const order = compare(at(a, path), at(b, path));
          if (order !== 0) return order * direction;
        }
        return 0;
      });

/** A copy with the fields that are asked for. */
export function projected(doc: Doc, projection: Readonly<Record<string, unknown>> | undefined): Doc {
  if (projection === undefined) return copy(doc);
  const fields = Object.entries(projection);
  const leavesOut = fields.every(([, wanted]) => wanted === 0 || wanted === false);
  const made: Doc = leavesOut ? copy(doc) : {};
  if (!leavesOut && projection["_id"] !== 0) made["_id"] = doc["_id"];
  for (const [path, wanted] of fields) {
    const value = at(doc, path);
    if (leavesOut) put(made, path, undefined);
    else if (wanted === 1 || wanted === true) keep(made, path, value);
    else if (path !== "_id") throw new NotSimulated(`the projection of ${path}`);
  }
  return made;
}

function keep(made: Doc, path: string, value: unknown): void {
  if (value !== undefined) put(made, path, copy(value));
}
