// Starts the one replica set that all test files share, before the first of them.
// Must not know any test; a database that is given by OPJOB_TEST_MONGODB_URI is used as it is.
import { type Mongod, startMongod } from "../src/local/mongod.ts";

declare global {
  /** Jest runs setup and teardown in one process, but not in one module. */
  var opjobTestMongod: Mongod | undefined;
}

// biome-ignore lint/style/noDefaultExport: jest takes no other
export default async function globalSetup(): Promise<void> {
  if (process.env["OPJOB_TEST_MONGODB_URI"]) return;
  const mongod = await startMongod({ replicaSet: true, say: (line) => process.stderr.write(`${line}\n`) });
  globalThis.opjobTestMongod = mongod;
  process.env["OPJOB_TEST_MONGODB_URI"] = mongod.uri;
}
