// The paths that describe the API itself: versions, groups, resources, health, and an OpenAPI that is just large enough for
// kubectl to leave the validation of fields to the server. Pure.
import { groupVersion, RESOURCES, type Resource } from "./resources.ts";

export const VERSION = "v1.33.0";

const groups = [...new Set(RESOURCES.map(({ group }) => group))].filter((group) => group !== "");
const inGroup = (group: string) => RESOURCES.filter((resource) => resource.group === group);

function apiGroup(name: string) {
  const version = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(resources: readonly Resource[]) {
  const entries = resources.flatMap((resource) => {
    const { plural, singular, namespaced, kind, verbs, shortNames } = resource;
    const short = shortNames.length > 0 ? { shortNames } : {};
    const categories = kind === "Job" || kind === "Pod" ? { categories: ["all"] } : {};
    const entry = { name: plural, singularName: singular, namespaced, kind, verbs, ...short, ...categories };
    const log = { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] };
    return kind === "Pod" ? [entry, log] : [entry];
  });
  const [first] = resources;
  const of = first ? groupVersion(first) : "v1";
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: of, resources: entries };
}

/** kubectl looks here whether the server knows `fieldValidation`; without it, it asks for the whole schema. */
function openApi(group: string) {
  const parameters = [{ name: "fieldValidation", in: "query", schema: { type: "string", uniqueItems: true } }];
  const paths = inGroup(group).map(({ plural, kind, version, namespaced }) => {
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const operation = { parameters, "x-kubernetes-group-version-kind": { group, version, kind }, responses: {} };
    const path = `${root}${namespaced ? "/namespaces/{namespace}" : ""}/${plural}`;
    return [
      [path, { post: operation }],
      [`${path}/{name}`, { put: operation, patch: operation }],
    ] as const;
  });
  return { openapi: "3.0.0", info: { title: "Kubernetes", version: VERSION }, paths: Object.fromEntries(paths.flat()) };
}

const openApiRoot = () => ({
  paths: Object.fromEntries(
    ["", ...groups].map((group) => {
      const path = group === "" ? "api/v1" : `apis/${group}/v1`;
      return [path, { serverRelativeURL: `/openapi/v3/${path}` }];
    }),
  ),
});

/** The paths that everybody may read, even without a token. */
export const isPublic = (path: string): boolean => /^\/(healthz|readyz|livez|version)(\/|$)/.test(path);

/** The answer for a path that names no resource: text for the health paths, else an object; undefined if unknown. */
export function describe(path: string, host: string): string | object | undefined {
  if (/^\/(healthz|readyz|livez)(\/|$)/.test(path)) return "ok";
  const [, root, ...rest] = path.replace(/\/$/, "").split("/");
  const at = rest.join("/");
  if (root === "version" && at === "") {
    return { major: "1", minor: "33", gitVersion: VERSION, gitCommit: "local", platform: "local" };
  }
  if (root === "openapi") return describeOpenApi(at);
  if (root === "api") return describeCore(at, host);
  return root === "apis" ? describeGroups(at) : undefined;
}

function describeCore(at: string, host: string): object | undefined {
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: host }];
  if (at === "") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
  return at === "v1" ? resourceList(inGroup("")) : undefined;
}

function describeGroups(at: string): object | undefined {
  if (at === "") return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(apiGroup) };
  const [group = "", version, ...more] = at.split("/");
  if (!groups.includes(group) || more.length > 0) return undefined;
  if (version === undefined) return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) };
  return version === "v1" ? resourceList(inGroup(group)) : undefined;
}

function describeOpenApi(at: string): object | undefined {
  if (at === "v3") return openApiRoot();
  if (at === "v3/api/v1") return openApi("");
  const group = groups.find((one) => at === `v3/apis/${one}/v1`);
  return group === undefined ? undefined : openApi(group);
}
