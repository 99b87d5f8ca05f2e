// From what a person declares of an orchestrator to what must be written: every difference is known, and everything is
// checked, before the first write. Works through the doors and the checks that it is given; writes nothing itself.
import { OpjobError } from "../errors.ts";
import type { KeySource } from "./key-file.ts";
import { openToken } from "./keys.ts";
import type { Registry, StoredRecord } from "./mongo-records.ts";
import { isActive } from "./mongo-records.ts";
import type { Secrets } from "./mongo-secrets.ts";
import { normaliseSecretName, parseOrchestrator } from "./orchestrator.ts";
import { FIELD_NAMES, type FieldName, type RecordChange } from "./record.ts";
import { type SecretWrite, secretOf } from "./registration-secret.ts";

export type Kubeconfig =
  /** In-cluster or default credentials. */
  | { readonly kind: "none" }
  /** A secret that is there already. */
  | { readonly kind: "secret"; readonly name: string }
  /** A kubeconfig's text, and where it was read, for errors. */
  | { readonly kind: "text"; readonly text: string; readonly from: string };

export type Declaration = {
  readonly id: string;
  readonly fields: Omit<RecordChange, "kubeconfigSecret">;
  /** undefined: it stays as it is. */
  readonly kubeconfig: Kubeconfig | undefined;
};

/** What is checked before anything is written; each throws an OpjobError. */
export type Checks = {
  readonly template: (uri: string) => Promise<void> | void;
  readonly kubeconfig: (text: string, where: string, context: string | undefined) => void;
};

export type Registering = {
  readonly registry: Pick<Registry, "list" | "named" | "insert" | "update">;
  readonly secrets: Pick<Secrets, "list" | "find" | "insert" | "replace" | "remove">;
  readonly keys: Pick<KeySource, "read">;
  readonly checks: Checks | undefined;
  readonly now: () => Date;
};

/** `before` and `after` are shown to people: of a secret only that it is another. */
export type Difference = {
  readonly field: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
};

export type Plan = {
  readonly id: string;
  readonly kind: "create" | "change" | "same";
  readonly differences: readonly Difference[];
  readonly record: StoredRecord | undefined;
  readonly fields: RecordChange;
  readonly secret: SecretWrite;
};

/**
 * What would be written.
 * @param refuse throws where there must be no record yet
 * @throws OpjobError of whatever does not fit: nothing has been written then
 */
export async function planRegistration(
  parts: Registering,
  declared: Declaration,
  refuse: (record: StoredRecord) => void = () => undefined,
): Promise<Plan> {
  refuseBadId(declared.id);
  const record = (await parts.registry.named(declared.id)).at(-1);
  if (record) requireOurs(record);
  if (record) refuse(record);
  const known = record ? parseOrchestrator(record) : undefined;
  const { name, write } = await secretOf(parts, declared, record);
  const fields: RecordChange = {
    ...declared.fields,
    ...(declared.kubeconfig === undefined ? {} : { kubeconfigSecret: name }),
  };
  const before = record ? fieldsOf(record) : {};
  const after = { ...before, ...fields };
  if (after.executionTemplate === undefined)
    throw new OpjobError("TEMPLATE_URI_MISSING", `The orchestrator "${declared.id}" names no Job template.`);
  await check(parts, { declared, before, after });
  const differences = [...differencesOf(before, fields), ...secretDifference(write)];
  const kind = known === undefined ? "create" : differences.length > 0 ? "change" : "same";
  return { id: declared.id, kind, differences, record, fields, secret: write };
}

type Checked = { readonly declared: Declaration; readonly before: RecordChange; readonly after: RecordChange };

async function check(parts: Registering, checked: Checked): Promise<void> {
  const { checks } = parts;
  if (checks === undefined) return;
  const { declared, before } = checked;
  requireNamespace(declared.fields.namespace);
  for (const field of ["executionTemplate", "registrationTemplate"] as const) {
    const uri = declared.fields[field];
    if (uri !== undefined && uri !== before[field]) await checks.template(uri);
  }
  await checkKubeconfig(parts, checks, checked);
}

/** A name that no namespace can have would only be told when somebody waits. */
function requireNamespace(name: string | undefined): void {
  if (name === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new OpjobError("INPUT_INVALID", `"${name}" cannot name a namespace: use a-z, digits and "-".`);
}

/** Also a stored one, when it is named anew or must now have another context. */
async function checkKubeconfig(parts: Registering, checks: Checks, { declared, before, after }: Checked) {
  const { kubeconfig } = declared;
  const { kubeconfigSecret: name, context } = after;
  if (kubeconfig?.kind === "text") return checks.kubeconfig(kubeconfig.text, kubeconfig.from, context);
  if (name === undefined || (name === before.kubeconfigSecret && context === before.context)) return;
  const stored = await parts.secrets.find(name);
  if (stored === undefined) return;
  const text = openToken(await parts.keys.read(), stored.token, name).bytes.toString("utf8");
  checks.kubeconfig(text, `the secret "${name}"`, context);
}

/** What a record says, as a change that would make it. */
export function fieldsOf(record: StoredRecord): RecordChange {
  const { id: _, updatedAt: __, ...fields } = parseOrchestrator(record);
  const description: unknown = record["description"];
  return { description: typeof description === "string" && description !== "" ? description : undefined, ...fields };
}

function differencesOf(before: RecordChange, fields: RecordChange): Difference[] {
  return FIELD_NAMES.filter((field: FieldName) => field in fields && fields[field] !== before[field]).map((field) => ({
    field,
    before: textOf(before[field]),
    after: textOf(fields[field]),
  }));
}

const textOf = (value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

function secretDifference(write: SecretWrite): Difference[] {
  if (write.kind === "none") return [];
  if (write.kind === "insert") return [{ field: `secret ${write.name}`, before: undefined, after: "(new)" }];
  return [{ field: `secret ${write.secret.name}`, before: "(its value)", after: "(another value)" }];
}

function refuseBadId(id: string): void {
  const visible = id.trim() === id && id !== "" && !/\p{Cc}/u.test(id);
  if (!visible || normaliseSecretName(id) === "")
    throw new OpjobError("INPUT_INVALID", `"${id}" cannot name an orchestrator: use letters, digits and "-".`);
}

function requireOurs(record: StoredRecord): void {
  const { environment } = record as { environment?: unknown };
  if (environment === "kubernetes") return;
  const where = typeof environment === "string" ? environment : "no environment";
  throw new OpjobError(
    "ORCHESTRATOR_EXISTS",
    `"${String(record["instance_id"])}" is an orchestrator on ${where}, not on Kubernetes.`,
    { remedy: "Choose another name, or change it where it was made." },
  );
}

/** @throws OpjobError ORCHESTRATOR_EXISTS: an orchestrator is registered once */
export function refuseRegistered(record: StoredRecord): void {
  const id = String(record["instance_id"]);
  if (isActive(record)) throw new OpjobError("ORCHESTRATOR_EXISTS", `The orchestrator "${id}" is registered already.`);
  throw new OpjobError("ORCHESTRATOR_EXISTS", `The orchestrator "${id}" is registered and deactivated.`, {
    remedy: "`opjob orchestrator activate` takes it into use again, `opjob orchestrator update` changes it.",
  });
}
