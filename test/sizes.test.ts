// Every container in src that lives as long as the daemon is in this table, with the size in `opjob_sizes` that shows or bounds it, or
// with what bounds it by itself. One that is new and not here fails the test, and so does a size that the daemon does not show.
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
  "last-words.ts kept": { of: "last_words" },
  "last-words.ts reading": { of: "last_words_reading" },
  "queue/breaker.ts #states": { of: "gate_breaker" },
  "queue/images.ts #absent": { of: "gate_image" },
  "queue/images.ts #usedBy": { of: "gate_image" },
  "queue/backpressure.ts states": { of: "gate_backpressure" },
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
  "operations/batch.ts waiting": { of: "busy" },
  "log.ts ready": { of: "secrets" },
};

/** Functions whose variables live on in what they return. */
const FACTORY = /^(create|open|keep|batched|hiding|compileTemplate|followAll)|(Store|Gate)$/;
const HEAD = /^(?:export )?(?:async )?function (\w+)/;
/** A field of a class. */
const FIELD = /^ {2}(?:readonly |static )*(#?\w+)\??(?::.*?)? = (?:new (?:Map|Set)\b.*|\[\];|.*\[\] as .*)$/;
/** A variable that begins empty, unless nobody may write to it. */
const VARIABLE =
  /^( {2})?(?:export )?(?:const|let) (\w+)(?::(?! Readonly).*?)? = (?:new (?:Map|Set)(?:<.*>)?\(\)|\[\]);$/;

type Inside = "class" | "factory" | "function" | undefined;

/** What the lines after this one are inside of. */
function insideAfter(line: string, before: Inside): Inside {
  const head = HEAD.exec(line)?.[1];
  if (head !== undefined) return FACTORY.test(head) ? "factory" : "function";
  if (/^(?:export )?(?:abstract )?class /.test(line)) return "class";
  return line.startsWith("}") ? undefined : before;
}

/** Fields of classes, variables of factories, and what stands outside of both. */
function containerIn(line: string, inside: Inside): string | undefined {
  if (inside === "class") return FIELD.exec(line)?.[1];
  const [, indented, name] = VARIABLE.exec(line) ?? [];
  const lives = indented === undefined ? inside === undefined : inside === "factory";
  return lives ? name : undefined;
}

function containersOf(file: string, text: string): string[] {
  let inside: Inside;
  return text.split("\n").flatMap((line) => {
    inside = insideAfter(line, inside);
    const container = containerIn(line, inside);
    return container === undefined ? [] : [`${file} ${container}`];
  });
}

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
