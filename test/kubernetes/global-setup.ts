// Before the first file: the replica set of all suites, and the programs of all levels of the plane. Where these must be
// built that takes minutes, which is no test's own time.
import mongoSetup from "../global-setup.ts";
import { whyNoNode } from "./plane/able.ts";
import { findComponents, sayOnStderr } from "./plane/components.ts";
import { nodePrograms } from "./plane/debian-packages.ts";
import { binariesOf } from "./plane/settings.ts";

// biome-ignore lint/style/noDefaultExport: jest takes no other
export default async function globalSetup(): Promise<void> {
  await findComponents(binariesOf("kwok"));
  if ((await whyNoNode()) === undefined) {
    await findComponents(binariesOf("node"));
    await nodePrograms({ env: process.env, say: sayOnStderr });
  }
  await mongoSetup();
}
