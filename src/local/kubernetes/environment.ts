// The environment, command and arguments of a container, as the kubelet resolves them from the Pod, Secrets and ConfigMaps.
// Reads the store; starts nothing.
import { type Container, type EnvFrom, type EnvVar, isRecord, type Pod } from "./objects.ts";
import { quantityOf } from "./quantity.ts";
import { CONFIG_MAPS, type Resource, SECRETS } from "./resources.ts";
import type { Store } from "./store.ts";

/** Something that a container needs is not there (yet): CreateContainerConfigError. */
export class ConfigMissing extends Error {}

export type Variables = Readonly<Record<string, string>>;
type Reference = { readonly name?: string; readonly key?: string; readonly optional?: boolean };
type Data = Readonly<Record<string, string>>;

/** @throws ConfigMissing in the kubelet's words */
export function environmentOf(store: Store, pod: Pod, container: Container): Variables {
  const result: Record<string, string> = {};
  for (const source of container.envFrom ?? []) Object.assign(result, importAll(store, pod, source));
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom
      ? valueFrom(store, pod, container, variable)
      : expand(variable.value ?? "", result);
    if (value !== undefined) result[variable.name] = value;
  }
  return result;
}

function importAll(store: Store, pod: Pod, { prefix = "", secretRef, configMapRef }: EnvFrom): Variables {
  const resource = secretRef ? SECRETS : CONFIG_MAPS;
  const data = dataOf(store, resource, pod, secretRef ?? configMapRef ?? {}) ?? {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [prefix + key, value]));
}

function dataOf(store: Store, resource: Resource, pod: Pod, { name = "", optional }: Reference): Data | undefined {
  const object = store.get(resource, pod.metadata.namespace, name)?.object;
  if (!object && optional) return undefined;
  if (!object) throw new ConfigMissing(`${resource.singular} "${name}" not found`);
  const data = (isRecord(object["data"]) ? object["data"] : {}) as Data;
  if (resource === CONFIG_MAPS) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

function valueFrom(store: Store, pod: Pod, container: Container, variable: EnvVar): string | undefined {
  const { secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef } = variable.valueFrom ?? {};
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath);
  if (resourceFieldRef) return amountOf(container, resourceFieldRef.resource);
  const resource = secretKeyRef ? SECRETS : CONFIG_MAPS;
  return valueOfKey(store, resource, pod, secretKeyRef ?? configMapKeyRef ?? {});
}

function valueOfKey(store: Store, resource: Resource, pod: Pod, reference: Reference): string | undefined {
  const { name, key = "", optional = false } = reference;
  const value = dataOf(store, resource, pod, reference)?.[key];
  if (value !== undefined || optional) return value;
  throw new ConfigMissing(`couldn't find key ${key} in ${resource.kind} ${pod.metadata.namespace}/${name}`);
}

const ADDRESSES = ["status.podIP", "status.hostIP"];

function fieldOf(pod: Pod, path: string): string {
  if (ADDRESSES.includes(path)) return "127.0.0.1";
  const [, map, key] = /^(metadata\.(?:labels|annotations))\['(.+)'\]$/.exec(path) ?? [];
  const steps = map === undefined || key === undefined ? path.split(".") : [...map.split("."), key];
  let value: unknown = pod;
  for (const step of steps) value = isRecord(value) ? value[step] : undefined;
  return typeof value === "string" ? value : "";
}

function amountOf({ resources }: Container, path: string): string {
  const [kind = "", ...rest] = path.split(".");
  const amounts = kind === "requests" ? resources?.requests : resources?.limits;
  return String(Math.ceil(quantityOf(amounts?.[rest.join(".")] ?? 0)));
}

/** Replaces `$(NAME)` by its value; what is not known stays, and `$$(NAME)` stands for `$(NAME)`. */
export function expand(text: string, variables: Variables): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, escaped: string, name: string | undefined) =>
    escaped === "$" ? "$" : (variables[name ?? ""] ?? whole),
  );
}
