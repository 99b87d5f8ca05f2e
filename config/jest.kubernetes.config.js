// The suites on a real Kubernetes control plane, `test/kubernetes`: its components are found or built once, before the first file.
import base from "./jest.config.js";

export default {
  ...base,
  testMatch: ["<rootDir>/test/kubernetes/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/"],
  globalSetup: "<rootDir>/test/kubernetes/global-setup.ts",
  testTimeout: 30_000,
};
