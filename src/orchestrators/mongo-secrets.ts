// The door to FiftyOne's secrets for commands: lists, makes, replaces and removes them. It sees tokens, never a plaintext.
// Every write states what must still hold: a secret that somebody else changed meanwhile is left as it is.
import { Binary, type Collection, type Document, type ObjectId } from "mongodb";
import type { SecretFields } from "./mongo.ts";
import { normaliseSecretName } from "./orchestrator.ts";
import { tokenText } from "./token-text.ts";

export type StoredSecret = {
  readonly id: ObjectId;
  /** As it is stored; empty where it is no text. */
  readonly name: string;
  readonly token: string;
  readonly description: string | undefined;
  readonly createdAt: Date | undefined;
  /** The value as it is stored: what a later write compares. */
  readonly stored: unknown;
};

export type NewSecret = { readonly name: string; readonly token: string; readonly description: string | undefined };
export type Secrets = ReturnType<typeof openSecrets>;

export function openSecrets(collection: Collection<Document>, fields: SecretFields) {
  const view = (document: Document): StoredSecret => {
    const name: unknown = document[fields.key];
    return {
      id: document["_id"] as ObjectId,
      name: typeof name === "string" ? name : "",
      token: tokenText(document[fields.value]),
      description: typeof document["description"] === "string" ? document["description"] : undefined,
      createdAt: document["created_at"] instanceof Date ? document["created_at"] : undefined,
      stored: document[fields.value],
    };
  };
  const unchanged = ({ id, stored }: StoredSecret): Document => ({ _id: id, [fields.value]: stored });

  return {
    /** All of them, by name. */
    list: async (): Promise<StoredSecret[]> =>
      (await collection.find({}, { sort: { [fields.key]: 1, _id: 1 } }).toArray()).map(view),

    /** By the name as given, else as FiftyOne spells it; undefined: there is none. */
    async find(name: string): Promise<StoredSecret | undefined> {
      const names = [...new Set([name, normaliseSecretName(name)])];
      const found = (await collection.find({ [fields.key]: { $in: names } }).toArray()).map(view);
      return found.find((secret) => secret.name === name) ?? found[0];
    },

    /** The same secret as it is now; undefined: it is gone. */
    async reread({ id }: StoredSecret): Promise<StoredSecret | undefined> {
      const document = await collection.findOne({ _id: id });
      return document === null ? undefined : view(document);
    },

    /** Makes a secret as FiftyOne does, the token as bytes. false: there is one of that name already. */
    async insert({ name, token, description }: NewSecret, now: Date): Promise<boolean> {
      const document = { [fields.value]: new Binary(Buffer.from(token)), description: description ?? null };
      const update = { $setOnInsert: { ...document, created_at: now } };
      const { upsertedCount } = await collection.updateOne({ [fields.key]: name }, update, { upsert: true });
      return upsertedCount === 1;
    },

    /** Puts another token in the place of the one that was read, in the type that it had. false: it has changed meanwhile. */
    async replace(secret: StoredSecret, token: string): Promise<boolean> {
      const value = typeof secret.stored === "string" ? token : new Binary(Buffer.from(token));
      const { matchedCount } = await collection.updateOne(unchanged(secret), { $set: { [fields.value]: value } });
      return matchedCount === 1;
    },

    async describe({ id }: StoredSecret, description: string): Promise<void> {
      await collection.updateOne({ _id: id }, { $set: { description } });
    },

    /** false: it has changed meanwhile, or is gone. */
    async remove(secret: StoredSecret): Promise<boolean> {
      return (await collection.deleteOne(unchanged(secret))).deletedCount === 1;
    },
  };
}
