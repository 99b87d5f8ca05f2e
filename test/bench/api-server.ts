// The benchmark's API server, in a process of its own: the local one, whose Pods are simulated and run until the end.
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";

const kubernetes = await startLocalKubernetes({
  run: "simulated",
  namespaces: ["fiftyone", "floor"],
  node: { acceptAll: true },
  capacity: { cpu: "1000000", memory: "4000Ti", pods: "100000" },
});
// The templates' Secret: without it the containers would wait for their configuration.
for (const namespace of ["fiftyone", "floor"]) {
  await kubernetes.createSecret(namespace, "fiftyone-secrets", { "encryption-key": "x", "database-uri": "x" });
}
process.stdout.write(`${JSON.stringify(kubernetes.kubeconfig())}\n`);
process.on("SIGTERM", () => void kubernetes.stop().then(() => process.exit(0)));
