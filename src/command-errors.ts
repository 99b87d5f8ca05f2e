// The errors that only commands end with: what a person gave is wrong, or stands against what the database holds.
// Words only; a part of the table in errors.ts. A command that ends with an error has changed nothing, or says what it has.

export const COMMAND_ERRORS = {
  INPUT_INVALID: {
    retryable: false,
    meaning: "A command was given an option, a file or a standard input that makes no sense.",
    remedy: "Correct what is named; `--help` of the command says what it takes.",
  },
  CONFIRMATION_MISSING: {
    retryable: false,
    meaning: "A command would change or show something, and nobody is there to be asked.",
    remedy: "Run it on a terminal, or add --yes if you are sure.",
  },
  ORCHESTRATOR_UNKNOWN: {
    retryable: false,
    meaning: "There is no orchestrator of that name.",
    remedy: "`opjob orchestrator list` shows the orchestrators of this database (FIFTYONE_DATABASE_NAME).",
  },
  ORCHESTRATOR_EXISTS: {
    retryable: false,
    meaning: "An orchestrator of that name is registered already.",
    remedy: "`opjob orchestrator update` changes it; else choose another name.",
  },
  ORCHESTRATOR_IN_USE: {
    retryable: false,
    meaning: "Operations that have not ended name the orchestrator.",
    remedy: "Wait for them or deactivate the orchestrator, or add --force if they may stay queued for ever.",
  },
  OPERATION_UNKNOWN: {
    retryable: false,
    meaning: "There is no such operation in this database, or more than one begins like that.",
    remedy: "`opjob ops` shows the operations of this database (FIFTYONE_DATABASE_NAME).",
  },
  SECRET_EXISTS: {
    retryable: false,
    meaning: "A secret of that name holds something else already.",
    remedy: "Name it with --kubeconfig-secret to use it as it is, or replace its value with `opjob secret rotate`.",
  },
  SECRET_IN_USE: {
    retryable: false,
    meaning: "Orchestrators name the secret.",
    remedy: "Give them another secret first, or add --force: their operations are then held until there is one.",
  },
  CHANGED_MEANWHILE: {
    retryable: true,
    meaning: "Somebody else changed the same record or secret at the same time.",
    remedy: "Look at it again and repeat the command.",
  },
} as const;
