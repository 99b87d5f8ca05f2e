// The one family of errors, and the table that says of each code whether trying again can help and what a person can do.
// It knows words only: nothing of MongoDB, Kubernetes or templates. docs/errors.md is generated from this table.

import { COMMAND_ERRORS } from "./command-errors.ts";

type ErrorEntry = {
  /** true: the operation stays queued and is tried again with backoff; false: it can never succeed as it is, and fails. */
  readonly retryable: boolean;
  readonly meaning: string;
  readonly remedy: string;
};

export const ERRORS = {
  SETTING_INVALID: {
    retryable: false,
    meaning: "A setting is unknown, has a value of the wrong type, or contradicts another one.",
    remedy: "Correct the named environment variable; docs/settings.md lists all of them.",
  },
  DATABASE_UNREACHABLE: {
    retryable: true,
    meaning: "MongoDB did not answer.",
    remedy: "Check FIFTYONE_DATABASE_URI, the network and the database's health.",
  },
  DATABASE_FORBIDDEN: {
    retryable: true,
    meaning: "MongoDB refused a read, a write or a change stream.",
    remedy: "Give the user of FIFTYONE_DATABASE_URI the role that docs/permissions.md lists.",
  },
  LEADERSHIP_LOST: {
    retryable: true,
    meaning: "This replica does not lead any more: another one goes on with its work.",
    remedy: "Nothing to do; if leadership changes often, look at the API server that holds the Lease.",
  },
  LEASE_NOT_OURS: {
    retryable: true,
    meaning: "The Lease belongs to an opjob that works on another database.",
    remedy: "Give each opjob in a namespace a Lease of its own: set OPJOB_LEASE_NAME.",
  },
  ORCHESTRATOR_INVALID: {
    retryable: true,
    meaning: "The orchestrator's record lacks something that a launch needs.",
    remedy: "Correct the named field of its record, or delete it (`opjob orchestrator delete`) and register it again.",
  },
  ENCRYPTION_KEY_MISSING: {
    retryable: true,
    meaning: "A secret must be decrypted, but no encryption key is set.",
    remedy: "Set FIFTYONE_ENCRYPTION_KEY to the key that your FiftyOne deployment uses.",
  },
  ENCRYPTION_KEY_INVALID: {
    retryable: true,
    meaning: "FIFTYONE_ENCRYPTION_KEY is not a Fernet key.",
    remedy:
      "Set it to the URL-safe base64 text of 32 bytes that your FiftyOne deployment uses, with its '=' at the end.",
  },
  SECRET_MISSING: {
    retryable: true,
    meaning: "The orchestrator names a secret that does not exist.",
    remedy: "Create the secret in FiftyOne, or name an existing one in the orchestrator's record.",
  },
  SECRET_UNREADABLE: {
    retryable: true,
    meaning: "A secret's value does not decrypt with this key.",
    remedy:
      "Check that FIFTYONE_ENCRYPTION_KEY is the key that the secret was written with; else write the secret again.",
  },
  KUBECONFIG_MISSING: {
    retryable: true,
    meaning:
      "The orchestrator has no kubeconfig, and there are neither in-cluster credentials nor a default kubeconfig.",
    remedy: "Run opjob inside the cluster with a service account, mount a kubeconfig, or give the orchestrator one.",
  },
  KUBECONFIG_INVALID: {
    retryable: true,
    meaning: "The kubeconfig is no YAML, or lacks its cluster, user or context.",
    remedy: "Store the whole text of a kubeconfig that `kubectl --kubeconfig FILE get jobs` accepts.",
  },
  KUBECONFIG_CONTEXT_MISSING: {
    retryable: true,
    meaning: "The kubeconfig has no context of the name that the orchestrator asks for.",
    remedy: "Correct `context` in the orchestrator's config, or add that context to the kubeconfig.",
  },
  KUBECONFIG_EXEC_REFUSED: {
    retryable: true,
    meaning: "The kubeconfig runs a command to get its credentials, which opjob does not allow by default.",
    remedy:
      "Use a token or a client certificate, or set OPJOB_ALLOW_EXEC_CREDENTIALS=true if you trust everybody who can write secrets.",
  },
  TEMPLATE_URI_MISSING: {
    retryable: true,
    meaning: "The orchestrator's record names no Job template.",
    remedy: "Set `executionTmplUri` in the orchestrator's config.",
  },
  TEMPLATE_LOCATION_UNSUPPORTED: {
    retryable: true,
    meaning: "The template is stored in a place that this version cannot read.",
    remedy:
      "Use a file path (mounted into opjob's Pod), `s3://`, `gs://`, `az://`, `https://`, or a `data:text/yaml;base64,…` URI.",
  },
  TEMPLATE_MISSING: {
    retryable: true,
    meaning: "There is no template at the place that the orchestrator names.",
    remedy: "Mount the template into opjob's Pod at that path, or correct `executionTmplUri`.",
  },
  TEMPLATE_UNREADABLE: {
    retryable: true,
    meaning: "The template could not be read.",
    remedy: "Check the file's permissions, or the data URI's encoding.",
  },
  TEMPLATE_FORBIDDEN: {
    retryable: true,
    meaning: "The store does not let opjob read the template (401 or 403), or opjob has no credentials for the store.",
    remedy: "Give opjob's own account the right to read the object; the error says how for its store.",
  },
  TEMPLATE_STORE_UNREACHABLE: {
    retryable: true,
    meaning: "The store of the template did not answer in time or broke off, and no earlier text is known.",
    remedy: "Check the network between opjob and the store, and the store's health; opjob tries again.",
  },
  TEMPLATE_RENDER_FAILED: {
    retryable: false,
    meaning: "The template is not valid Jinja2, or failed while it was rendered.",
    remedy: "Correct the template at the named line; `opjob render` shows what it gives.",
  },
  TEMPLATE_YAML_INVALID: {
    retryable: false,
    meaning: "What the template rendered is not valid YAML.",
    remedy: "Correct the template at the named line; `opjob render` shows what it gives.",
  },
  TEMPLATE_NOT_A_JOB: {
    retryable: false,
    meaning: "What the template rendered is not one batch/v1 Job with a container.",
    remedy: "The template must give exactly one document: a `batch/v1` `Job` with at least one container.",
  },
  TEMPLATE_JOB_INVALID: {
    retryable: false,
    meaning:
      "What the template rendered is a Job that no cluster takes: a name, a label or its size breaks Kubernetes' rules.",
    remedy: "Correct the named field in the template; `opjob render` shows the Job.",
  },
  TEMPLATE_VALUE_UNCLEAR: {
    retryable: false,
    meaning:
      "The template changes the text of a value after it has printed it, and the value has characters that mean something in YAML.",
    remedy:
      "Print the value itself with {{ … }} or {{ … | tojson }}, not the text of a block, a macro or a filter that holds it.",
  },
  JOB_REFUSED: {
    retryable: false,
    meaning: "The cluster refused the Job as invalid.",
    remedy: "Correct the named fields in the template.",
  },
  JOB_DENIED: {
    retryable: false,
    meaning: "An admission webhook or a policy of the cluster does not admit the Job.",
    remedy:
      "Change the template as the cluster's words ask, or ask whoever runs the named webhook or policy; then run the operation again.",
  },
  JOB_NAME_TAKEN: {
    retryable: false,
    meaning: "A Job of this name exists in the namespace and is not ours.",
    remedy: "Use {{ _name }} or {{ _id }} in the template's metadata.name, or delete the other Job.",
  },
  CLUSTER_UNREACHABLE: {
    retryable: true,
    meaning: "The cluster's API server did not answer.",
    remedy: "Check the kubeconfig's server address, the network and the cluster's health.",
  },
  CLUSTER_UNAUTHORIZED: {
    retryable: true,
    meaning: "The cluster does not accept the credentials (401).",
    remedy: "Renew the kubeconfig secret: its token or certificate has run out or was revoked.",
  },
  CLUSTER_FORBIDDEN: {
    retryable: true,
    meaning: "The cluster's access rules refuse the call (403).",
    remedy: "Give the account the Role of deploy/role.yaml in that namespace.",
  },
  CLUSTER_QUOTA_EXCEEDED: {
    retryable: true,
    meaning: "The namespace's quota of Jobs is used up.",
    remedy: "Nothing to do if Jobs end or are tidied up; else raise the quota, or lower ttlSecondsAfterFinished.",
  },
  CLUSTER_NAMESPACE_MISSING: {
    retryable: true,
    meaning: "The namespace does not exist in the cluster, or is being deleted.",
    remedy: "Create the namespace, or correct it in the template, the orchestrator's config or the kubeconfig.",
  },
  CLUSTER_OVERLOADED: {
    retryable: true,
    meaning: "The cluster's API server asks to slow down (429 or 503).",
    remedy: "Nothing to do if it passes by itself; else look at the API server's load.",
  },
  CLUSTER_WEBHOOK_FAILED: {
    retryable: true,
    meaning: "An admission webhook of the cluster cannot be reached, or asks to try again later.",
    remedy: "Look at the named webhook, which others run as a rule; opjob tries again.",
  },
  CLUSTER_ERROR: {
    retryable: true,
    meaning: "The cluster's API server failed (5xx) or gave an answer that makes no sense.",
    remedy: "Look at the API server's logs; opjob tries again.",
  },
  ...COMMAND_ERRORS,
  INTERNAL: {
    retryable: true,
    meaning: "A fault in opjob itself.",
    remedy: "Please report it with the log lines around it.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** What can be told beside the message: where, what instead of the table's remedy, and how long the other side asks to wait. */
export type ErrorDetails = { cause?: unknown; remedy?: string; retryAfterMs?: number; unsent?: boolean };

/**
 * An error with words for a person. `message` says what happened and where, without any secret;
 * `remedy` says what to do. `code` is stable and documented in docs/errors.md.
 */
export class OpjobError extends Error {
  override readonly name = "OpjobError";
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly retryAfterMs: number | undefined;
  /** What was to be asked cannot have reached the other side: nothing happened there. */
  readonly unsent: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.remedy = details.remedy ?? ERRORS[code].remedy;
    this.retryAfterMs = details.retryAfterMs;
    this.unsent = details.unsent ?? false;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** Any thrown value as an OpjobError; what is not one of ours is INTERNAL and keeps its cause. */
export function asOpjobError(thrown: unknown): OpjobError {
  if (thrown instanceof OpjobError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new OpjobError("INTERNAL", message, { cause: thrown });
}
