// What a node says in place of a log that it has lost is not taken for the worker's words.
import { expect, test } from "@jest/globals";
import { accessTo, clientOf, scripted } from "./scripted.ts";

const QUERY = { container: "worker", tailLines: 5, limitBytes: 100 };

test.each([
  ["its words", "line 1\nline 2\n", "line 1\nline 2\n"],
  ["words of its own about such a loss", "unable to retrieve container logs for it\nline 2\n", undefined],
  ["what is said of a log that is gone", "unable to retrieve container logs for containerd://0a1b2c", ""],
  [
    "what is said of a file that is gone",
    'failed to try resolving symlinks in path "/var/log/pods/a_b_c/worker/0.log": lstat /var/log/pods: no such file or directory\n',
    "",
  ],
])("of a container with %s", async (_, said, told = said) => {
  await using server = await scripted(({ response }) => response.end(said));
  await using cluster = clientOf(accessTo(server.url));
  expect(await cluster.podLog("n", "p", QUERY)).toBe(told);
});
