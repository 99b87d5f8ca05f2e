// The control plane's own promises: where its components come from, what it can do to them, and that nothing is left of it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { Client } from "./client.ts";
import { suspended } from "./contract/jobs.ts";
import { findComponents } from "./plane/components.ts";
import { startPlane } from "./plane/plane.ts";
import { seen } from "./seen.ts";

const JOBS = "/apis/batch/v1/namespaces/default/jobs";

/** A process that ended and that nobody has asked about yet is a zombie: it counts as gone. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

const allGone = (pids: readonly number[]): Promise<boolean> =>
  seen("no process left", async () => !(await Promise.all(pids.map(isAlive))).includes(true));

describe("a plane", () => {
  test("keeps what it was told when its API server and etcd are killed and started", async () => {
    await using plane = await startPlane({ level: "none" });
    const client = new Client(plane.kubeconfig());
    expect((await client.send("POST", JOBS, { body: suspended("kept") })).code).toBe(201);
    for (const component of ["kube-apiserver", "etcd"] as const) {
      const before = plane.pid(component);
      await plane.kill(component);
      expect(plane.pid(component)).toBeUndefined();
      await plane.start(component);
      expect(plane.pid(component)).not.toBe(before);
    }
    await seen("the Job", async () => {
      const { code, body } = await client.send("GET", `${JOBS}/kept`);
      return code === 200 && body.metadata.name === "kept";
    });
    expect(() => plane.pid("kwok")).toThrow("a plane of level none has no kwok");
    await client.close();
  });

  test("leaves no process and no file when it is stopped", async () => {
    const plane = await startPlane({ level: "none" });
    const pids = (["etcd", "kube-apiserver", "kube-controller-manager"] as const).map((one) => plane.pid(one) ?? 0);
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true, true]);
    await plane.stop();
    await plane.stop();
    await allGone(pids);
    expect(existsSync(plane.directory)).toBe(false);
  });

  test("leaves no process and no file when the process that started it is killed", async () => {
    const child = spawn(process.execPath, ["test/kubernetes/plane/run.ts", "kwok"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { pids, directory } = JSON.parse(line) as { pids: number[]; directory: string };
    expect(pids).toHaveLength(5);
    expect(await Promise.all(pids.map(isAlive))).toEqual(pids.map(() => true));
    child.kill("SIGKILL");
    await exited;
    await allGone(pids);
    await seen("no file left", () => !existsSync(directory));
  }, 60_000);
});

describe("a component", () => {
  async function directories(): Promise<{ readonly root: string } & AsyncDisposable> {
    const root = await mkdtemp(join(tmpdir(), "opjob-components-"));
    for (const [directory, name] of [
      ["assets", "etcd"],
      ["bin", "etcd"],
      ["bin", "kwok"],
    ] as const) {
      await mkdir(join(root, directory), { recursive: true });
      await writeFile(join(root, directory, name), "", { mode: 0o755 });
    }
    return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
  }

  test("comes from KUBEBUILDER_ASSETS, else from PATH, each by itself", async () => {
    await using scratch = await directories();
    const [assets, bin] = [join(scratch.root, "assets"), join(scratch.root, "bin")];
    const found = await findComponents(["etcd", "kwok"], { env: { KUBEBUILDER_ASSETS: assets, PATH: bin } });
    expect(found.get("etcd")).toEqual({ file: join(assets, "etcd"), first: [] });
    expect(found.get("kwok")).toEqual({ file: join(bin, "kwok"), first: [] });
  });

  test("that is nowhere and cannot be built is refused with the places, the reason and what to do", async () => {
    await using scratch = await directories();
    const env = { PATH: join(scratch.root, "bin"), OPJOB_CACHE: join(scratch.root, "cache") };
    await expect(findComponents(["etcd", "kube-apiserver", "kube-scheduler"], { env })).rejects.toThrow(
      "kube-apiserver, kube-scheduler: not in KUBEBUILDER_ASSETS and not on PATH; there is no Go on PATH to build it with, and none is cached. Install Go 1.26 or newer, or put the binaries in KUBEBUILDER_ASSETS.",
    );
  });

  /** A directory with a "go" that builds empty files in no time, and notes each build. */
  async function fakeGo(
    root: string,
    { version, fails = false }: { version: string; fails?: boolean },
  ): Promise<string> {
    const directory = join(root, version);
    await mkdir(directory, { recursive: true });
    const script = [
      "#!/bin/sh",
      "PATH=/bin:/usr/bin",
      `if [ "$1" = env ]; then echo ${version}; exit 0; fi`,
      `echo "$@" >> "${root}/builds"`,
      ...(fails ? ["echo 'main.go:1: no such thing' >&2; exit 1"] : []),
      'while [ "$1" != -o ]; do shift; done',
      'echo > "$2"; chmod +x "$2"',
    ];
    await writeFile(join(directory, "go"), script.join("\n"), { mode: 0o755 });
    return directory;
  }

  test("is built once for each version of Go, and found in the cache also by who has no Go", async () => {
    await using scratch = await directories();
    const cache = join(scratch.root, "cache");
    const find = (path: string) =>
      findComponents(["kubelet"], { env: { PATH: path, OPJOB_CACHE: cache }, say: () => undefined });
    const [old, recent] = [
      await fakeGo(scratch.root, { version: "go1.26.8" }),
      await fakeGo(scratch.root, { version: "go1.27.1" }),
    ];
    const built = await find(old);
    expect(built.get("kubelet")).toEqual({ file: expect.stringContaining("go1.26.8"), first: ["kubelet"] });
    expect(await find(old)).toEqual(built);
    expect(await find(join(scratch.root, "bin"))).toEqual(built);
    expect((await find(recent)).get("kubelet")?.file).toContain("go1.27.1");
    const builds = (await readFile(join(scratch.root, "builds"), "utf8")).trim().split("\n");
    expect(builds).toHaveLength(2);
    expect(builds[0]).toMatch(/^build -v -trimpath .*-mod=readonly -ldflags .*gitVersion=v1\.\d+\.\d+ .* -o \S+ \.$/);
  });

  test("whose build fails is refused with the compiler's words, and nothing of it stays in the cache", async () => {
    await using scratch = await directories();
    const cache = join(scratch.root, "cache");
    const path = await fakeGo(scratch.root, { version: "go1.26.8", fails: true });
    const finding = findComponents(["kwok"], { env: { PATH: path, OPJOB_CACHE: cache }, say: () => undefined });
    await expect(finding).rejects.toThrow("go build failed (1): main.go:1: no such thing. Install Go 1.26 or newer");
    expect(await readdir(join(cache, "plane"))).toEqual([]);
  });
});
