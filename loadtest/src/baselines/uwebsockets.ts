// Baseline: uWebSockets.js in front and undici's dispatch behind it. Only for bodies that fit in memory.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { Pool } from "undici";
import { baselineOptions, idleTimeoutMs } from "./options.ts";

/** The part of the package's interface that is used here. */
interface ServerResponse {
  writeStatus(status: string): ServerResponse;
  writeHeader(name: string, value: string): ServerResponse;
  end(body: Buffer): void;
  close(): void;
  cork(work: () => void): void;
  onAborted(aborted: () => void): void;
  onData(received: (chunk: ArrayBuffer, isLast: boolean) => void): void;
  getRemoteAddressAsText(): ArrayBuffer;
}
interface ServerRequest {
  forEach(each: (name: string, value: string) => void): void;
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
}
interface ServerPackage {
  App(): {
    any(path: string, serve: (response: ServerResponse, request: ServerRequest) => void): void;
    listen(host: string, port: number, listening: (socket: unknown) => void): void;
  };
}
interface Forwarded {
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
}

const { port, backendPort, connections } = baselineOptions();
const pool = new Pool(`http://127.0.0.1:${backendPort}`, {
  connections,
  pipelining: 1,
  keepAliveTimeout: idleTimeoutMs,
});
const dropped = new Set(["connection", "keep-alive", "content-length", "transfer-encoding", "date"]);
// oxlint-disable-next-line typescript/no-unsafe-assignment -- the package carries no types that could be checked here
const server: ServerPackage = createRequire(import.meta.url)(process.env["UWEBSOCKETS"] ?? "uWebSockets.js");

const app = server.App();
app.any("/*", (response, request) => {
  const alive = { yes: true };
  response.onAborted(() => (alive.yes = false));
  const forwarded = readRequest(response, request);
  const chunks: Buffer[] = [];
  response.onData((chunk, isLast) => {
    chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast) void relay(forwarded, Buffer.concat(chunks), response, alive);
  });
});
app.listen("127.0.0.1", port, (socket) => {
  if (socket === false || socket === null) throw new Error(`cannot listen on port ${port}`);
});

// The request object is gone after the callback: everything is copied at once.
function readRequest(response: ServerResponse, request: ServerRequest): Forwarded {
  const headers: string[] = [];
  request.forEach((name, value) => {
    if (!dropped.has(name)) headers.push(name, value);
  });
  headers.push("X-Forwarded-For", Buffer.from(response.getRemoteAddressAsText()).toString());
  headers.push("X-Forwarded-Proto", "http", "X-Request-Id", randomUUID());
  const query = request.getQuery();
  const path = query === undefined || query === "" ? request.getUrl() : `${request.getUrl()}?${query}`;
  return { path, method: request.getCaseSensitiveMethod(), headers };
}

async function relay(
  forwarded: Forwarded,
  body: Buffer,
  response: ServerResponse,
  alive: { yes: boolean },
): Promise<void> {
  try {
    const answer = await pool.request({ ...forwarded, body: body.length > 0 ? body : null });
    const content = Buffer.from(await answer.body.arrayBuffer());
    if (!alive.yes) return;
    response.cork(() => {
      response.writeStatus(String(answer.statusCode));
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !dropped.has(name)) response.writeHeader(name, String(value));
      }
      response.end(content);
    });
  } catch {
    if (alive.yes) response.close();
  }
}
