// Ends what global-setup.ts started, after the last test file.
import "./global-setup.ts";

// biome-ignore lint/style/noDefaultExport: jest takes no other
export default async function globalTeardown(): Promise<void> {
  await globalThis.opjobTestMongod?.stop();
}
