// Baseline: node:http in front and undici's dispatch behind it, with backpressure both ways.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";
import { baselineOptions, idleTimeoutMs } from "./options.ts";

const { port, backendPort, connections } = baselineOptions();
const pool = new Pool(`http://127.0.0.1:${backendPort}`, {
  connections,
  pipelining: 1,
  keepAliveTimeout: idleTimeoutMs,
});
const dropped = new Set(["connection", "keep-alive", "proxy-connection", "upgrade", "te", "transfer-encoding"]);

const server = createServer((request, response) => {
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  const options = {
    path: request.url ?? "/",
    method: request.method ?? "GET",
    headers: requestFields(request),
    body: hasBody ? request : null,
  };
  pool.dispatch(options, new Relay(response));
});
server.keepAliveTimeout = idleTimeoutMs;
server.listen({ port, host: "127.0.0.1", backlog: 4096 });

function requestFields(request: IncomingMessage): string[] {
  const fields: string[] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!dropped.has(name.toLowerCase())) fields.push(name, raw[index + 1] ?? "");
  }
  fields.push("X-Forwarded-For", request.socket.remoteAddress ?? "", "X-Forwarded-Proto", "http");
  fields.push("X-Request-Id", randomUUID());
  return fields;
}

// Writes an answer to the client while it arrives.
class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    const kept = Object.entries(headers).filter((entry): entry is [string, string | string[]] => {
      return entry[1] !== undefined && !dropped.has(entry[0]);
    });
    this.#response.writeHead(status, Object.fromEntries(kept));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}
