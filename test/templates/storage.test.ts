// Templates on a real disk: read when they change, also behind the symlinks of a ConfigMap mount.
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openStorage } from "../../src/templates/storage.ts";
import { refusalOf } from "../refusal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "opjob-storage-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const at = (path: string) => ({ kind: "file", path, name: path }) as const;

test("an inline template is its own text", async () => {
  const stored = await openStorage().load({ kind: "inline", text: "kind: Job", name: "inline template" });
  expect(stored.text).toBe("kind: Job");
});

test("a file is read, and gives the same version for as long as it is the same", async () => {
  const path = join(folder, "job.yaml.j2");
  await writeFile(path, "kind: Job ✓\n");
  const storage = openStorage();
  const first = await storage.load(at(path));
  expect(first.text).toBe("kind: Job ✓\n");
  expect(await storage.load(at(path))).toEqual(first);
});

test("a file that was written anew is read anew, also when its length stayed", async () => {
  const path = join(folder, "job.yaml.j2");
  const storage = openStorage();
  await writeFile(path, "one");
  const first = await storage.load(at(path));
  await writeFile(path, "two");
  await utimes(path, new Date(), new Date(Date.now() + 5_000));
  const second = await storage.load(at(path));
  expect([second.text, second.version === first.version]).toEqual(["two", false]);
});

test("a ConfigMap mount whose symlink swaps shows the new text, also with the same size and time", async () => {
  const time = new Date(1_700_000_000_000);
  const publish = async (generation: string, text: string): Promise<void> => {
    await mkdir(join(folder, generation));
    await writeFile(join(folder, generation, "job.yaml.j2"), text);
    await utimes(join(folder, generation, "job.yaml.j2"), time, time);
    await symlink(generation, join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  await publish("..1", "image: a:1");
  await symlink(join("..data", "job.yaml.j2"), join(folder, "job.yaml.j2"));
  const storage = openStorage();
  const first = await storage.load(at(join(folder, "job.yaml.j2")));
  await publish("..2", "image: a:2");
  await rm(join(folder, "..1"), { recursive: true });
  const second = await storage.load(at(join(folder, "job.yaml.j2")));
  expect([first.text, second.text, first.version === second.version]).toEqual(["image: a:1", "image: a:2", false]);
});

test("a file that is not there is missing, with its path; once it is there it is read", async () => {
  const storage = openStorage();
  const path = join(folder, "job.yaml.j2");
  const error = await refusalOf(storage.load(at(path)));
  expect(error).toMatchObject({ code: "TEMPLATE_MISSING", retryable: true });
  expect(error.message).toContain(path);
  expect((await refusalOf(storage.load(at(join(path, "deeper"))))).code).toBe("TEMPLATE_MISSING");
  await writeFile(path, "now");
  expect((await storage.load(at(path))).text).toBe("now");
});

test("a file that was taken away is missing again: an old text is not used in secret", async () => {
  const storage = openStorage();
  const path = join(folder, "job.yaml.j2");
  await writeFile(path, "text");
  await storage.load(at(path));
  await rm(path);
  expect((await refusalOf(storage.load(at(path)))).code).toBe("TEMPLATE_MISSING");
});

test("what cannot be read as a file is unreadable: a folder, a loop, a path with a NUL", async () => {
  const storage = openStorage();
  await symlink("loop", join(folder, "loop"));
  for (const path of [folder, join(folder, "loop"), `${folder}/a\0b`]) {
    expect((await refusalOf(storage.load(at(path)))).code).toBe("TEMPLATE_UNREADABLE");
  }
});

test("a device is refused instead of read without end", async () => {
  const error = await refusalOf(openStorage().load(at("/dev/zero")));
  expect([error.code, error.message]).toEqual(["TEMPLATE_UNREADABLE", 'The template "/dev/zero" is not a file.']);
});

test("a file larger than a ConfigMap can hold is no template", async () => {
  const path = join(folder, "large");
  await writeFile(path, Buffer.alloc(1_048_577, "x"));
  expect((await refusalOf(openStorage().load(at(path)))).message).toContain("larger than 1 MiB");
});
