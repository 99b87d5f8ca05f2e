// What opjob's account needs in a namespace: the rules of deploy/role.yaml, and what is lost without each.
// Pure data; who asks is elsewhere.

export type Right = {
  readonly group: "" | "batch";
  readonly resource: "jobs" | "pods" | "events";
  readonly subresource?: "log";
  readonly verb: "create" | "get" | "list" | "watch" | "delete";
  /** Whether operations cannot be run without it; else only less can be said of them. */
  readonly needed: boolean;
};

const job = (verb: Right["verb"]): Right => ({ group: "batch", resource: "jobs", verb, needed: true });
const pod = (verb: Right["verb"]): Right => ({ group: "", resource: "pods", verb, needed: false });

export const RIGHTS: readonly Right[] = [
  job("create"),
  job("get"),
  job("list"),
  job("watch"),
  job("delete"),
  pod("list"),
  pod("watch"),
  { ...pod("get"), subresource: "log" },
  { ...pod("list"), resource: "events" },
];

/** `jobs`, `pods/log`. */
export const resourceOf = ({ resource, subresource }: Right): string =>
  subresource === undefined ? resource : `${resource}/${subresource}`;
