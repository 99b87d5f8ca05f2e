// Google's credentials as its library finds them: workload identity federation, from the file that a Pod is given to the
// token in the request. The exchange is played by a server of the test's own.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { BucketLocation } from "../../../src/templates/location.ts";
import { gcsStore } from "../../../src/templates/stores/gcs.ts";
import { refusalOf } from "../../refusal.ts";
import { openShelf, refuse, type Shelf, text } from "./shelf.ts";

const VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS";
const LOCATION: BucketLocation = { kind: "gcs", bucket: "b", key: "job.yaml.j2", name: "gs://b/job.yaml.j2" };
const asked = { tag: undefined, signal: AbortSignal.timeout(15_000) };

let folder: string;
let google: Shelf;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "opjob-google-"));
  google = await openShelf((request, response) => {
    if (request.url === "/token") {
      const token = { access_token: "made-up-access", token_type: "Bearer", expires_in: 3_600, issued_token_type: "x" };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(token));
      return;
    }
    const known = request.headers.authorization === "Bearer made-up-access";
    (known ? text("kind: Job\n") : refuse(401, "401", "Anonymous caller does not have access"))(request, response);
  });
  await writeFile(join(folder, "token"), "made-up-subject");
  const credentials = {
    type: "external_account",
    audience: "//iam.example/projects/1/locations/global/workloadIdentityPools/p/providers/k",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${google.url}/token`,
    credential_source: { file: join(folder, "token") },
  };
  await writeFile(join(folder, "credentials.json"), JSON.stringify(credentials));
});
afterEach(async () => {
  delete process.env[VARIABLE];
  await rm(folder, { recursive: true });
  await google[Symbol.asyncDispose]();
});

test("a federated workload exchanges its token and reads with what it gets", async () => {
  process.env[VARIABLE] = join(folder, "credentials.json");
  const read = gcsStore({}, google.url);
  expect(await read(LOCATION, asked)).toEqual({ kind: "text", text: "kind: Job\n", tag: "17" });
  expect(await read(LOCATION, { ...asked, tag: "17" })).toEqual({ kind: "unchanged" });
  expect(google.seen.map(({ url }) => url.split("?")[0])).toEqual([
    "/token",
    "/storage/v1/b/b/o/job.yaml.j2",
    "/storage/v1/b/b/o/job.yaml.j2",
  ]);
});

test("credentials that are not there are no store that is away; once they are there they are used", async () => {
  process.env[VARIABLE] = join(folder, "missing.json");
  const read = gcsStore({}, google.url);
  const error = await refusalOf(read(LOCATION, asked));
  expect([error.code, error.message]).toEqual([
    "TEMPLATE_FORBIDDEN",
    expect.stringContaining("there are no credentials for Google Cloud"),
  ]);
  expect(error.remedy).toContain(VARIABLE);
  process.env[VARIABLE] = join(folder, "credentials.json");
  expect(await read(LOCATION, asked)).toMatchObject({ kind: "text" });
});
