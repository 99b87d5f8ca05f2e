// Whatever src makes so that it can grow is in this table, with the size in `opjob_sizes` that shows or bounds it, or with what bounds
// it by itself. One that is new and not here fails the test, and so does a size that the daemon does not show.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { createInquiry } from "../src/clusters/events.ts";
import { OpjobError } from "../src/errors.ts";
import { createGate } from "../src/gate.ts";
import { createLog } from "../src/log.ts";
import { scene } from "./scene.ts";
import { until } from "./until.ts";

/** `of`: its size, or that of what it is a part of. `most`: it cannot grow beyond. */
type Bound = { readonly of: string } | { readonly most: string };

const CONTAINERS: Readonly<Record<string, Bound>> = {
  "lanes.ts #lanes": { of: "lanes" },
  "lanes.ts #waiting": { of: "hints" },
  "lanes.ts #first": { of: "hints" },
  "lanes.ts #idle": { most: "one for each call of close()" },
  "orchestrators/directory.ts #entries": { of: "orchestrators" },
  "orchestrators/directory.ts #kubeconfigs": { of: "kubeconfigs" },
  "orchestrators/directory.ts #tokens": { of: "tokens" },
  "cleanup.ts told": { of: "jobs" },
  "last-words.ts kept": { of: "last_words" },
  "last-words.ts reading": { of: "last_words_reading" },
  "queue/breaker.ts #states": { of: "gate_breaker" },
  "queue/images.ts #absent": { of: "gate_image" },
  "queue/images.ts #usedBy": { of: "gate_image" },
  "queue/backpressure.ts states": { of: "gate_backpressure" },
  "queue/away.ts #ids": { of: "away" },
  "queue/away.ts #returning": { of: "orchestrators" },
  "queue/lines.ts #lines": { of: "line" },
  "queue/admission.ts #closed": { of: "orchestrators" },
  "queue/places.ts #held": { of: "places" },
  "queue/places.ts #granted": { of: "places" },
  "queue/places.ts #missing": { of: "places" },
  "queue/places.ts #launching": { of: "busy" },
  "queue/places.ts orchestrators": { most: "one tally lives for one pass" },
  "queue/places.ts clusters": { most: "one tally lives for one pass" },
  "place.ts accesses": { of: "accesses" },
  "place.ts templates": { of: "templates" },
  "place.ts locations": { most: "one for each of the templates" },
  "gate.ts gates": { of: "gates" },
  "templates/stores/s3.ts clients": { most: "two kinds of store" },
  "templates/memory.ts entries": { of: "texts" },
  "templates/render.ts forms": { most: "32 for each template (MOST_FORMS)" },
  "templates/job-types.ts known": { most: "the types of a generated table" },
  "clusters/observed.ts #byOperation": { of: "jobs" },
  "clusters/observed.ts #progress": { of: "jobs" },
  "clusters/events.ts known": { of: "events" },
  "clusters/events.ts refusedUntil": { of: "event_places" },
  "clusters/events.ts shared": { of: "event_places" },
  "clusters/connection.ts #links": { of: "connections" },
  "clusters/traffic.ts #waiting": { of: "calls" },
  "clusters/pool.ts #entries": { of: "clusters" },
  "verdicts.ts verdicts": { of: "verdicts" },
  "refreshes.ts due": { of: "refreshes" },
  "refreshes.ts pauses": { of: "refreshes" },
  "refreshes.ts tried": { of: "tried" },
  "queue/lines.ts #arrived": { of: "line" },
  "queue/places.ts #learned": { of: "places" },
  "queue/breaker.ts inHand": { most: "64 for each orchestrator (WIDE)" },
  "queue/images.ts met": { of: "jobs" },
  "clusters/connection.ts streams": { of: "watches" },
  "clusters/pool.ts namespaces": { of: "watches" },
  "verdicts.ts told": { most: "the findings of one orchestrator" },
  "daemon.ts cut": { most: "the names of three collections" },
  "operations/batch.ts waiting": { of: "busy" },
  "log.ts ready": { of: "secrets" },
  ...Object.fromEntries(
    [
      "clusters/watch.ts views",
      "operations/among.ts found",
      "orchestrators/directory.ts entries",
      "orchestrators/record.ts unset",
      "queue/admission.ts orchestrators",
      "queue/admission.ts clusters",
      "templates/job-types.ts fields",
      "templates/lint.ts found",
      "templates/stores/reading.ts parts",
      "templates/yaml-aliases.ts anchors",
      "templates/yaml-aliases.ts targets",
      "templates/yaml-reader.ts open",
    ].map((name) => [name, { most: "one call, which gives it back or forgets it" }]),
  ),
};

