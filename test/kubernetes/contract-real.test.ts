// The contract against the real API server, controllers and scheduler, with a simulated node.
import { Client } from "./client.ts";
import { describeContract, type Server } from "./contract.ts";
import { type Plane, startPlane } from "./plane/plane.ts";

describeContract("the real Kubernetes API", async (): Promise<Server> => {
  const plane = await startPlane({ level: "kwok", users: ["alice", "bob"] });
  return {
    kubeconfig: plane.kubeconfig,
    permit: async (user, namespace, rules) => {
      const root = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
      const metadata = { name: user };
      await post(plane, `${root}/roles`, { metadata, rules });
      const subjects = [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }];
      const roleRef = { kind: "Role", name: user, apiGroup: "rbac.authorization.k8s.io" };
      await post(plane, `${root}/rolebindings`, { metadata, subjects, roleRef });
    },
    // The API server keeps what was watched in its own memory; a new one knows only what etcd still has.
    forgetHistory: async () => {
      await plane.compact();
      await plane.kill("kube-apiserver");
      await plane.start("kube-apiserver");
    },
    [Symbol.asyncDispose]: plane.stop,
  };
});

async function post(plane: Plane, path: string, body: object): Promise<void> {
  const client = new Client(plane.kubeconfig());
  try {
    const { code, text } = await client.send("POST", path, { body });
    if (code !== 201) throw new Error(text);
  } finally {
    await client.close();
  }
}
