// Azure Blob Storage against Azurite, Microsoft's own server of the protocol, which checks keys and signatures.
import { randomBytes } from "node:crypto";
import {
  BlobSASPermissions,
  type BlobServiceClient,
  BlobServiceClient as Client,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseLocation } from "../../src/templates/location.ts";
import { openStorage } from "../../src/templates/storage.ts";
import { azurite } from "./install.ts";
import { bundle, freePort, render, type Server, serve } from "./server.ts";

const ACCOUNT = "acme1";
const KEY = randomBytes(32).toString("base64");
const URI = "az://templates/jobs/gpu job.yaml.j2";
const credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
let azure: Server;
let service: BlobServiceClient;

const put = async (text: string): Promise<void> => {
  const blob = service.getContainerClient("templates").getBlockBlobClient("jobs/gpu job.yaml.j2");
  await blob.upload(text, Buffer.byteLength(text));
};

beforeAll(async () => {
  await bundle();
  const script = await azurite();
  const port = await freePort();
  const args = [script, "--inMemoryPersistence", "--disableTelemetry", "--silent", "--blobHost", "127.0.0.1"];
  // A library that is newer than the server names a version that the server does not know.
  const options = { port, env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` } };
  azure = await serve(process.execPath, [...args, "--blobPort", String(port), "--skipApiVersionCheck"], options);
  service = new Client(`${azure.url}/${ACCOUNT}`, credential);
  await service.createContainer("templates");
  await put("kind: Job # {{ _command }}");
}, 300_000);
afterAll(async () => azure?.[Symbol.asyncDispose]());

const connection = (key = KEY) => ({
  AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${key};BlobEndpoint=${azure.url}/${ACCOUNT}`,
});
const account = (key = KEY) => ({
  AZURE_STORAGE_ACCOUNT: ACCOUNT,
  AZURE_STORAGE_KEY: key,
  AZURE_STORAGE_ACCOUNT_URL: `${azure.url}/${ACCOUNT}`,
});

test.each([
  ["a connection string", URI, connection],
  ["an account and its key", URI, account],
  ["the blob's own address", `https://${ACCOUNT}.blob.core.windows.net/templates/jobs/gpu%20job.yaml.j2`, account],
  ["Spark's spelling", `abfss://templates@${ACCOUNT}.dfs.core.windows.net/jobs/gpu job.yaml.j2`, connection],
])("%s reads, through the bundle that the image runs", async (_, uri, environment) => {
  expect(await render(uri, environment())).toEqual({ code: 0, out: "kind: Job # python", err: "" });
});

test("a signed address needs no credentials, and a wrong signature is told apart without being repeated", async () => {
  const options = {
    containerName: "templates",
    blobName: "jobs/gpu job.yaml.j2",
    permissions: BlobSASPermissions.parse("r"),
    expiresOn: new Date(Date.now() + 600_000),
  };
  const query = generateBlobSASQueryParameters(options, credential).toString();
  const uri = `${azure.url}/${ACCOUNT}/templates/jobs/gpu%20job.yaml.j2?${query}`;
  const allowed = { OPJOB_ALLOW_HTTP_TEMPLATES: "true" };
  expect(await render(uri, allowed)).toMatchObject({ code: 0, out: "kind: Job # python" });
  const { code, err } = await render(uri.replace(/sig=[^&]*/, "sig=d3Jvbmc%3D"), allowed);
  expect([code, err]).toEqual([1, expect.stringMatching(/may not be read: .*\(403\)/)]);
  expect(err).not.toMatch(/sig=|d3Jvbmc/);
});

test.each([
  ["az://templates/none.yaml.j2", /There is no template "az:\/\/templates\/none\.yaml\.j2": .*BlobNotFound/],
  ["az://nowhere/none.yaml.j2", /There is no template "az:\/\/nowhere\/none\.yaml\.j2": .*ContainerNotFound/],
])("%s is missing", async (uri, words) => {
  expect(await render(uri, connection())).toMatchObject({ code: 1, err: expect.stringMatching(words) });
});

test("a wrong key is refused with what gives access, and is not shown", async () => {
  const wrong = randomBytes(32).toString("base64");
  const { code, err } = await render(URI, account(wrong));
  expect([code, err]).toEqual([1, expect.stringMatching(/may not be read: .*\n.*Storage Blob Data Reader/)]);
  expect(err).not.toContain(wrong);
  const broken = await render(URI, { AZURE_STORAGE_CONNECTION_STRING: "AccountKey=hunter2hunter2" });
  expect(broken).toMatchObject({ code: 1, err: expect.stringContaining("AZURE_STORAGE_CONNECTION_STRING") });
  expect(broken.err).not.toContain("hunter2");
});

test("a changed blob is noticed, an unchanged one confirmed, and a store that is away leaves the last good one", async () => {
  const storage = openStorage({ environment: connection(), lifeMs: 0, timeoutMs: 5_000 });
  const load = () => storage.load(parseLocation(URI));
  const first = await load();
  expect(await load()).toBe(first);
  await put("kind: Job # 2");
  const second = await load();
  expect(second.text).toBe("kind: Job # 2");
  await azure[Symbol.asyncDispose]();
  expect(await load()).toBe(second);
  expect(storage.stale()).toMatchObject([{ template: URI }]);
});
