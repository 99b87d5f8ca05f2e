// Bundles the command into dist/: the client library's 2,700 model files, of which opjob needs none, would cost each start a
// second and 50 MB. Types are checked by `npm run types`; licences of what is bundled are kept beside it.
import { rmSync } from "node:fs";
import { build } from "esbuild";

/** The library does not say that its files do nothing when they are only imported; so nothing of it could be left out. */
const leaveOutUnusedModels = {
  name: "leave-out-unused-models",
  setup({ onResolve, resolve }) {
    onResolve(
      { filter: /^(@kubernetes\/client-node|\.\.?\/)/ },
      async ({ path, importer, resolveDir, kind, pluginData }) => {
        const ours = path.startsWith("@kubernetes/") || importer.includes("/@kubernetes/client-node/");
        if (!ours || pluginData === "resolved") return undefined;
        const found = await resolve(path, { importer, resolveDir, kind, pluginData: "resolved" });
        return { ...found, sideEffects: false };
      },
    );
  },
};

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/main.ts", "src/local/demo/worker.ts"],
  outdir: "dist",
  outbase: "src",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  minifyWhitespace: true,
  // Places in the code, not the code itself: that would be half of what the image holds.
  sourcemap: true,
  sourcesContent: false,
  legalComments: "external",
  // Only the demo needs the first, in a checkout; the others are options of libraries that nobody asked for.
  external: [
    "mongodb-memory-server",
    "mongodb-client-encryption",
    "kerberos",
    "snappy",
    "@mongodb-js/zstd",
    "@aws-sdk/credential-providers",
    "aws4",
    "chokidar",
  ],
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [leaveOutUnusedModels],
  logLevel: "warning",
});
