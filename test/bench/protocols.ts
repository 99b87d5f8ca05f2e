// HTTP/1.1 against HTTP/2 for creating Jobs on a real API server: the figures of docs/decisions/0007.
// Knows undici only, none of opjob: what is measured is what the protocols cost. `node test/bench/protocols.ts [ROUNDS]`
import { Agent } from "undici";
import { parse } from "yaml";
import { suspended } from "../kubernetes/contract/jobs.ts";
import { startPlane } from "../kubernetes/plane/plane.ts";

const CREATES = 2_000;
const ROUNDS = Number(process.argv[2] ?? 3);
const WAYS = [
  { name: "HTTP/1.1", allowH2: false },
  { name: "HTTP/2", allowH2: true },
] as const;
const WIDTHS = [32, 64] as const;

type Measured = {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly connections: number;
};

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

async function measure(allowH2: boolean, width: number, prefix: string): Promise<Measured> {
  let connections = 0;
  const agent = new Agent({ allowH2, connect: { ca: authority } });
  agent.on("connect", () => connections++);
  const times: number[] = [];
  let left = CREATES;
  const create = async (): Promise<void> => {
    while (left-- > 0) {
      const begun = performance.now();
      const body = JSON.stringify(suspended(`${prefix}-${left}`));
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json",
      };
      const answer = await agent.request({ origin: server, path: JOBS, method: "POST", headers, body });
      await answer.body.text();
      if (answer.statusCode !== 201) throw new Error(`POST: ${answer.statusCode}`);
      times.push(performance.now() - begun);
    }
  };
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(Array.from({ length: width }, create));
  const seconds = (performance.now() - begun) / 1_000;
  const used = process.cpuUsage(cpu);
  await agent.close();
  return {
    rate: CREATES / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: (used.user + used.system) / 1_000 / CREATES,
    connections,
  };
}

const JOBS = "/apis/batch/v1/namespaces/default/jobs";
await using plane = await startPlane({ level: "none" });
// Its work on the same two cores would be measured as well.
await plane.kill("kube-controller-manager");
const { clusters, users } = parse(plane.kubeconfig()) as {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { token: string } }[];
};
const { server = "", "certificate-authority-data": data = "" } = clusters[0]?.cluster ?? {};
const [authority, token] = [Buffer.from(data, "base64"), users[0]?.user.token ?? ""];

await measure(false, 32, "warm-1");
await measure(true, 32, "warm-2");
for (const width of WIDTHS) {
  const measured = new Map<string, Measured[]>(WAYS.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, allowH2 } of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
      measured.get(name)?.push(await measure(allowH2, width, `r${round}-${width}-${allowH2 ? 2 : 1}`));
    }
  }
  for (const [name, all] of measured) {
    const median = (of: (one: Measured) => number): number => quantile(all.map(of), 0.5);
    const figures = [
      `${median(({ rate }) => rate).toFixed(0)} creates/s (${all.map(({ rate }) => rate.toFixed(0)).join(", ")})`,
      `p50 ${median(({ p50 }) => p50).toFixed(0)} ms, p99 ${median(({ p99 }) => p99).toFixed(0)} ms`,
      `${median(({ cpu }) => cpu).toFixed(2)} ms CPU of the client per create`,
      `${median(({ connections }) => connections)} connections`,
    ];
    process.stdout.write(`${name}, ${width} at a time: ${figures.join("; ")}\n`);
  }
}
