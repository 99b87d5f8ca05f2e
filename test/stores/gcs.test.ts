// Google Cloud Storage against an emulator of its JSON API: found, missing, changed, away.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseLocation } from "../../src/templates/location.ts";
import { openStorage } from "../../src/templates/storage.ts";
import { pythonServers } from "./install.ts";
import { bundle, freePort, render, type Server, serve } from "./server.ts";

const URI = "gs://templates/jobs/gpu job.yaml.j2";
let google: Server;

const post = async (path: string, type: string, body: string): Promise<void> => {
  const { status } = await fetch(`${google.url}${path}`, { method: "POST", headers: { "content-type": type }, body });
  expect(status).toBe(200);
};
const put = (text: string) =>
  post(
    `/upload/storage/v1/b/templates/o?uploadType=media&name=${encodeURIComponent("jobs/gpu job.yaml.j2")}`,
    "text/yaml",
    text,
  );

beforeAll(async () => {
  await bundle();
  const python = await pythonServers();
  const port = await freePort();
  const args = ["-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", `--port=${port}`, "--in-memory"];
  google = await serve(python, args, { port });
  await post("/storage/v1/b?project=p", "application/json", JSON.stringify({ name: "templates" }));
  await put("kind: Job # {{ _command }}");
}, 300_000);
afterAll(async () => google?.[Symbol.asyncDispose]());

const emulated = () => ({ STORAGE_EMULATOR_HOST: google.url.replace("http://", "") });

test("a template is read, through the bundle that the image runs", async () => {
  expect(await render(URI, emulated())).toEqual({ code: 0, out: "kind: Job # python", err: "" });
});

test.each(["gs://templates/none.yaml.j2", "gs://nowhere/none.yaml.j2"])("%s is missing", async (uri) => {
  const { code, err } = await render(uri, emulated());
  expect([code, err]).toEqual([1, expect.stringContaining(`There is no template "${uri}": Not Found (404).`)]);
});

test("a changed object is noticed, and a store that is away leaves the last good one", async () => {
  const storage = openStorage({ environment: emulated(), lifeMs: 0 });
  const load = () => storage.load(parseLocation(URI));
  const first = await load();
  expect(await load()).toEqual(first);
  await put("kind: Job # 2");
  expect((await load()).text).toBe("kind: Job # 2");
  await google[Symbol.asyncDispose]();
  expect((await load()).text).toBe("kind: Job # 2");
  expect(storage.stale()).toMatchObject([{ template: URI }]);
});
