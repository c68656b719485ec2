// One HTTP backend in two versions, by node:http and node:http2: what each path answers is the same in both.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { acceptOf, WebSocketEnd } from "./websocket.ts";

/** The version a backend or a client speaks. */
export type Version = "h1" | "h2";

/** A running backend. */
export interface Backend {
  readonly version: Version;
  readonly port: number;
  /** Bodies posted to /report, in order. */
  readonly reports: readonly string[];
  close(): void;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const GREETING = "hello";
/** Megabytes: node:http2 resets streams beyond ten by default. */
const SESSION_MEMORY = 1000;
const BLOCK = Buffer.alloc(65_536, "0123456789abcdef");

/** The bytes of /bytes?n. */
export function digestOfBytes(count: number): string {
  const hash = createHash("sha256");
  for (let left = count; left > 0; left -= BLOCK.length) hash.update(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
  return hash.digest("hex");
}

/** Starts one in cleartext. */
export async function openBackend(version: Version): Promise<Backend> {
  const reports: string[] = [];
  const sockets = new Set<Socket>();
  const handle = (request: Request, response: Response): void => answer(request, response, reports);
  const server = version === "h1" ? openHttp1(handle) : openHttp2(handle);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  return {
    version,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server's address is no string and no null
    port: (server.address() as AddressInfo).port,
    reports,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Handle = (request: Request, response: Response) => void;

function openHttp1(handle: Handle): HttpServer {
  const server = createServer(handle);
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    const accept = acceptOf(request.headers["sec-websocket-key"] ?? "");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
    echo(socket);
  });
  return server;
}

function openHttp2(handle: Handle): Http2Server {
  const settings = { enableConnectProtocol: true };
  const server = createHttp2Server({ settings, maxSessionMemory: SESSION_MEMORY }, handle);
  server.on("connect", ({ headers, stream }: Http2ServerRequest) => {
    stream.respond({ ":status": headers[":protocol"] === "websocket" ? 200 : 501 });
    echo(stream);
  });
  return server;
}

function echo(stream: Duplex): void {
  const end = new WebSocketEnd(stream, "server", (text) => end.send(text));
}

function answer(request: Request, response: Response, reports: string[]): void {
  const url = new URL(request.url ?? "/", "http://backend.test");
  response.on("error", () => undefined);
  response.setHeader("x-backend", request.httpVersionMajor === 2 ? "h2" : "h1");
  response.setHeader("x-method", request.method ?? "");
  switch (url.pathname) {
    case "/echo":
      return echoBody(request, response);
    case "/hints":
      response.writeEarlyHints({ link: "</style.css>; rel=preload", "x-hint": "early" });
      return finish(request, response, 200);
    case "/no-content":
      return finish(request, response, 204);
    case "/not-modified":
      response.setHeader("etag", '"v1"');
      return finish(request, response, 304);
    case "/early":
      // before a byte of the body was read
      response.setHeader("content-length", GREETING.length);
      return finish(request, response, 413);
    case "/bytes":
      return sendBytes(response, Number(url.searchParams.get("n")));
    case "/report":
      return takeReport(request, response, reports);
    default:
      response.setHeader("content-length", GREETING.length);
      return finish(request, response, 200);
  }
}

function finish(request: Request, response: Response, status: number): void {
  response.statusCode = status;
  const isBare = request.method === "HEAD" || status === 204 || status === 304;
  if (!isBare) writerOf(response)(Buffer.from(GREETING));
  response.end();
}

/** The body comes back as it came, and what came behind it, too. */
function echoBody(request: Request, response: Response): void {
  const length = request.headers["content-length"];
  if (length !== undefined) response.setHeader("x-request-length", length);
  response.setHeader("trailer", "x-echoed");
  request.on("data", (bytes: Buffer) => {
    if (writerOf(response)(bytes)) return;
    request.pause();
    response.once("drain", () => request.resume());
  });
  request.on("end", () => {
    const trailer = request.trailers["x-checksum"];
    response.addTrailers({ "x-echoed": typeof trailer === "string" ? trailer : "none" });
    response.end();
  });
}

function sendBytes(response: Response, count: number): void {
  response.setHeader("content-length", count);
  let left = count;
  const write = writerOf(response);
  const send = (): void => {
    while (left > 0) {
      const piece = BLOCK.subarray(0, Math.min(left, BLOCK.length));
      left -= piece.length;
      if (!write(piece)) return void response.once("drain", send);
    }
    response.end();
  };
  send();
}

/** The two versions type write() differently. */
function writerOf(response: Response): (bytes: Buffer) => boolean {
  return response.write.bind(response);
}

function takeReport(request: Request, response: Response, reports: string[]): void {
  let text = "";
  request.on("data", (bytes: Buffer) => (text += bytes.toString()));
  request.on("end", () => {
    reports.push(text);
    response.end();
  });
}
