// Every store against a server that misbehaves: what each read ends with, and that it ends in time.
// The real servers of the protocols are in test/stores.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Location, parseLocation } from "../../../src/templates/location.ts";
import { openStorage, type Storage, type StorageOptions } from "../../../src/templates/storage.ts";
import { refusalOf } from "../../refusal.ts";
import { until } from "../../until.ts";
import { announcing, brokenOff, endless, never, openShelf, refuse, type Shelf, text } from "./shelf.ts";

const JOB = "kind: Job # ✓\n";
/** Made up; as secret as a test can have it. */
const SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
const MIB = 1_048_576;

type Case = {
  readonly name: string;
  readonly uri: (shelf: string) => string;
  readonly environment: (shelf: string) => Record<string, string>;
  /** How the request shows who asks; undefined: nobody does. */
  readonly shows: RegExp | undefined;
  readonly path: string;
  /** What the remedy of a refusal names. */
  readonly remedy: RegExp;
  /** Of an answer that does not say how long it is. */
  readonly endless?: RegExp;
};

const CASES: readonly Case[] = [
  {
    name: "s3",
    uri: () => "s3://bucket/a dir/job.yaml.j2",
    environment: () => ({}),
    shows: /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d+\/eu-test-1\/s3/,
    path: "/bucket/a%20dir/job.yaml.j2?x-id=GetObject",
    remedy: /s3:GetObject.*AWS_ACCESS_KEY_ID/,
  },
  {
    name: "minio",
    uri: () => "minio://bucket/a dir/job.yaml.j2",
    environment: (shelf) => ({
      MINIO_ENDPOINT_URL: shelf,
      MINIO_ACCESS_KEY: "minio-test",
      MINIO_SECRET_ACCESS_KEY: SECRET,
    }),
    shows: /^AWS4-HMAC-SHA256 Credential=minio-test\//,
    path: "/bucket/a%20dir/job.yaml.j2?x-id=GetObject",
    remedy: /MINIO_ACCESS_KEY/,
  },
  {
    name: "gcs",
    uri: () => "gs://bucket/a dir/job.yaml.j2",
    environment: (shelf) => ({ STORAGE_EMULATOR_HOST: shelf }),
    shows: undefined,
    path: "/storage/v1/b/bucket/o/a%20dir%2Fjob.yaml.j2?alt=media",
    remedy: /Storage Object Viewer.*GOOGLE_APPLICATION_CREDENTIALS/,
  },
  {
    name: "azure",
    uri: () => "az://container/a dir/job.yaml.j2",
    environment: (shelf) => ({
      AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=made-up;AccountKey=${SECRET};BlobEndpoint=${shelf}/made-up`,
    }),
    shows: /^SharedKey made-up:/,
    path: "/made-up/container/a%20dir/job.yaml.j2",
    remedy: /Storage Blob Data Reader.*AZURE_STORAGE_KEY/,
    // Azure always says it; its library takes no other answer.
    endless: /content length/,
  },
  {
    name: "web",
    uri: (shelf) =>
      `${shelf.replace("://", `://user:${encodeURIComponent(SECRET)}@`)}/a dir/job.yaml.j2?sig=s3cret-signature`,
    environment: () => ({}),
    shows: /^Basic /,
    path: "/a%20dir/job.yaml.j2?sig=s3cret-signature",
    remedy: /an address that opjob may read/,
  },
];

/** What the stores' own libraries read of the process they run in. */
const AMBIENT = {
  AWS_ACCESS_KEY_ID: "AKIATEST",
  AWS_SECRET_ACCESS_KEY: SECRET,
  AWS_REGION: "eu-test-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/nowhere",
  AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
};
const before = { ...process.env };
let shelf: Shelf;
beforeAll(() => void Object.assign(process.env, AMBIENT));
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});
beforeEach(async () => {
  shelf = await openShelf(text(JOB));
  process.env["AWS_ENDPOINT_URL_S3"] = shelf.url;
});
afterEach(async () => shelf[Symbol.asyncDispose]());

describe.each(CASES)(
  "$name",
  ({ uri, environment, shows, path, remedy, endless: withoutEnd = /larger than 1 MiB/ }) => {
    const open = (options: StorageOptions = {}): { storage: Storage; location: Location } => ({
      storage: openStorage({
        environment: { ...AMBIENT, AWS_ENDPOINT_URL_S3: shelf.url, ...environment(shelf.url) },
        allowHttp: true,
        timeoutMs: 5_000,
        ...options,
      }),
      location: parseLocation(uri(shelf.url)),
    });
    const load = async (options: StorageOptions = {}) => {
      const { storage, location } = open(options);
      return storage.load(location);
    };
    const refused = async (options: StorageOptions = {}) => {
      const error = await refusalOf(load(options));
      const said = `${error.message} ${error.remedy}`;
      for (const secret of [SECRET, encodeURIComponent(SECRET), "s3cret-signature"]) expect(said).not.toContain(secret);
      expect(error.message).toContain("job.yaml.j2");
      expect(error.message).not.toMatch(/expired/i);
      expect(error.retryable).toBe(true);
      return error;
    };

    test("gives the text, asked for in its protocol", async () => {
      expect((await load()).text).toBe(JOB);
      expect(shelf.seen).toMatchObject([{ method: "GET", url: path }]);
      const shown = shelf.seen[0]?.headers.authorization;
      if (shows) expect(shown).toMatch(shows);
      else expect(shown).toBeUndefined();
    });

    test("is asked for what changed, and gives the new text only when it did", async () => {
      const { storage, location } = open({ lifeMs: 0 });
      const first = await storage.load(location);
      const second = await storage.load(location);
      expect([second, shelf.seen.length]).toEqual([first, 2]);
      shelf.answer = text("kind: Job # 2\n", "18");
      const third = await storage.load(location);
      expect([third.text, third.version === first.version]).toEqual(["kind: Job # 2\n", false]);
    });

    test("an object that is missing", async () => {
      shelf.answer = refuse(404, "NoSuchKey", "it is not here");
      const error = await refused();
      expect([error.code, error.message]).toEqual(["TEMPLATE_MISSING", expect.stringContaining("404")]);
    });

    test.each([401, 403])("no permission (%i) says what gives it", async (status) => {
      shelf.answer = refuse(status, "AccessDenied", "you may not; the token has expired");
      const error = await refused();
      expect(error.code).toBe("TEMPLATE_FORBIDDEN");
      expect(error.message).toContain(String(status));
      expect(error.remedy).toMatch(remedy);
    });

    test.each([500, 503, 429])("a store that fails (%i)", async (status) => {
      shelf.answer = refuse(status, "SlowDown", "please");
      expect((await refused()).code).toBe("TEMPLATE_STORE_UNREACHABLE");
    });

    test("a store that does not answer is given up at the deadline", async () => {
      shelf.answer = never;
      const error = await refused({ timeoutMs: 300 });
      expect([error.code, error.message]).toEqual([
        "TEMPLATE_STORE_UNREACHABLE",
        expect.stringContaining("no answer within 0.3 s"),
      ]);
    });

    test("an answer that stops half way is given up at the deadline", async () => {
      shelf.answer = announcing(100);
      expect((await refused({ timeoutMs: 300 })).message).toContain("no answer within 0.3 s");
    });

    test("an answer that breaks off is no template", async () => {
      shelf.answer = brokenOff;
      expect((await refused()).code).toBe("TEMPLATE_STORE_UNREACHABLE");
    });

    test("an answer that is announced as too large is not read", async () => {
      shelf.answer = announcing(MIB + 1);
      const error = await refused();
      expect([error.code, error.message]).toEqual([
        "TEMPLATE_UNREADABLE",
        expect.stringContaining("larger than 1 MiB"),
      ]);
      await until(() => shelf.open() === 0);
    });

    test("an answer without end is cut off at 1 MiB", async () => {
      shelf.answer = endless;
      expect((await refused()).message).toMatch(withoutEnd);
      await until(() => shelf.open() === 0);
    });

    test("1 MiB is not too large", async () => {
      const most = "x".repeat(MIB);
      shelf.answer = text(most);
      expect((await load()).text === most).toBe(true);
    });

    test("what is no text is no template", async () => {
      shelf.answer = (_, response) =>
        void response.writeHead(200, { etag: '"x"', "content-length": 3 }).end(Buffer.of(0xff, 0xfe, 0x41));
      expect((await refused()).message).toContain("not UTF-8 text");
    });

    test("nobody at the address", async () => {
      const { storage, location } = open();
      await shelf[Symbol.asyncDispose]();
      const error = await refusalOf(storage.load(location));
      expect([error.code, error.message]).toEqual([
        "TEMPLATE_STORE_UNREACHABLE",
        expect.stringMatching(/ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/),
      ]);
      shelf = await openShelf(text(JOB));
    });
  },
);
