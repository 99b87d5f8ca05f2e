// How jest runs here: native ESM through swc, one real mongod for all files (test/global-setup.ts).
export default {
  rootDir: "..",
  testEnvironment: "<rootDir>/config/test-environment.js",
  reporters: ["default", "<rootDir>/config/end-reporter.js"],
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testPathIgnorePatterns: [
    "/node_modules/",
    "/test/fiftyone/",
    "/test/chaos/",
    "/test/kubernetes/",
    "<rootDir>/test/stores/",
  ],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          experimental: { keepImportAttributes: true },
          parser: { syntax: "typescript", explicitResourceManagement: true },
          target: "es2023",
        },
      },
    ],
  },
  globalSetup: "<rootDir>/test/global-setup.ts",
  globalTeardown: "<rootDir>/test/global-teardown.ts",
  // Most of a test is waiting: on two cores, one of them would idle.
  maxWorkers: "100%",
  // Longer than what a test waits for: the deadline of a state says what was wanted, Jest's only that it was late.
  testTimeout: 60_000,
  openHandlesTimeout: 2_000,
};
