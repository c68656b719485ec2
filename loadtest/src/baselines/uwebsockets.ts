// Baseline: uWebSockets.js in front and the leanest upstream on node:net behind it. Only for bodies that fit in memory.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { LeanUpstream } from "./lean-upstream.ts";
import { baselineOptions } from "./options.ts";

/** The part of the package's interface that is used here. */
interface ServerResponse {
  writeStatus(status: string): void;
  writeHeader(name: string, value: string): void;
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

const { port, backendPort } = baselineOptions();
const upstream = new LeanUpstream(backendPort);
const dropped = new Set(["connection", "keep-alive", "content-length", "transfer-encoding", "date"]);
// oxlint-disable-next-line typescript/no-unsafe-assignment -- the package carries no types that could be checked here
const server: ServerPackage = createRequire(import.meta.url)(process.env["UWEBSOCKETS"] ?? "uWebSockets.js");

const app = server.App();
app.any("/*", (response, request) => {
  const client = { gone: false };
  response.onAborted(() => {
    client.gone = true;
  });
  const head = readHead(response, request);
  let body = "";
  response.onData((chunk, isLast) => {
    body += Buffer.from(chunk).toString("latin1");
    if (isLast) relay(head, body, response, client);
  });
});
app.listen("127.0.0.1", port, (socket) => {
  if (socket === false || socket === null) throw new Error(`cannot listen on port ${port}`);
});

// The request object is gone after the callback: everything is copied at once.
function readHead(response: ServerResponse, request: ServerRequest): string {
  const query = request.getQuery();
  const path = query === undefined || query === "" ? request.getUrl() : `${request.getUrl()}?${query}`;
  let head = `${request.getCaseSensitiveMethod()} ${path} HTTP/1.1\r\n`;
  request.forEach((name, value) => {
    if (!dropped.has(name)) head += `${name}: ${value}\r\n`;
  });
  const address = Buffer.from(response.getRemoteAddressAsText()).toString("latin1");
  return `${head}x-forwarded-for: ${address}\r\nx-forwarded-proto: http\r\nx-request-id: ${randomUUID()}\r\n`;
}

function relay(head: string, body: string, response: ServerResponse, client: { readonly gone: boolean }): void {
  const length = body === "" ? "" : `content-length: ${body.length}\r\n`;
  upstream.exchange(`${head}${length}\r\n${body}`, (answer) => {
    if (client.gone) return;
    if (answer === undefined) {
      response.close();
      return;
    }
    response.cork(() => {
      response.writeStatus(answer.status);
      for (const [name, value] of answer.fields) if (!dropped.has(name)) response.writeHeader(name, value);
      response.end(Buffer.from(answer.body, "latin1"));
    });
  });
}
