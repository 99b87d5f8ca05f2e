// A plane with a real node leaves nothing on the machine, however it ends, and changes nothing of it while it is there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import { Client, type Thing } from "./client.ts";
import { describeOnNode } from "./on-node.ts";
import { IMAGE } from "./plane/image.ts";
import { seen } from "./seen.ts";
import { alive, bearing, linksTo, machine, treeOf } from "./traces.ts";

const PODS = "/api/v1/namespaces/default/pods";
/** With mounts of every kind: its own files, memory, a token, a network. */
const POD = {
  metadata: { name: "sleeper" },
  spec: {
    restartPolicy: "Never",
    containers: [
      {
        name: "sleeper",
        image: IMAGE,
        command: ["/bin/sleep", "3141"],
        volumeMounts: [
          { name: "disk", mountPath: "/disk" },
          { name: "memory", mountPath: "/memory" },
        ],
      },
    ],
    volumes: [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
    ],
  },
};

describeOnNode("a plane with a real node", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)(
    "leaves nothing behind when its process ends by %s",
    async (signal) => {
      const before = await machine();
      const child = spawn(process.execPath, ["test/kubernetes/plane/run.ts", "node"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      const { kubeconfig, directory } = JSON.parse(line) as { kubeconfig: string; directory: string };
      const client = new Client(await readFile(kubeconfig, "utf8"));
      const { text, code } = await client.send("POST", PODS, { body: POD });
      expect([code, text]).toEqual([201, expect.anything()]);
      const { status } = await seen(
        "the Pod runs",
        async () => {
          const { body } = await client.send("GET", `${PODS}/sleeper`);
          return body.status.phase === "Running" && (body as Thing);
        },
        30_000,
      );
      await client.close();

      const processes = await treeOf(child.pid ?? 0);
      const commands = processes.map(({ command }) => command);
      for (const part of ["etcd", "kubelet", "containerd --config", "containerd-shim", "/bin/sleep 3141"])
        expect(commands).toContainEqual(expect.stringContaining(part));
      const links = await linksTo(String(status["podIP"]));
      expect(links).toHaveLength(1);
      const name = basename(directory);
      const traces = (await bearing(name)).map((trace) => trace.split(":")[0]);
      expect(traces).toEqual(expect.arrayContaining(["control group", "file"]));
      // Not even the mounts are seen outside of the node.
      expect(traces).not.toContain("mount");
      expect(await machine()).toEqual(before);

      child.kill(signal);
      await exited;
      await seen("no process left", async () => (await alive(processes)).length === 0);
      await seen("nothing that bears its name left", async () => (await bearing(name)).length === 0);
      expect(await linksTo(String(status["podIP"]))).toEqual([]);
      expect(await machine()).toEqual(before);
    },
    90_000,
  );
});
