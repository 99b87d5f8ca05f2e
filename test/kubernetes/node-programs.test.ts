// Where a node's programs come from, and when there can be no node: each with its reason. Starts no plane; apt is played.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { describeOnNode } from "./on-node.ts";
import { mustHaveNode, whyNoNode } from "./plane/able.ts";
import { nodePrograms } from "./plane/debian-packages.ts";

type Scratch = AsyncDisposable & { readonly env: Record<string, string>; readonly calls: () => Promise<string[]> };

/** An empty cache, and an apt-get that has no lists of packages until it is told to update, or never gets any. */
async function machineWith(apt: "old lists" | "no network"): Promise<Scratch> {
  const root = await mkdtemp(join(tmpdir(), "opjob-programs-"));
  const bin = join(root, "bin");
  await mkdir(bin);
  const update = apt === "old lists" ? `: > ${root}/lists` : "echo 'E: Could not resolve host' >&2; exit 100";
  const script = (...lines: string[]): string => ["#!/bin/sh", "PATH=/bin:/usr/bin", ...lines].join("\n");
  await writeFile(
    join(bin, "apt-get"),
    script(
      `echo "$2" >> ${root}/calls`,
      `if [ "$2" = update ]; then ${update}; exit 0; fi`,
      `[ -e ${root}/lists ] || { echo 'E: Unable to locate package containerd' >&2; exit 100; }`,
      ": > one.deb",
    ),
    { mode: 0o755 },
  );
  await writeFile(join(bin, "dpkg-deb"), script('mkdir -p "$3/usr/bin"; : > "$3/usr/bin/containerd"'), { mode: 0o755 });
  return {
    env: { PATH: bin, OPJOB_CACHE: join(root, "cache") },
    calls: async () => (await readFile(join(root, "calls"), "utf8")).trim().split("\n"),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

test("the programs of a node are fetched once, also where apt's lists are too old", async () => {
  await using scratch = await machineWith("old lists");
  const said: string[] = [];
  const find = () => nodePrograms({ env: scratch.env, say: (line) => said.push(line) });
  const programs = await find();
  expect(await readFile(programs.containerd, "utf8")).toBe("");
  expect(await find()).toEqual(programs);
  expect(await scratch.calls()).toEqual(["download", "update", "download"]);
  expect(said).toEqual([expect.stringContaining("fetching containerd, runc")]);
});

test("programs that cannot be fetched are refused with apt's words, and nothing of them stays in the cache", async () => {
  await using scratch = await machineWith("no network");
  const finding = nodePrograms({ env: scratch.env, say: () => undefined });
  await expect(finding).rejects.toThrow(/^apt gave no containerd, .*: E: Could not resolve host$/);
  expect(await readdir(join(scratch.env["OPJOB_CACHE"] ?? "", "node"))).toEqual([]);
});

test("a CI may leave the node out only where it cannot run at all", () => {
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  expect(mustHaveNode({ CI: "true" })).toBe(isRoot);
  expect(mustHaveNode({})).toBe(false);
});

describeOnNode("a machine that could have a node", () => {
  test("has none without apt and without a cache", async () => {
    await using scratch = await machineWith("no network");
    await rm(join(scratch.env["PATH"] ?? "", "apt-get"));
    expect(await whyNoNode(scratch.env)).toBe("there is no apt to fetch containerd with");
    expect(await whyNoNode()).toBeUndefined();
  });
});
