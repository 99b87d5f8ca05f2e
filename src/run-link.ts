// The link that FiftyOne's App shows as "View in orchestrator", from what is known of an operation's Job. Pure.

export type Linked = {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: string;
  readonly orchestrator: string;
};

/** undefined: none is wanted. @param template as OPJOB_RUN_LINK has it */
export function runLinkOf(template: string, { cluster, namespace, name, operation, orchestrator }: Linked) {
  if (template === "") return undefined;
  const fields: Record<string, string> = { cluster, namespace, job: name, operation, orchestrator };
  return template.replaceAll(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(fields[field] ?? ""));
}
