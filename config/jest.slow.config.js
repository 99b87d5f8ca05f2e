// The slow suites, named on the command line: `test/fiftyone` (the real FiftyOne package), `test/chaos` (kill -9), `test/stores` (servers of
// the stores' protocols).
import base from "./jest.config.js";

export default {
  ...base,
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 600_000,
};
