// S3 against moto, which checks signatures and IAM's rules: keys, web identity, permissions, and a store that goes away.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseLocation } from "../../src/templates/location.ts";
import { openStorage } from "../../src/templates/storage.ts";
import { pythonServers } from "./install.ts";
import { bundle, freePort, render, type Server, serve } from "./server.ts";

type Key = { readonly id: string; readonly secret: string };
type Accounts = { readonly reader: Key; readonly stranger: Key; readonly role: string };

const URI = "s3://templates/jobs/gpu.yaml.j2";
let python: string;
let moto: Server;
let accounts: Accounts;
let folder: string;

const boto = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, "s3.py"), moto.url, ...args]);
  return stdout;
};

beforeAll(async () => {
  await bundle();
  python = await pythonServers();
  const port = await freePort();
  moto = await serve(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { port });
  accounts = JSON.parse(await boto("furnish", "kind: Job # {{ _command }}")) as Accounts;
  folder = await mkdtemp(join(tmpdir(), "opjob-s3-"));
}, 300_000);
afterAll(async () => {
  await moto?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true });
});

const as = ({ id, secret }: Key): Record<string, string> => ({
  AWS_ENDPOINT_URL: moto.url,
  AWS_ACCESS_KEY_ID: id,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_DEFAULT_REGION: "us-east-1",
});

/** Before calls are checked: moto would want a signature of the very call that has none yet. */
test("a service account's web identity is exchanged for a role's credentials", async () => {
  const token = join(folder, "token");
  await writeFile(token, "made.up.token");
  const env = {
    AWS_ENDPOINT_URL: moto.url,
    AWS_REGION: "us-east-1",
    AWS_ROLE_ARN: accounts.role,
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
  };
  expect(await render(URI, env)).toMatchObject({ code: 0, out: "kind: Job # python" });
});

describe("with every call checked, its signature and what IAM allows to its account,", () => {
  beforeAll(async () => {
    const body = new Blob(["0"]);
    expect((await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body })).status).toBe(200);
  });
  test("an account that may read reads, through the bundle that the image runs", async () => {
    expect(await render(URI, as(accounts.reader))).toEqual({ code: 0, out: "kind: Job # python", err: "" });
  });

  test("the endpoint of S3 alone is enough, and no region needs to be named", async () => {
    const { AWS_ENDPOINT_URL: url = "", AWS_DEFAULT_REGION: _, ...env } = as(accounts.reader);
    expect(await render(URI, { ...env, AWS_ENDPOINT_URL_S3: url })).toMatchObject({ code: 0 });
  });

  test("MinIO's variables name another server of the same protocol", async () => {
    const { id, secret } = accounts.reader;
    const env = { MINIO_ENDPOINT_URL: moto.url, MINIO_ACCESS_KEY: id, MINIO_SECRET_ACCESS_KEY: secret };
    expect(await render(URI.replace("s3:", "minio:"), env)).toMatchObject({ code: 0, out: "kind: Job # python" });
  });

  test.each([
    [
      "a missing object",
      "s3://templates/none.yaml.j2",
      /There is no template "s3:\/\/templates\/none\.yaml\.j2": NoSuchKey/,
    ],
    [
      "a missing bucket",
      "s3://nowhere/gpu.yaml.j2",
      /There is no template "s3:\/\/nowhere\/gpu\.yaml\.j2": NoSuchBucket/,
    ],
  ])("%s", async (_, uri, words) => {
    expect(await render(uri, as(accounts.reader))).toMatchObject({ code: 1, err: expect.stringMatching(words) });
  });

  test("no permission, a wrong secret, an unknown key, no credentials: each says so, and what gives access", async () => {
    const { reader, stranger } = accounts;
    const refused = async (env: Record<string, string>) => {
      const { code, err } = await render(URI, { AWS_EC2_METADATA_DISABLED: "true", ...env });
      expect([code, err]).toEqual([1, expect.stringContaining("Allow s3:GetObject on it")]);
      expect(err).not.toContain(reader.secret);
      return err.split("\n")[0];
    };
    expect(await refused(as(stranger))).toMatch(/may not be read: AccessDenied/);
    expect(await refused(as({ ...reader, secret: "wrong" }))).toMatch(/may not be read: SignatureDoesNotMatch/);
    expect(await refused(as({ id: "AKIAUNKNOWN", secret: "x" }))).toMatch(/may not be read: InvalidAccessKeyId/);
    expect(await refused({ AWS_ENDPOINT_URL: moto.url })).toMatch(/there are no credentials for S3/);
  });

  test("a changed object is noticed, an unchanged one confirmed, and a store that is away leaves the last good one", async () => {
    Object.assign(process.env, as(accounts.reader));
    const storage = openStorage({ environment: process.env, lifeMs: 0, timeoutMs: 5_000 });
    const load = () => storage.load(parseLocation(URI));
    const first = await load();
    expect(await load()).toBe(first);
    await boto("put", accounts.reader.id, accounts.reader.secret, "kind: Job # 2");
    const second = await load();
    expect(second.text).toBe("kind: Job # 2");
    await moto[Symbol.asyncDispose]();
    expect(await load()).toBe(second);
    expect(storage.stale()).toMatchObject([{ template: URI }]);
    const { code, err } = await render(URI, as(accounts.reader));
    expect([code, err]).toEqual([1, expect.stringContaining("is away: ECONNREFUSED")]);
  });
});
