// Credentials that are replaced on disk while opjob runs: tokens, client certificates, whole kubeconfigs, and in a cluster.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { defaultAccess } from "../../src/clusters/kubeconfig.ts";
import { selfSigned } from "../certificate.ts";
import { refusalOf } from "../refusal.ts";
import { until } from "../until.ts";
import { type Asked, accessTo, clientOf, JOB, json, kubeconfigOf, scripted, status } from "./scripted.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "opjob-credentials-"));
});
afterEach(async () => {
  for (const name of Object.keys(changed)) {
    if (changed[name] === undefined) delete process.env[name];
    else process.env[name] = changed[name];
    delete changed[name];
  }
  await rm(folder, { recursive: true });
});

/** What the environment held before a test changed it. */
const changed: Record<string, string | undefined> = {};
const setVariable = (name: string, value: string): void => {
  changed[name] ??= process.env[name];
  process.env[name] = value;
};

const put = async (name: string, content: string): Promise<string> => {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
};

/** A server that takes one token at a time, and notes with which ones it was asked. */
function guard(first: string) {
  const tokens: (string | undefined)[] = [];
  let valid = first;
  return {
    tokens,
    accept: (token: string) => {
      valid = token;
    },
    handler: (asked: Asked) => {
      const { authorization } = asked.request.headers;
      tokens.push(authorization?.replace("Bearer ", ""));
      if (authorization === `Bearer ${valid}`) json(asked, 200, JOB);
      else status(asked, 401, "Unauthorized", "Unauthorized");
    },
  };
}

type Kind = "tokenFile" | "token-file" | "a provider's file" | "in a cluster" | "the default kubeconfig";

/** Access whose token is on disk in one of the ways that there are; and how it is replaced. */
async function onDisk(kind: Kind, url: string) {
  if (kind === "in a cluster") {
    const { hostname, port } = new URL(url);
    setVariable("KUBERNETES_SERVICE_HOST", hostname);
    setVariable("KUBERNETES_SERVICE_PORT", port);
    const account = "/var/run/secrets/kubernetes.io/serviceaccount";
    const replace = (token: string) => put(`${account}/token`, `${token}\n`);
    await put(`${account}/ca.crt`, serverCertificate.cert);
    await replace("old");
    const access = defaultAccess(true, "n", { context: undefined, allowExec: false, root: folder });
    return { access, replace };
  }
  if (kind === "the default kubeconfig") {
    const replace = (token: string) => put("config", kubeconfigOf(url, { token }));
    await replace("old");
    setVariable("KUBECONFIG", join(folder, "config"));
    return { access: defaultAccess(false, undefined, { context: undefined, allowExec: false }), replace };
  }
  const replace = (token: string) => put("token", `${token}\n`);
  const file = await replace("old");
  const provider = { "auth-provider": { name: "tokenFile", config: { tokenFile: file } } };
  return { access: accessTo(url, kind === "a provider's file" ? provider : { [kind]: file }), replace };
}

const serverCertificate = selfSigned("127.0.0.1");
const KINDS: readonly Kind[] = [
  "tokenFile",
  "token-file",
  "a provider's file",
  "in a cluster",
  "the default kubeconfig",
];

describe.each(KINDS)("a token (%s) that is replaced", (kind) => {
  const secure = kind === "in a cluster" ? { ...serverCertificate } : undefined;

  test("is used as soon as the old one is refused, and the call that met it goes through", async () => {
    const door = guard("old");
    await using server = await scripted(door.handler, secure);
    const { access, replace } = await onDisk(kind, server.url);
    await using cluster = clientOf(access);
    await cluster.getJob("n", "a");
    await replace("new");
    door.accept("new");
    expect(await cluster.getJob("n", "a")).toMatchObject({ name: "a" });
    expect(door.tokens).toEqual(["old", "old", "new"]);
  });

  test("is used when the old one has its age, although that is still good", async () => {
    const door = guard("old");
    await using server = await scripted(door.handler, secure);
    const { access, replace } = await onDisk(kind, server.url);
    await using cluster = clientOf(access, { credentialAgeMs: 100 });
    await cluster.getJob("n", "a");
    await replace("new");
    await until(async () => {
      await cluster.getJob("n", "a").catch(() => undefined);
      return door.tokens.at(-1) === "new" || door.tokens.at(-2) === "new";
    });
  });
});

test("a token that is refused although it is fresh is refused, after one more try", async () => {
  const door = guard("other");
  await using server = await scripted(door.handler);
  await using cluster = clientOf(accessTo(server.url, { token: "mine" }));
  expect((await refusalOf(cluster.getJob("n", "a"))).code).toBe("CLUSTER_UNAUTHORIZED");
  expect(door.tokens).toEqual(["mine", "mine"]);
});

test("many calls that meet a refused token read the new one once, and all go through", async () => {
  const door = guard("old");
  await using server = await scripted(door.handler);
  const { access, replace } = await onDisk("tokenFile", server.url);
  let read = 0;
  const reload = () => {
    read++;
    return access.reload();
  };
  const counted = { ...access, reload };
  await using cluster = clientOf(counted);
  await cluster.getJob("n", "a");
  read = 0;
  await replace("new");
  door.accept("new");
  const found = await Promise.all(Array.from({ length: 20 }, () => cluster.getJob("n", "a")));
  expect(found.map((job) => job?.name)).toEqual(Array(20).fill("a"));
  expect(read).toBe(1);
});

test("a client certificate that is replaced is shown on new connections, also to a watch", async () => {
  const seen: string[] = [];
  const secure = { ...selfSigned("127.0.0.1"), requestCert: true, rejectUnauthorized: false };
  await using server = await scripted((asked) => {
    seen.push(String((asked.request.socket as TLSSocket).getPeerCertificate().subject?.CN));
    if (asked.request.url?.includes("watch=true")) asked.response.writeHead(200).flushHeaders();
    else json(asked, 200, JOB);
  }, secure);
  const replace = async (name: string) => {
    const { cert, key } = selfSigned(name);
    return { "client-certificate": await put("cert.pem", cert), "client-key": await put("key.pem", key) };
  };
  await using cluster = clientOf(accessTo(server.url, await replace("old")), { credentialAgeMs: 100 });
  await cluster.getJob("n", "a");
  await replace("new");
  await until(async () => {
    await cluster.getJob("n", "a");
    return seen.at(-1) === "new";
  });
  (await cluster.watch("jobs", "n", { resourceVersion: "1" }, new AbortController().signal))?.destroy();
  expect([seen[0], seen.at(-1)]).toEqual(["old", "new"]);
});

test("a default kubeconfig that is replaced by one of another cluster is not followed there", async () => {
  await using mine = await scripted((asked) => json(asked, 200, JOB));
  await using other = await scripted((asked) => json(asked, 200, JOB));
  const file = await put("config", kubeconfigOf(mine.url));
  setVariable("KUBECONFIG", file);
  const access = defaultAccess(false, undefined, { context: undefined, allowExec: false });
  await put("config", kubeconfigOf(other.url));
  await using cluster = clientOf(access);
  await cluster.getJob("n", "a");
  expect([mine.asked.length, other.asked.length]).toEqual([1, 0]);
});
