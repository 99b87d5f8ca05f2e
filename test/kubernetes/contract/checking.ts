// Checks: what opjob asks of a cluster before a user waits, and that nothing is left of it.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { askCluster, type Examined, examine } from "../../../src/check.ts";
import type { Cluster } from "../../../src/clusters/kubernetes.ts";
import { RIGHTS } from "../../../src/clusters/rights.ts";
import type { Recipe, Site } from "../../../src/place.ts";
import { compileTemplate } from "../../../src/templates/render.ts";
import type { Rule } from "../contract.ts";
import { seen } from "../seen.ts";
import type { World } from "./space.ts";

const SEED = new URL("../../templates/seed/production.yaml.j2", import.meta.url);
/** FiftyOne's own template, in whatever namespace the case has. */
const text = readFileSync(SEED, "utf8").replace(/^ {2}namespace: .*$/m, "");

/** What opjob asks its users for. */
const { rules: ROLE } = parse(readFileSync("deploy/role.yaml", "utf8")) as { readonly rules: readonly Rule[] };

function examined(cluster: Cluster, namespace: string, source = text): Promise<Examined> {
  const orchestrator = {
    id: "contract",
    image: undefined,
    executionTemplate: undefined,
    registrationTemplate: undefined,
    namespace: undefined,
    context: undefined,
    kubeconfigSecret: undefined,
    maxInFlight: undefined,
    updatedAt: undefined,
  };
  const recipe: Recipe = {
    template: compileTemplate(source, "seed"),
    source: { name: "seed", text: source, version: "1" },
    worker: { command: "python", args: ["run", "{operation}"] },
  };
  const site: Site = { orchestrator, cluster, namespace };
  return examine("contract", { site: async () => site, recipe: async () => recipe });
}

export function checkingCases(world: () => World): void {
  test("of FiftyOne's production template warns of its unknown field, at its line, and creates nothing", async () => {
    const { cluster, space } = world();
    const here = await space();
    const { findings, tried } = await askCluster(await examined(cluster, here.name));
    const line = text.split("\n").findIndex((one) => one.includes("podSecurityContext")) + 1;
    expect([tried, findings]).toEqual([
      true,
      [expect.objectContaining({ severity: "warning", code: "unknown-field", line })],
    ]);
    expect((await cluster.listPage("jobs", here.name, undefined))?.items).toEqual([]);
  });

  test("of a Job that is refused names the line", async () => {
    const { cluster, space } = world();
    const source = text.replace("restartPolicy: Never", "restartPolicy: Sometimes");
    const { findings } = await askCluster(await examined(cluster, (await space()).name, source));
    const line = source.split("\n").findIndex((one) => one.includes("restartPolicy")) + 1;
    expect(findings).toContainEqual(expect.objectContaining({ severity: "error", code: "JOB_REFUSED", line }));
  });

  test("by an account with opjob's Role finds nothing missing; by one without, names what it may not", async () => {
    const { server, clusterOf, space } = world();
    const here = await space();
    const alice = clusterOf(server.kubeconfig("alice"));
    await server.permit("alice", here.name, ROLE);
    const create = RIGHTS[0];
    if (create === undefined) throw new Error("there are no rights");
    await seen("the rights", () => alice.mayI(here.name, create));
    const allowed = await askCluster(await examined(alice, here.name));
    expect(allowed.findings.filter(({ step }) => step === "permissions")).toEqual([]);
    expect(allowed.tried).toBe(true);
    const bob = clusterOf(server.kubeconfig("bob"));
    const refused = await askCluster(await examined(bob, here.name));
    expect(refused.findings.map(({ severity, code, message }) => `${severity} ${code} ${message}`)).toEqual([
      expect.stringContaining(
        `error CLUSTER_FORBIDDEN The account may not create, get, list, watch, delete jobs in the namespace "${here.name}"`,
      ),
      expect.stringContaining("warning CLUSTER_FORBIDDEN The account may not list, watch pods, get pods/log"),
    ]);
    expect(refused.tried).toBe(false);
  });

  test("in a namespace that is missing says so, and a revoked token is told apart", async () => {
    const { server, clusterOf, cluster } = world();
    expect((await askCluster(await examined(cluster, "nowhere"))).findings).toMatchObject([
      { severity: "error", code: "CLUSTER_NAMESPACE_MISSING", step: "dry run" },
    ]);
    const revoked = clusterOf(server.kubeconfig().replace(/("token"\s*:\s*"|token:\s*)[^"\s]+/, "$1wrong"));
    expect((await askCluster(await examined(revoked, "default"))).fault?.code).toBe("CLUSTER_UNAUTHORIZED");
  });

  test("the version is told to everybody with an account", async () => {
    const { server, clusterOf } = world();
    expect(await clusterOf(server.kubeconfig("bob")).version()).toMatch(/^v1\.\d+\.\d+/);
  });
}
