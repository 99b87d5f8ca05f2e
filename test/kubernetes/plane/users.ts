// Who may speak to a plane's API server: tokens of its users, and kubeconfigs for them. Writes no file.
import { generateKeyPairSync, randomBytes } from "node:crypto";

/** Administrators, by what they are called; everybody else has the rights that the tests give. */
const MASTERS = new Set(["admin", "system:kube-controller-manager", "system:kube-scheduler"]);

export type Users = ReadonlyMap<string, string>;

/** A new token for each name. */
export const newTokens = (names: readonly string[]): Users =>
  new Map(names.map((name) => [name, randomBytes(16).toString("hex")]));

/** The API server's file of tokens: token, user, uid, groups. */
export function tokenFile(users: Users): string {
  const groupsOf = (name: string): string =>
    MASTERS.has(name) ? "system:masters" : name.startsWith("system:node:") ? "system:nodes" : "";
  const line = (name: string, token: string): string => [token, name, name, `"${groupsOf(name)}"`].join();
  return [...users].map(([name, token]) => `${line(name, token)}\n`).join("");
}

/** A private key, PEM, with which service accounts' tokens are signed. */
export const newPrivateKey = (): string =>
  generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs1", format: "pem" }).toString();

/** @param authority PEM of the certificate that signed the server's; undefined: not checked */
export function kubeconfigText(server: string, authority: string | undefined, token: string): string {
  const trust =
    authority === undefined
      ? { "insecure-skip-tls-verify": true }
      : { "certificate-authority-data": Buffer.from(authority).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "plane", cluster: { server, ...trust } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "plane", context: { cluster: "plane", user: "user" } }],
    "current-context": "plane",
  });
}
