// The suites on a real Kubernetes control plane, `test/kubernetes`: its components are found or built once, before the first file.
import base from "./jest.config.js";

export default {
  ...base,
  testMatch: ["<rootDir>/test/kubernetes/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/test/kubernetes/global-setup.ts",
  testTimeout: 30_000,
  testEnvironment: "<rootDir>/config/kubernetes-environment.js",
  testSequencer: "<rootDir>/config/kubernetes-sequencer.js",
  // Each suite has a plane of its own and mostly waits for it. More than two would be late wherever a test says how soon.
  maxWorkers: 2,
};
