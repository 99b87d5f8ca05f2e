// The machine under a real node: its programs, its cell, its control group, its image and its registry. Knows what must be
// there before the kubelet starts; what is written in its files is in node-settings.ts.
import { execFile } from "node:child_process";
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { openCell } from "./cell.ts";
import { makeCgroup } from "./cgroup.ts";
import type { Command, Component } from "./components.ts";
import { nodePrograms, type PackageOptions } from "./debian-packages.ts";
import type { Guard } from "./guard.ts";
import { makeImage } from "./image.ts";
import { nodeFile, nodeFiles, type Snapshots, socketOf } from "./node-settings.ts";
import { startRegistry } from "./registry.ts";
import type { Facts } from "./settings.ts";

const run = promisify(execFile);
/** statfs(2): an overlay cannot lie on another. */
const OVERLAYFS = 0x794c7630;
const IMPORT_WITHIN_MS = 60_000;

export type Node = {
  /** How containerd and the kubelet are run on it. */
  readonly commands: ReadonlyMap<Component, Command>;
  /** Gives the node its image; containerd must be up. */
  readonly furnish: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type NodeOptions = PackageOptions & { readonly guard: Guard; readonly kubelet: Command };

/** @throws Error with the reason where this machine can have no node */
export async function openNode(facts: Facts, { guard, kubelet, ...options }: NodeOptions): Promise<Node> {
  const { directory, cgroup, ports } = facts;
  const programs = await nodePrograms(options);
  const image = nodeFile(directory, "image");
  await mkdir(image, { recursive: true });
  const { type } = await statfs(directory);
  const snapshots: Snapshots = type === OVERLAYFS ? "native" : "overlayfs";
  for (const [path, text] of Object.entries(nodeFiles(facts, programs, snapshots))) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  await makeCgroup(cgroup);
  const [cell, archive] = await Promise.all([openCell(directory, guard), makeImage(programs.busybox, image)]);
  const registry = await startRegistry(ports.registry);
  const address = ["--address", socketOf(directory), "--namespace", "k8s.io"];
  return {
    commands: new Map([
      ["containerd", cell.inside({ file: programs.containerd, first: [] })],
      ["kubelet", cell.inside(kubelet)],
    ]),
    furnish: async () => {
      const args = [...address, "images", "import", "--snapshotter", snapshots, archive];
      await run(programs.ctr, args, { timeout: IMPORT_WITHIN_MS });
    },
    close: registry.close,
  };
}
