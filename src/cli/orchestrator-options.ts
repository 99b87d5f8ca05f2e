// The options by which a person describes an orchestrator on the command line, and what they declare.
import type { Command } from "commander";
import { OpjobError } from "../errors.ts";
import type { Declaration, Kubeconfig } from "../orchestrators/registration.ts";
import { readText } from "./value.ts";
import { embedded, isPath } from "./vet.ts";

export type Described = {
  readonly description?: string;
  readonly executionTemplate?: string;
  readonly registrationTemplate?: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly kubeconfigSecret?: string;
  readonly inCluster?: boolean;
  readonly embed?: boolean;
  readonly unchecked?: boolean;
};

export const withDescription = (command: Command): Command =>
  command
    .option("--description <text>", "what people see")
    .option("--execution-template <uri>", "the Job template: a path in opjob's Pod, file://…, data:…")
    .option("--registration-template <uri>", "another one for refreshes, like one without a GPU")
    .option("--image <name>", "value of {{ _image }}, if the template leaves it open")
    .option("--namespace <name>", "where the template names none")
    .option("--context <name>", "of the kubeconfig, if not its current one")
    .option("--kubeconfig <file>", "makes a secret KUBE_CONFIG_<ID> of a kubeconfig")
    .option("--kubeconfig-secret <name>", "an existing secret that holds a kubeconfig")
    .option("--embed", "keep the text of templates on this machine in the record")
    .option("--unchecked", "do not check template, kubeconfig and secret");

const FIELDS = ["description", "executionTemplate", "registrationTemplate", "image", "namespace", "context"] as const;

/** What the options declare; an empty text takes a field away. @throws OpjobError INPUT_INVALID, TEMPLATE_… */
export async function declarationOf(id: string, given: Described): Promise<Declaration> {
  const fields: Record<string, string | undefined> = {};
  for (const field of FIELDS) {
    const value = given[field];
    if (value !== undefined) fields[field] = value === "" ? undefined : await templateOr(value, field, given);
  }
  return { id, fields, kubeconfig: await kubeconfigOf(given) };
}

async function templateOr(value: string, field: string, { embed = false }: Described): Promise<string> {
  return embed && field.endsWith("Template") && isPath(value) ? embedded(value) : value;
}

async function kubeconfigOf({ kubeconfig, kubeconfigSecret, inCluster }: Described): Promise<Kubeconfig | undefined> {
  const given = [kubeconfig, kubeconfigSecret, inCluster].filter((option) => option !== undefined && option !== false);
  if (given.length > 1)
    throw new OpjobError(
      "INPUT_INVALID",
      "Only one of --kubeconfig, --kubeconfig-secret and --in-cluster is possible.",
    );
  if (inCluster) return { kind: "none" };
  if (kubeconfigSecret !== undefined)
    return kubeconfigSecret === "" ? { kind: "none" } : { kind: "secret", name: kubeconfigSecret };
  if (kubeconfig === undefined) return undefined;
  return { kind: "text", text: await readText(kubeconfig), from: `the file ${kubeconfig}` };
}
