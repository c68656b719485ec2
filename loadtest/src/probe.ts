// Asks a server one question at a time, to know that it is ready and that it does the work it is measured for.
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket, type SecureContext } from "node:tls";
import type { Running } from "./processes.ts";
import { benchHost } from "./requests.ts";
import { assertNegotiated } from "./tls/negotiation.ts";

const readyWithinMs = 20_000;

/** An answer to a probe. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What to ask. */
export interface Question {
  readonly port: number;
  readonly path: string;
  readonly host?: string | undefined;
  /** Ask over TLS, and only accept what this offers. */
  readonly tls?: SecureContext | undefined;
}

/** One request on a connection of its own; rejects on a connection error or after two seconds. */
export function ask({ port, path, host = benchHost, tls }: Question): Promise<Answer> {
  const options = { port, host: "127.0.0.1", path, headers: { host }, agent: false, timeout: 2000 };
  return new Promise<Answer>((resolve, reject) => {
    const answered = (incoming: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("latin1") }),
      );
      incoming.on("error", reject);
    };
    const outgoing = tls === undefined ? request(options, answered) : askSecurely(options, tls, answered);
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 2 s")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function askSecurely(
  options: RequestOptions,
  secureContext: SecureContext,
  answered: (incoming: IncomingMessage) => void,
): ReturnType<typeof request> {
  const secure = { ...options, secureContext, servername: benchHost };
  const outgoing = secureRequest(secure, answered);
  outgoing.on("socket", (socket) => {
    socket.once("secureConnect", () => {
      if (!(socket instanceof TLSSocket)) return;
      try {
        assertNegotiated(socket);
      } catch (error) {
        outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
  return outgoing;
}

/** Polls until the process answers 200; throws with its last words when it ends or stays silent. */
export function waitUntilReady(running: Running, question: Question): Promise<void> {
  return pollUntilReady(running, async () => {
    const { status } = await ask(question);
    if (status !== 200) throw new Error(`status ${status}`);
  });
}

/** Tries until a try does not reject; throws with the process's last words when it ends or no try succeeds in time. */
export async function pollUntilReady(running: Running, attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  let last = "no attempt";
  while (performance.now() < deadline) {
    if (running.hasEnded()) throw new Error(`${running.name} ended at start:\n${running.lastWords()}`);
    last = await attempt().then(
      () => "",
      (error: unknown) => String(error),
    );
    if (last === "") return;
    await sleep(20);
  }
  throw new Error(`${running.name} is not ready after ${readyWithinMs} ms (${last}):\n${running.lastWords()}`);
}
