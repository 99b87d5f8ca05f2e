// The rooms of src/: who may import whom. Reads the import lines; runs nothing.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "@jest/globals";

const SRC = resolve("src");
const ROOMS = ["operations", "orchestrators", "templates", "clusters", "queue"];
/** Doors: the only files of a room that speak to the outside thing they are named after. */
const DOORS: Record<string, string[]> = {
  operations: ["mongo.ts", "mongo-reads.ts", "feed.ts"],
  orchestrators: ["mongo.ts", "mongo-records.ts", "mongo-secrets.ts", "key-file.ts"],
  templates: ["storage.ts", ...["file", "web", "s3", "gcs", "azure"].map((store) => `stores/${store}.ts`)],
  clusters: ["kubernetes.ts", "connection.ts"],
};
/** What only a door may import at run time. */
const OUTSIDE = ["undici", "node:fs", "node:fs/promises", "node:http", "node:https", "node:net", "node:child_process"];
/** What only the store that speaks to it may load, and only when a template is stored there. */
const LOADED_LATE = ["@aws-sdk/client-s3", "google-auth-library", "@azure/identity", "@azure/storage-blob"];

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replaceAll("\\", "/"));

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)";/gms)].map(
    ([, type, target = ""]) => ({
      from: file,
      to: target.startsWith(".") ? relative(SRC, resolve(SRC, dirname(file), target)) : target,
      typeOnly: type !== undefined,
    }),
  );
});

const roomOf = (file: string): string => file.split("/")[0] ?? "";
const show = ({ from, to }: Import): string => `${from} → ${to}`;

test("there are imports to check", () => {
  expect(imports.length).toBeGreaterThan(100);
});

test("no room opens another room's door", () => {
  const doors = Object.entries(DOORS).flatMap(([room, names]) => names.map((name) => `${room}/${name}`));
  const trespasses = imports.filter(
    ({ from, to }) => ROOMS.includes(roomOf(from)) && doors.includes(to) && roomOf(from) !== roomOf(to),
  );
  expect(trespasses.map(show)).toEqual([]);
});

test("only doors touch the outside", () => {
  const trespasses = imports.filter(
    ({ from, to, typeOnly }) =>
      ROOMS.includes(roomOf(from)) &&
      !typeOnly &&
      OUTSIDE.includes(to) &&
      !DOORS[roomOf(from)]?.includes(from.slice(from.indexOf("/") + 1)),
  );
  expect(trespasses.map(show)).toEqual([]);
});

test("the libraries of stores are loaded by their doors, when they are used", () => {
  const libraries = ["azure-identity", "azure-library", "gcs-library", "s3-library"].map(
    (n) => `templates/stores/${n}.ts`,
  );
  const naming = imports.filter(({ to, typeOnly }) => !typeOnly && LOADED_LATE.includes(to)).map(({ from }) => from);
  expect(naming.toSorted()).toEqual(libraries);
  expect(imports.filter(({ to, typeOnly }) => !typeOnly && libraries.includes(to)).map(show)).toEqual([]);
});

test("rooms know neither the roads nor the commands nor the local parts", () => {
  const shared = ["errors.ts", "log.ts", "changes.ts", "clock.ts", "nearest.ts"];
  const trespasses = imports.filter(
    ({ from, to }) =>
      ROOMS.includes(roomOf(from)) && to.endsWith(".ts") && !ROOMS.includes(roomOf(to)) && !shared.includes(to),
  );
  expect(trespasses.map(show)).toEqual([]);
});

test("the product does not know the local parts, but for the demo", () => {
  const trespasses = imports.filter(
    ({ from, to }) => roomOf(to) === "local" && roomOf(from) !== "local" && from !== "cli/demo.ts",
  );
  expect(trespasses.map(show)).toEqual([]);
});

test("only main.ts and the local parts know process", () => {
  const knowing = files.filter(
    (file) => file !== "main.ts" && roomOf(file) !== "local" && /\bprocess\.[a-z]/.test(code(file)),
  );
  expect(knowing).toEqual([]);
});

test("time is only read through an injected clock in the rooms", () => {
  const reading = files.filter((file) => ROOMS.includes(roomOf(file)) && /\bDate\.now\(|new Date\(\)/.test(code(file)));
  expect(reading).toEqual([]);
});

test("nobody but a worker's stand-in names a run state that only a worker may set", () => {
  const setting = files.filter(
    (file) => roomOf(file) !== "local" && /run_state: ?"(scheduled|running|completed|processing)"/.test(code(file)),
  );
  expect(setting).toEqual([]);
});

test("every file opens with what it knows", () => {
  const silent = files.filter((file) => !/^(#!.*\n)?\/\/ \S/.test(readFileSync(join(SRC, file), "utf8")));
  expect(silent).toEqual([]);
});

/** A file without its comments. */
function code(file: string): string {
  return readFileSync(join(SRC, file), "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/\/\/.*$/gm, "");
}
