// The roles of deploy/, as mongosh would make them. Knows what their scripts call.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import type { MongoClient } from "mongodb";

/** The document that a script hands to `createRole`. */
export function roleOf(path: string): Record<string, unknown> {
  let created: Record<string, unknown> | undefined;
  const db = {
    getSiblingDB: () => ({
      createRole: (role: Record<string, unknown>) => {
        created = role;
      },
    }),
  };
  runInNewContext(readFileSync(join(import.meta.dirname, "..", path), "utf8"), { db });
  if (created === undefined) throw new Error(`${path} creates no role`);
  return JSON.parse(JSON.stringify(created)) as Record<string, unknown>;
}

/** Makes the role of a script, and a user who has nothing else. */
export async function makeUser(admin: MongoClient, path: string, user: string): Promise<void> {
  const { role, ...grants } = roleOf(path);
  await admin.db("admin").command({ createRole: role, ...grants });
  await admin.db("admin").command({ createUser: user, pwd: `${user}-pass`, roles: [role] });
}