/** `name: type = value;`, of a field or a variable; a declaration of more than one line has its type and value on the first. */
const FIELD = /^ {2}(?:private |static |readonly )*(#?\w+)\??(?:: ([^=]*(?:=>[^=]*)*))?(?: ?= (.*))?;$/;
const VARIABLE = /^(?: {2})?(?:export )?(?:const|let) (\w+)(?:: ([^=]*(?:=>[^=]*)*))? = (.*);$/;
/** What begins empty, or is made of something, and may be added to. */
const MADE = /\bnew (?:Map|Set)\b|\[\]|^\{\}$/;
const EMPTY = /^new (?:Map|Set)(?:<.*>)?\(\)$|^\[\](?: as .*)?$|^\{\}$/;
const GROWS = /\b(?:Map|Set)<|\[\]/;
const FIXED = /^(?:readonly|Readonly)|^\([^()]*\) =>/;
/** A part of an entry, or of a state. */
const PART = /\b(\w+): new (?:Map|Set)\b/g;

function grows({ type, value, inClass }: { type: string; value: string; inClass: boolean }): boolean {
  if (FIXED.test(type)) return false;
  return inClass ? MADE.test(value) || GROWS.test(type) : EMPTY.test(value);
}

/** Names of what a line makes that can grow: fields of classes, variables of modules and functions, and parts of objects anywhere. */
function containersIn(line: string, inClass: boolean): string[] {
  const parts = [...line.matchAll(PART)].map(([, name = ""]) => name);
  const [, name = "", type = "", value = ""] = (inClass ? FIELD : VARIABLE).exec(line) ?? [];
  return name !== "" && grows({ type, value, inClass }) ? [name, ...parts] : parts;
}

function containersOf(file: string, text: string): string[] {
  let inClass = false;
  const found = text.split("\n").flatMap((line) => {
    if (/^(?:export )?(?:abstract )?class /.test(line)) inClass = true;
    else if (line.startsWith("}")) inClass = false;
    return containersIn(line, inClass);
  });
  return [...new Set(found)].map((name) => `${file} ${name}`);
}

test("whatever is made so that it can grow is found, and what cannot grow is not", () => {
  const found = `
const KNOWN = new Map<string, number>();
let late: string[] = [];
const byName: Record<string, number> = {};
export class Room {
  readonly #a = new Map<string, Set<string>>();
  #b: { readonly kept: Map<string, number> } | undefined;
  #c: (() => void)[] = [];
  readonly #d = { first: [] as string[] };
  private e: string[];
  fill(): void {
    this.#a.set("", { met: new Set([""]) });
  }
}
export function makeAnything() {
  const f = new Map<string, number>();
  let g: { readonly at: number }[] = [];
}
const arrow = () => {
  const h = new Set<string>();
};
`;
  expect(containersOf("x.ts", found).join(" ")).toBe(
    "KNOWN late byName #a #b #c #d e met f g h".replaceAll(/\S+/g, "x.ts $&"),
  );
  const fixed = `
const NAMES: ReadonlySet<string> = new Set();
const CODES = new Set([1, 2]);
export class Room {
  readonly #names: readonly string[];
  readonly #all: () => Map<string, number>;
  #at = 0;
}
`;
  expect(containersOf("x.ts", fixed)).toEqual([]);
});

/** Commands end; a template's interpreter lives for one rendering. */
const NOT_THE_DAEMON = /^(cli|local|inquiries|templates\/jinja)\//;

test("every container that lives as long as the daemon has a size that is shown, or a bound", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found = files
    .filter((file) => !NOT_THE_DAEMON.test(file))
    .flatMap((file) => containersOf(file, readFileSync(join("src", file), "utf8")));
  expect(found.toSorted()).toEqual(Object.keys(CONTAINERS).toSorted());
});

test("each size is explained", () => {
  const explained = [...readFileSync("docs/memory.md", "utf8").matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = ""]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const sizes = Object.values(CONTAINERS).flatMap((bound) => ("of" in bound ? [bound.of] : []));
  expect(explained).toEqual(expect.arrayContaining([...new Set(sizes)]));
});

test("the daemon shows each of these sizes, and they grow with what there is", async () => {
  await using stage = await scene();
  const daemon = await stage.start();
  const sizes = async (): Promise<Map<string, number>> => {
    const text = await daemon.metrics.registry.metrics();
    return new Map(
      [...text.matchAll(/^opjob_sizes\{of="(\w+)"\} (\d+)$/gm)].map(([, of = "", size]) => [of, Number(size)]),
    );
  };
  const wanted = Object.values(CONTAINERS).flatMap((bound) => ("of" in bound ? [bound.of] : []));
  expect([...(await sizes()).keys()]).toEqual(expect.arrayContaining(wanted));
  const id = await stage.queue();
  await stage.reaches(id, "running");
  expect(Object.fromEntries(await sizes())).toMatchObject({
    jobs: 1,
    pods: 1,
    orchestrators: 1,
    templates: 1,
    clusters: 1,
  });
  await until(async () => (await sizes()).get("lanes") === 0);
});

test("a server that was away, and that nobody asks any more, is forgotten", async () => {
  let now = 0;
  const ask = createGate(() => now);
  const fault = new OpjobError("CLUSTER_UNREACHABLE", "It is away.");
  await ask("https://old", async () => ({ findings: [], fault, tried: true }));
  expect(ask.sizes().gates).toBe(1);
  now += 60_000;
  await ask("https://new", async () => ({ findings: [], fault: undefined, tried: true }));
  expect(ask.sizes().gates).toBe(0);
});

test("namespaces whose Events may not be read are forgotten when they would be asked again, whatever their cluster's credential", async () => {
  let now = 0;
  const inquiry = createInquiry({ now: () => now, log: createLog({ level: "silent", secrets: [] }) });
  const forbidden = async () => {
    throw new OpjobError("CLUSTER_FORBIDDEN", "Events may not be read.");
  };
  for (let rotation = 0; rotation < 20; rotation++) {
    await inquiry.ask({ key: `credential ${rotation}`, events: forbidden }, "fiftyone", { uid: "1" });
    now += 700_000;
  }
  expect(inquiry.sizes().event_places).toBe(1);
});
