// The output of containers: bounded buffers, and the log subresource of a Pod that reads them. Knows no processes.
import { type Answer, type Call, isTrue } from "./call.ts";
import type { Core } from "./core.ts";
import type { Container, Pod } from "./objects.ts";
import { PODS } from "./resources.ts";
import { badRequest, invalid, notFound } from "./status.ts";
import { invalidValue } from "./validate.ts";
import type { Stream } from "./watching.ts";

type Line = { readonly at: number; readonly text: Buffer };
type Slice = {
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly since?: number;
  readonly timestamps: boolean;
};

/** The last output of one run of a container, by lines. */
export class LogBuffer {
  readonly #most: number;
  readonly #lines: Line[] = [];
  readonly #followers = new Set<(line: Line) => void>();
  #bytes = 0;
  #partial = Buffer.alloc(0);
  #ended = false;
  #onEnd: (() => void)[] = [];

  /** @param most bytes that are kept */
  constructor(most: number) {
    this.#most = most;
  }

  append(chunk: Buffer, now: number): void {
    let rest = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#add({ at: now, text: rest.subarray(0, end + 1) });
      rest = rest.subarray(end + 1);
    }
    this.#partial = Buffer.from(rest);
    if (this.#partial.length > this.#most) this.#flush(now);
  }

  #flush(now: number): void {
    if (this.#partial.length > 0) this.#add({ at: now, text: this.#partial });
    this.#partial = Buffer.alloc(0);
  }

  #add(line: Line): void {
    this.#lines.push(line);
    this.#bytes += line.text.length;
    let dropped = 0;
    while (this.#bytes > this.#most && dropped < this.#lines.length - 1)
      this.#bytes -= this.#lines[dropped++]?.text.length ?? 0;
    if (dropped > 0) this.#lines.splice(0, dropped);
    for (const follow of this.#followers) follow(line);
  }

  /** No more output comes. */
  end(now: number): void {
    this.#flush(now);
    this.#ended = true;
    for (const call of this.#onEnd.splice(0)) call();
  }

  read({ tailLines, limitBytes, since = 0, timestamps }: Slice): Buffer {
    const partial = this.#partial.length > 0 ? [{ at: Date.now(), text: this.#partial }] : [];
    const lines = [...this.#lines, ...partial].filter(({ at }) => at >= since);
    const tail = tailLines === undefined ? lines : tailLines === 0 ? [] : lines.slice(-tailLines);
    const whole = Buffer.concat(tail.map((line) => textOf(line, timestamps)));
    return limitBytes === undefined ? whole : whole.subarray(0, limitBytes);
  }

  /** Sends each later line, until the output ends. @returns the stop */
  follow(send: (text: Buffer) => void, ended: () => void, timestamps: boolean): () => void {
    if (this.#ended) {
      ended();
      return () => undefined;
    }
    const follower = (line: Line) => send(textOf(line, timestamps));
    this.#followers.add(follower);
    this.#onEnd.push(ended);
    return () => this.#followers.delete(follower);
  }
}

const textOf = ({ at, text }: Line, timestamps: boolean): Buffer =>
  timestamps ? Buffer.concat([Buffer.from(`${new Date(at).toISOString()} `), text]) : text;

/** The buffers of all Pods: for each container the present run and the one before. */
export class Logs {
  readonly #runs = new Map<string, Map<string, LogBuffer[]>>();
  readonly #most: number;

  /** @param most bytes that are kept of each run */
  constructor(most: number) {
    this.#most = most;
  }

  begin(podUid: string, container: string): LogBuffer {
    const pod = this.#runs.get(podUid) ?? new Map<string, LogBuffer[]>();
    this.#runs.set(podUid, pod);
    const buffer = new LogBuffer(this.#most);
    pod.set(container, [buffer, ...(pod.get(container) ?? [])].slice(0, 2));
    return buffer;
  }

  of(podUid: string, container: string, previous: boolean): LogBuffer | undefined {
    return this.#runs.get(podUid)?.get(container)?.[previous ? 1 : 0];
  }

  drop(podUid: string): void {
    this.#runs.delete(podUid);
  }
}

/** Serves GET …/pods/NAME/log: a stream, or nothing for a Pod without a node. @throws ApiFailure 400, 404, 422 */
export function serveLog(core: Core, logs: Logs, call: Call, open: () => Stream): Answer | undefined {
  const { namespace, name = "", query } = call;
  const pod = core.store.get(PODS, namespace, name)?.object as Pod | undefined;
  if (!pod) throw notFound(PODS, name);
  const previous = isTrue(query.get("previous"));
  const container = containerOf(pod, query.get("container"));
  const slice = sliceOf(call, core.clock.now());
  const buffer = logs.of(pod.metadata.uid ?? "", container, previous && !waitsAgain(pod, container));
  if (!buffer && pod.spec.nodeName === undefined) return { code: 204, body: "" };
  if (!buffer) throw badRequest(whyNone(pod, container, previous));
  send(buffer, slice, open(), isTrue(query.get("follow")));
  return undefined;
}

/** While a container waits to be started again, the run that ended is at once the last one and the one before the next. */
function waitsAgain({ status }: Pod, container: string): boolean {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  return found?.state.waiting !== undefined && found.lastState.terminated !== undefined;
}

function send(buffer: LogBuffer, slice: Slice, stream: Stream, follow: boolean): void {
  const text = buffer.read(slice);
  if (text.length > 0) stream.write(text);
  if (!follow) {
    stream.end();
    return;
  }
  const stop = buffer.follow(
    (line) => stream.write(line),
    () => stream.end(),
    slice.timestamps,
  );
  stream.onClose(stop);
}

function sliceOf({ query, name = "" }: Call, now: number): Slice {
  const number = (field: string, least: number) => {
    const text = query.get(field);
    if (text === null || text === "") return undefined;
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    const why = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
    throw invalid({ group: "", kind: "PodLogOptions" }, name, [invalidValue(field, Number(text), why)]);
  };
  const tailLines = number("tailLines", 0);
  const limitBytes = number("limitBytes", 1);
  const seconds = number("sinceSeconds", 1);
  const since = seconds !== undefined ? now - seconds * 1_000 : Date.parse(query.get("sinceTime") ?? "") || 0;
  return {
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    since,
    timestamps: isTrue(query.get("timestamps")),
  };
}

const names = (containers: readonly Container[] = []) => containers.map(({ name }) => name);

function containerOf(pod: Pod, asked: string | null): string {
  const main = names(pod.spec.containers);
  const init = names(pod.spec.initContainers);
  if (asked) {
    if (main.includes(asked) || init.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = main;
  if (only !== undefined && main.length === 1) return only;
  const others = init.length > 0 ? ` or one of the init containers: [${init.join(" ")}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${main.join(" ")}]${others}`,
  );
}

function whyNone(pod: Pod, container: string, previous: boolean): string {
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous) return `previous terminated ${where} not found`;
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const reason = all.find(({ name }) => name === container)?.state.waiting?.reason;
  if (reason === undefined) return `${where} is waiting to start - no logs yet`;
  const texts: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  return `${where} is waiting to start: ${texts[reason] ?? reason}`;
}
