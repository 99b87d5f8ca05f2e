// Before the first file: the replica set of all suites, and the components of the control plane. Where these must be built
// that takes minutes, which is no test's own time.
import mongoSetup from "../global-setup.ts";
import { findComponents } from "./plane/components.ts";
import { componentsOf } from "./plane/settings.ts";

// biome-ignore lint/style/noDefaultExport: jest takes no other
export default async function globalSetup(): Promise<void> {
  await findComponents(componentsOf("kwok"));
  await mongoSetup();
}
