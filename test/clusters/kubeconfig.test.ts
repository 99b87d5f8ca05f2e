// Kubeconfigs: which cluster, with which credential, in which namespace; every refusal, and no secret in any.
import { describe, expect, test } from "@jest/globals";
import { parse, stringify } from "yaml";
import { type Access, accessFromText, defaultAccess } from "../../src/clusters/kubeconfig.ts";
import { refusal } from "../refusal.ts";

const WHERE = 'the secret "KUBE_CONFIG_GPU"';
const TOKEN = "hunter2-token";
const KEY_DATA = "aHVudGVyMi1rZXk=";

type Parts = { cluster?: object; user?: object | null; context?: object; rest?: object };

/** A kubeconfig of one cluster, one user and one context, with these parts changed. */
function kubeconfig({ cluster = {}, user = { token: TOKEN }, context = {}, rest = {} }: Parts = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443", ...cluster } }],
    users: user === null ? [] : [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "team", ...context } }],
    "current-context": "x",
    ...rest,
  });
}

const access = (text: string, context?: string, allowExec = false): Access =>
  accessFromText(text, WHERE, { context, allowExec });

/** Two contexts on two clusters. */
const TWO = kubeconfig({
  rest: {
    clusters: [
      { name: "c", cluster: { server: "https://a.example" } },
      { name: "d", cluster: { server: "https://b.example/k8s/1/" } },
    ],
    contexts: [
      { name: "x", context: { cluster: "c", user: "u", namespace: "team" } },
      { name: "y", context: { cluster: "d", user: "u" } },
    ],
  },
});

test("the current context counts where none is asked for", () => {
  expect(access(TWO)).toMatchObject({ server: "https://a.example", namespace: "team" });
  expect(access(TWO).config.getCurrentUser()?.token).toBe(TOKEN);
});

test("a context that is asked for counts, with its cluster and its namespace", () => {
  const found = access(TWO, "y");
  expect([found.server, found.namespace]).toEqual(["https://b.example/k8s/1", undefined]);
});

test("one client serves the same text and context; another text or context is another client", () => {
  const keys = [access(TWO), access(TWO, "x"), access(TWO, "y"), access(kubeconfig())].map(({ key }) => key);
  expect(keys[0]).toBe(keys[1]);
  expect(new Set(keys).size).toBe(3);
  expect(keys.join()).not.toContain("hunter2");
});

test("a server's address is told without the password that may be in it", () => {
  const { server } = access(kubeconfig({ cluster: { server: "https://me:hunter2@k8s.example:6443/" } }));
  expect(server).toBe("https://k8s.example:6443");
});

test("JSON is a kubeconfig as well, and a client certificate a credential", () => {
  const user = { "client-certificate-data": "Y2VydA==", "client-key-data": KEY_DATA };
  const { server } = access(JSON.stringify(parse(kubeconfig({ user }))));
  expect(server).toBe("https://10.0.0.1:6443");
});

test("plain http is accepted where the kubeconfig says that it is meant", () => {
  const cluster = { server: "http://127.0.0.1:8001", "insecure-skip-tls-verify": true };
  expect(access(kubeconfig({ cluster })).server).toBe("http://127.0.0.1:8001");
});

const EXEC = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "aws", args: ["eks", TOKEN] } };
const RUNS_BY_PROVIDER = { name: "gcp", config: { "cmd-path": "/bin/sh", "cmd-args": TOKEN } };

