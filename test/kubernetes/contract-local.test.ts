// The contract against the local API of src/local/, whose node runs Pods as processes of this machine.
import { startLocalKubernetes } from "../../src/local/kubernetes/server.ts";
import { describeContract, type Rule, type Server } from "./contract.ts";

describeContract("the local Kubernetes API", async (): Promise<Server> => {
  const nobody = (user: string) => ({ user, allow: () => false });
  const kubernetes = await startLocalKubernetes({
    tokens: { admin: { user: "admin" }, alice: nobody("alice"), bob: nobody("bob") },
    bookmarkMs: 1_000,
  });
  return {
    kubeconfig: (user?: string) => kubernetes.kubeconfig({ token: user ?? "admin" }),
    permit: async (user, namespace, rules) => {
      const allow = (verb: string, resource: string, where: string | undefined): boolean =>
        where === namespace && rules.some((rule) => permits(rule, verb, resource));
      kubernetes.access.grant(user, { user, allow });
    },
    forgetHistory: async () => {
      kubernetes.faults.expireHistory();
      kubernetes.faults.cutWatches();
    },
    [Symbol.asyncDispose]: kubernetes.stop,
  };
});

const permits = ({ verbs, resources }: Rule, verb: string, resource: string): boolean =>
  verbs.includes(verb) && resources.includes(resource);
