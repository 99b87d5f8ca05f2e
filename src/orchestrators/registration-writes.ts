// Carries out what was planned for an orchestrator: the secret first, for a record without its secret holds operations; a
// record that cannot be written takes the secret back. Killed between the two, the same command goes on where it was.
import { OpjobError } from "../errors.ts";
import { newRecord, updateRecord } from "./record.ts";
import type { Plan, Registering } from "./registration.ts";
import type { SecretWrite } from "./registration-secret.ts";

/** @throws OpjobError CHANGED_MEANWHILE, or the database's error; the secret is then as it was before */
export async function carryOut(parts: Registering, plan: Plan): Promise<void> {
  if (plan.kind === "same") return;
  const undo = await writeSecret(parts, plan.secret);
  try {
    await writeRecord(parts, plan);
  } catch (error) {
    await undo().catch(() => {
      const code = error instanceof OpjobError ? error.code : "DATABASE_UNREACHABLE";
      const left = "Its secret was written and could not be taken back: the same command goes on from there.";
      throw new OpjobError(code, `${(error as Error).message} ${left}`, { cause: error });
    });
    throw error;
  }
}

async function writeRecord({ registry, now }: Registering, { id, record, fields }: Plan): Promise<void> {
  if (record === undefined) {
    if (await registry.insert(newRecord(id, fields, await registry.list(), now()))) return;
    throw new OpjobError("ORCHESTRATOR_EXISTS", `Somebody else registered the orchestrator "${id}" meanwhile.`);
  }
  if (!(await registry.update(updateRecord(record, fields, now()))))
    throw new OpjobError("CHANGED_MEANWHILE", `The record of orchestrator "${id}" was changed by somebody else.`);
}

async function writeSecret({ secrets, now }: Registering, write: SecretWrite): Promise<() => Promise<void>> {
  const changed = (name: string) =>
    new OpjobError("CHANGED_MEANWHILE", `The secret "${name}" was changed by somebody else.`);
  if (write.kind === "none") return () => Promise.resolve();
  if (write.kind === "insert") {
    const { name, token } = write;
    if (!(await secrets.insert({ name, token, description: undefined }, now()))) throw changed(name);
  } else if (!(await secrets.replace(write.secret, write.token))) throw changed(write.secret.name);
  return async () => {
    const written = await secrets.find(write.kind === "insert" ? write.name : write.secret.name);
    // Somebody else's value that came since is theirs.
    if (written?.token !== write.token) return;
    if (write.kind === "insert") await secrets.remove(written);
    else await secrets.replace(written, write.secret.token);
  };
}