describe("is refused", () => {
  test.each<[string, string, string, RegExp]>([
    ["what is no YAML", `a: [${TOKEN}`, "KUBECONFIG_INVALID", /cannot be read as YAML/],
    ["what is only a text", TOKEN, "KUBECONFIG_INVALID", /./],
    ["an empty object", "{}", "KUBECONFIG_INVALID", /no contexts, and so is no kubeconfig/],
    ["a list", `[${TOKEN}]`, "KUBECONFIG_INVALID", /./],
    [
      "no current context",
      kubeconfig({ rest: { "current-context": "" } }),
      "KUBECONFIG_INVALID",
      /current-context "" is not among/,
    ],
    [
      "a current context that is missing",
      kubeconfig({ rest: { "current-context": "z" } }),
      "KUBECONFIG_INVALID",
      /current-context "z" is not among/,
    ],
    [
      "a cluster that is missing",
      kubeconfig({ context: { cluster: "d" } }),
      "KUBECONFIG_INVALID",
      /cluster "d" of context "x" is missing/,
    ],
    ["a cluster without a server", kubeconfig({ cluster: { server: undefined } }), "KUBECONFIG_INVALID", /./],
    [
      "a server that is no URL",
      kubeconfig({ cluster: { server: "k8s.example" } }),
      "KUBECONFIG_INVALID",
      /server of cluster "c" is no URL/,
    ],
    ["a user that is missing", kubeconfig({ user: null }), "KUBECONFIG_INVALID", /user "u" of context "x" is missing/],
    [
      "plain http by mistake",
      kubeconfig({ cluster: { server: "http://k8s.example" } }),
      "KUBECONFIG_INVALID",
      /plain http.*insecure-skip-tls-verify/,
    ],
    ["a command for the credential", kubeconfig({ user: EXEC }), "KUBECONFIG_EXEC_REFUSED", /runs a command/],
    [
      "a provider that runs a command",
      kubeconfig({ user: { "auth-provider": RUNS_BY_PROVIDER } }),
      "KUBECONFIG_EXEC_REFUSED",
      /runs a command/,
    ],
  ])("%s", (_, text, code, words) => {
    const error = refusal(() => access(text));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(WHERE);
    expect(error.retryable).toBe(true);
  });

  test.each<[string, object]>([
    ["a command's provider", { name: "exec", config: { tokenFile: "/token", exec: EXEC.exec } }],
    ["a cloud's provider", { ...RUNS_BY_PROVIDER, config: { ...RUNS_BY_PROVIDER.config, tokenFile: "/token" } }],
  ])("%s that hides behind a token file", (_, provider) => {
    expect(refusal(() => access(kubeconfig({ user: { "auth-provider": provider } }))).code).toBe(
      "KUBECONFIG_EXEC_REFUSED",
    );
  });

  test("a context that is missing, naming those that there are", () => {
    const error = refusal(() => access(TWO, "z"));
    expect(error.code).toBe("KUBECONFIG_CONTEXT_MISSING");
    expect(error.message).toContain('no context "z"; it has "x", "y"');
    const none = kubeconfig({ rest: { contexts: [] } });
    expect(refusal(() => access(none, "z")).message).toContain("it has none");
  });

  test("a command only in the context that is used", () => {
    const users = [
      { name: "u", user: { token: TOKEN } },
      { name: "v", user: EXEC },
    ];
    const contexts = [
      { name: "x", context: { cluster: "c", user: "u" } },
      { name: "y", context: { cluster: "c", user: "v" } },
    ];
    const text = kubeconfig({ rest: { users, contexts } });
    expect(access(text).server).toBe("https://10.0.0.1:6443");
    expect(refusal(() => access(text, "y")).code).toBe("KUBECONFIG_EXEC_REFUSED");
  });
});

test("a command for the credential is accepted where the setting allows it", () => {
  expect(access(kubeconfig({ user: EXEC }), undefined, true).server).toBe("https://10.0.0.1:6443");
});

test("no refusal holds a credential: neither its words, nor its remedy, nor its cause", () => {
  const whole = kubeconfig({ user: { token: TOKEN, password: "hunter2", "client-key-data": KEY_DATA } });
  const texts = [
    `${whole}\n  bad: [`,
    whole.replace("current-context: x", "current-context: z"),
    whole.replace("https:", "http:"),
    whole.replaceAll("name: u", `name: ${TOKEN}-user`),
    `"${whole}`,
    whole.slice(0, whole.indexOf(KEY_DATA) + 4),
    kubeconfig({ user: EXEC }),
  ];
  for (const text of texts) {
    const error = refusal(() => access(text));
    const told = [error.message, error.remedy, String(error.cause), JSON.stringify(error)].join("\n");
    expect(told.replaceAll(`${TOKEN}-user`, "")).not.toMatch(/hunter2|aHVudGVy/);
  }
});

describe("without a kubeconfig of the orchestrator's own", () => {
  const withEnvironment = <T>(changes: Record<string, string>, act: () => T): T => {
    const before = { ...process.env };
    Object.assign(process.env, changes);
    try {
      return act();
    } finally {
      for (const name of Object.keys(changes)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  };
  const POD = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
  const options = { context: "not-in-a-cluster", allowExec: false };

  test("in a cluster the Pod's service account counts, with its namespace; a context means nothing there", () => {
    const found = withEnvironment(POD, () => defaultAccess(true, "opjob", options));
    expect(found).toMatchObject({ server: "https://10.96.0.1", namespace: "opjob" });
  });

  test("outside, where there is no default kubeconfig either, it is missing", () => {
    const nowhere = { HOME: "/nonexistent", KUBECONFIG: "" };
    const error = withEnvironment(nowhere, () =>
      refusal(() => defaultAccess(false, undefined, { context: undefined, allowExec: false })),
    );
    expect(error.code).toBe("KUBECONFIG_MISSING");
  });

  test("a default kubeconfig that cannot be read says so, not what is in it", () => {
    const error = withEnvironment({ KUBECONFIG: "/dev/null/nothing" }, () =>
      refusal(() => defaultAccess(false, undefined, { context: undefined, allowExec: false })),
    );
    expect(error.code).toBe("KUBECONFIG_INVALID");
  });
});

test.each(["token-file", "tokenFile", "client-certificate", "client-key"])(
  "a stored kubeconfig may not read %s from opjob's own Pod, unless it is allowed",
  (field) => {
    const text = kubeconfig({ user: { [field]: "/var/run/secrets/kubernetes.io/serviceaccount/token" } });
    const refused = refusal(() => access(text));
    expect(refused.code).toBe("KUBECONFIG_INVALID");
    expect(refused.message).toContain(`refers to files (${field})`);
    expect(refused.remedy).toContain("--flatten");
  },
);
