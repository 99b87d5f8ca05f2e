// Lists 10,000 Pods as opjob does, in a process of its own that is given little memory. Pods look as real ones do, with 7 kB.
import { viewPod } from "../../src/clusters/observation.ts";
import { followResource } from "../../src/clusters/watch.ts";
import { createLog } from "../../src/log.ts";
import { type Asked, accessTo, clientOf, scripted } from "./scripted.ts";

const PODS = 10_000;
let bytes = 0;

const pod = (i: number): string =>
  JSON.stringify({
    metadata: { name: `pod-${i}`, namespace: "n", uid: `uid-${i}`, labels: { "opjob/operation": `op-${i}` } },
    spec: {
      containers: [
        {
          name: "c",
          image: "i",
          env: Array.from({ length: 120 }, (_, n) => ({ name: `V_${n}`, value: `${i}-${n}`.repeat(3) })),
        },
      ],
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });

function page({ request, response }: Asked): void {
  const query = new URL(request.url ?? "", "http://x").searchParams;
  if (query.has("watch")) {
    response.writeHead(200).flushHeaders();
    return;
  }
  const from = Number(query.get("continue") ?? 0);
  const to = from + Number(query.get("limit"));
  const more = to < PODS ? `,"continue":"${to}"` : "";
  const items = Array.from({ length: Math.min(to, PODS) - from }, (_, i) => pod(from + i)).join();
  bytes += items.length;
  response.writeHead(200).end(`{"metadata":{"resourceVersion":"1"${more}},"items":[${items}]}`);
}

const server = await scripted(page);
const cluster = clientOf(accessTo(server.url));
const stop = new AbortController();
let kept: readonly unknown[] = [];
await followResource({
  cluster,
  resource: "pods",
  namespace: "n",
  view: viewPod,
  onList: (views) => {
    kept = views;
  },
  onChange: () => undefined,
  onDelete: () => undefined,
  onState: () => stop.abort(),
  signal: stop.signal,
  log: createLog({ level: "info", secrets: [] }),
});
process.stdout.write(`listed ${kept.length} Pods of ${Math.round(bytes / 2 ** 20)} MB\n`);
await cluster.close();
await server[Symbol.asyncDispose]();
