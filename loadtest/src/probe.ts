// Asks a server one question at a time, to know that it is ready and that it does the work it is measured for.
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "./processes.ts";
import { benchHost } from "./requests.ts";

/** An answer to a probe. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own; rejects on a connection error or after two seconds. */
export function ask(port: number, path: string, host = benchHost): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const options = { port, host: "127.0.0.1", path, headers: { host }, agent: false, timeout: 2000 };
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("latin1") }),
      );
      incoming.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 2 s")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** What to wait for. */
export interface Readiness {
  readonly port: number;
  readonly path: string;
  readonly host?: string;
  readonly timeoutMs?: number;
}

/** Polls until the process answers 200; throws with its last words when it ends or stays silent. */
export async function waitUntilReady(running: Running, readiness: Readiness): Promise<void> {
  const { port, path, host, timeoutMs = 20_000 } = readiness;
  const deadline = performance.now() + timeoutMs;
  let last = "no attempt";
  while (performance.now() < deadline) {
    if (running.hasEnded()) throw new Error(`${running.name} ended at start:\n${running.lastWords()}`);
    last = await ask(port, path, host).then(
      (answer) => (answer.status === 200 ? "" : `status ${answer.status}`),
      (error: unknown) => String(error),
    );
    if (last === "") return;
    await sleep(20);
  }
  throw new Error(
    `${running.name} is not ready on port ${port} after ${timeoutMs} ms (${last}):\n${running.lastWords()}`,
  );
}
