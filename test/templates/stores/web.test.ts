// Templates behind an address: https with certificates that are checked, redirects, and whom the credentials are shown to.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parseLocation } from "../../../src/templates/location.ts";
import { openStorage } from "../../../src/templates/storage.ts";
import { run } from "../../command.ts";
import { refusalOf } from "../../refusal.ts";
import { selfSigned } from "./certificate.ts";
import { type Behaviour, openShelf, text } from "./shelf.ts";

const TEMPLATE = text("kind: {{ _command }}\n");
const load = (uri: string, allowHttp = true) => openStorage({ allowHttp, timeoutMs: 5_000 }).load(parseLocation(uri));
const redirect =
  (location: string, status = 302): Behaviour =>
  (_, response) =>
    void response.writeHead(status, { location }).end("moved");

test("plain http is refused unless it is allowed, with the setting's name", async () => {
  await using shelf = await openShelf(TEMPLATE);
  const error = await refusalOf(load(`${shelf.url}/job.yaml.j2`, false));
  expect([error.code, error.remedy]).toEqual([
    "TEMPLATE_LOCATION_UNSUPPORTED",
    expect.stringContaining("OPJOB_ALLOW_HTTP_TEMPLATES"),
  ]);
  expect(shelf.seen).toEqual([]);
});

test("a redirect is followed, and the password stays with the host that it was given for", async () => {
  await using target = await openShelf(TEMPLATE);
  await using shelf = await openShelf(redirect(`${target.url}/there`));
  const stored = await load(shelf.url.replace("://", "://user:pass@"));
  expect(stored.text).toBe("kind: {{ _command }}\n");
  expect(shelf.seen[0]?.headers.authorization).toBe(`Basic ${btoa("user:pass")}`);
  expect(target.seen).toMatchObject([{ url: "/there" }]);
  expect(target.seen[0]?.headers.authorization).toBeUndefined();
});

test("a redirect within a host keeps the password", async () => {
  await using shelf = await openShelf((request, response) =>
    request.url === "/there" ? TEMPLATE(request, response) : redirect("/there", 307)(request, response),
  );
  await load(`${shelf.url.replace("://", "://user:pass@")}/here`);
  expect(shelf.seen.map(({ url, headers }) => [url, headers.authorization !== undefined])).toEqual([
    ["/here", true],
    ["/there", true],
  ]);
});

test("redirects without end, or to nowhere, end", async () => {
  await using shelf = await openShelf(redirect("/again"));
  expect((await refusalOf(load(shelf.url))).message).toContain("redirects more than 5 times");
  expect(shelf.seen).toHaveLength(6);
  shelf.answer = redirect("http://[");
  expect((await refusalOf(load(shelf.url))).message).toContain("no valid address");
});

test("a page of HTML is not repeated in the error", async () => {
  await using shelf = await openShelf((_, response) => {
    response.writeHead(404, { "content-type": "text/html" }).end("<html><body>internal.example is down</body></html>");
  });
  const { message } = await refusalOf(load(`${shelf.url}/job.yaml.j2`));
  expect(message).toBe(`There is no template "${shelf.url}/job.yaml.j2": Not Found (404).`);
});

test("https works with a certificate that the process trusts, and never with one that it does not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "opjob-https-"));
  try {
    const tls = selfSigned(Date.now());
    await writeFile(join(folder, "ca.pem"), tls.cert);
    await using plain = await openShelf(TEMPLATE);
    await using shelf = await openShelf(TEMPLATE, tls);
    const render = (env: Record<string, string> = {}) => run(["render", "--raw", `${shelf.url}/job.yaml.j2`], env);
    const trusting = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
    expect(await render(trusting)).toMatchObject({ code: 0, out: "kind: python" });
    expect(await render()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is away: (DEPTH_ZERO_)?SELF_SIGNED_CERT/),
    });
    shelf.answer = redirect(`${plain.url}/job.yaml.j2`);
    expect(await render(trusting)).toMatchObject({ code: 1, err: expect.stringContaining("which is not https") });
    expect(plain.seen).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
