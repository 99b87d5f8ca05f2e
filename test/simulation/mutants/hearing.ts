// Faults in how a daemon hears of what happens: watches, change streams, hints and the sweep. Knows the text of src/; nothing of how
// faults are found.
import type { Mutant } from "./mutant.ts";

export const HEARING: readonly Mutant[] = [
  {
    name: "take the first page of a list for all of it",
    file: "clusters/watch.ts",
    from: "token = page.continue;",
    to: "token = undefined;",
  },
  {
    name: "list only once",
    file: "clusters/watch.ts",
    from: "version = clock.elapsed() - listed > LIST_AGAIN ? undefined : watched.version;",
    to: "version = listed < 0 ? undefined : watched.version;",
  },
  {
    name: "go on with a watch whose version is too old",
    file: "clusters/watch.ts",
    from: 'if (event.object["code"] === 410) return undefined;',
    to: 'if (event.object["code"] === 410) return version;',
  },
  {
    name: "keep in mind what is in no list any more",
    file: "clusters/observed.ts",
    from: "if (this.drop(scope, kept.view)) changed.add(kept.view.operation);",
    to: "",
  },
  {
    name: "lose a hint that comes while its operation is worked on",
    file: "lanes.ts",
    from: "lane.hinted = true;",
    to: "",
  },
  {
    name: "work on an operation twice at the same time",
    file: "lanes.ts",
    from: "if (lane.busy) { lane.hinted = true; return; }",
    to: "if (lane.busy) lane.hinted = true;",
  },
  {
    name: "keep a token that has aged out",
    file: "changes.ts",
    from: "if (code === HISTORY_LOST || follower.failures > 2) follower.token = undefined;",
    to: "",
  },
  {
    name: "sweep only what is not claimed",
    file: "sweep.ts",
    from: "if (!heardOf.has(operation.id)) hint(operation.id);",
    to: "",
  },
  {
    name: "sweep nothing that has ended",
    file: "sweep.ts",
    from: "for (const id of strays) hint(id);",
    to: "",
  },
  {
    name: "overlook what has ended and whose Job is gone",
    file: "sweep.ts",
    from: "for (const id of [...ended, ...gone]) hint(id);",
    to: "for (const id of ended) hint(id);\n    void gone;",
  },
  {
    name: "look for what was overlooked only when a term begins",
    file: "sweep.ts",
    from: "first || !begun ? OVERLOOKED.first : OVERLOOKED.later",
    to: "first || !begun ? OVERLOOKED.first : -1",
  },
];
