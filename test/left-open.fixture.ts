// A test that runs out of time amid a fault, and leaves open what it has opened: left-open.test.ts has Jest run it.
import { createServer } from "node:http";
import { test } from "@jest/globals";
import { scene } from "./scene.ts";

test("runs out of time while its cluster hangs", async () => {
  // Nobody knows of this one.
  createServer().listen(0, "127.0.0.1");
  await using stage = await scene();
  await stage.start();
  stage.kubernetes.faults.freeze();
  await stage.launched(await stage.queue(), 600_000);
}, 3_000);
