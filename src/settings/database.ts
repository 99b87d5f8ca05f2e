// Settings of FiftyOne's database, its secrets, and how its changes are noticed. Pure.
import { positive, type Settings, text } from "./formats.ts";

export const DATABASE = {
  databaseUri: {
    doc: "MongoDB connection string of FiftyOne's database. Required.",
    format: text,
    default: "",
    env: "FIFTYONE_DATABASE_URI",
    sensitive: true,
  },
  databaseName: {
    doc: "Name of FiftyOne's database.",
    format: text,
    default: "fiftyone",
    env: "FIFTYONE_DATABASE_NAME",
  },
  encryptionKey: {
    doc: "The Fernet key with which FiftyOne encrypts its secrets. Needed as soon as an orchestrator names a secret.",
    format: text,
    default: "",
    env: "FIFTYONE_ENCRYPTION_KEY",
    sensitive: true,
  },
  encryptionKeyFile: {
    doc: "File that holds the key instead, such as a mounted Secret. It is read again when it changes.",
    format: text,
    default: "",
    env: "OPJOB_ENCRYPTION_KEY_FILE",
  },
  oldEncryptionKey: {
    doc: "The key before the present one, while secrets are re-encrypted: what the present one does not decrypt is tried with it. Nothing is encrypted with it.",
    format: text,
    default: "",
    env: "OPJOB_OLD_ENCRYPTION_KEY",
    sensitive: true,
  },
  oldEncryptionKeyFile: {
    doc: "File that holds the old key instead.",
    format: text,
    default: "",
    env: "OPJOB_OLD_ENCRYPTION_KEY_FILE",
  },
  secretsCollection: {
    doc: "Collection that holds FiftyOne's encrypted secrets.",
    format: text,
    default: "secrets",
    env: "OPJOB_SECRETS_COLLECTION",
  },
  secretsKeyField: {
    doc: "Field of a secret that holds its name.",
    format: text,
    default: "key",
    env: "OPJOB_SECRETS_KEY_FIELD",
  },
  secretsValueField: {
    doc: "Field of a secret that holds its Fernet token.",
    format: text,
    default: "value",
    env: "OPJOB_SECRETS_VALUE_FIELD",
  },
  changes: {
    doc: "How changes in MongoDB are noticed: `stream` (change streams), `poll`, or `auto` (streams where the server has them).",
    format: ["auto", "stream", "poll"],
    default: "auto" as "auto" | "stream" | "poll",
    env: "OPJOB_CHANGES",
  },
  pollMs: {
    doc: "Interval of polling where there are no change streams.",
    unit: "ms",
    format: positive(60_000),
    default: 400,
    env: "OPJOB_POLL_MS",
  },
  instance: {
    doc: "Tells this opjob's Jobs from those of another opjob in the same namespaces. Empty: derived from the database's address and name; set it before you move the database while Jobs run.",
    format: text,
    default: "",
    env: "OPJOB_INSTANCE",
  },
} satisfies Settings;
