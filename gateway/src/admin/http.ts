/**
 * A small HTTP server for operators, scrapers and probes: one request a connection, whole answers, no bodies in requests.
 * It is not node:http because that alone would take 4 MB of the memory of every proxy.
 */
import { createServer, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { parseOperatorRequest, type OperatorRequest } from "./operator-request.ts";

/** What an operator gets. */
export interface OperatorReply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An open server. */
export interface OperatorServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Options of openOperatorServer. */
export interface OperatorServerOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: (request: OperatorRequest) => OperatorReply | Promise<OperatorReply>;
  /** Told of bugs in `answer`, which the client sees as 500. */
  readonly onError: (error: unknown) => void;
}

/** Enough for every person and scraper there is, and no way to use up the process's file descriptors. */
const MAX_CONNECTIONS = 128;
const MAX_HEAD = 16_384;
/** Milliseconds for a head to come, and for a client to take its answer. */
const HEAD_PATIENCE = 5_000;
const ANSWER_PATIENCE = 15_000;
/** Milliseconds for answers under way when the server closes. */
const CLOSE_PATIENCE = 500;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Listens; rejects with the error of listen(). */
export function openOperatorServer(options: OperatorServerOptions): Promise<OperatorServer> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      server.on("error", options.onError);
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : options.port,
        close: () =>
          new Promise((closed) => {
            const cut = setTimeout(() => open.forEach((socket) => socket.destroy()), CLOSE_PATIENCE);
            server.close(() => {
              clearTimeout(cut);
              closed();
            });
            for (const socket of open) socket.destroySoon();
          }),
      });
    });
  });
}

/** An answer for programs. */
export function toJsonReply(status: number, value: unknown): OperatorReply {
  return { status, type: "application/json", body: `${JSON.stringify(value, undefined, 2)}\n` };
}

/** An answer for people and scripts. */
export function toTextReply(status: number, text: string): OperatorReply {
  return { status, type: "text/plain; charset=utf-8", body: text };
}

/** Reads one head, answers, and takes no further notice of what the client sends. */
function serve(socket: Socket, options: OperatorServerOptions): void {
  let received = "";
  let timer = setTimeout(() => socket.destroy(), HEAD_PATIENCE);
  const reply = (answer: OperatorReply, headOnly = false): void => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), ANSWER_PATIENCE);
    socket.end(toMessage(answer, headOnly));
  };
  const onData = (bytes: Buffer): void => {
    received += bytes.toString("latin1");
    const end = received.indexOf("\r\n\r\n");
    if (end < 0 && received.length <= MAX_HEAD) return;
    socket.off("data", onData);
    // What follows is read and dropped, so that the answer is not lost to a reset.
    socket.resume();
    if (end < 0 || end > MAX_HEAD) return reply(toTextReply(431, "the request head is too large\n"));
    void answer(received.slice(0, end), options, reply);
  };
  socket.on("data", onData);
  socket.on("end", () => socket.end());
  // A client that goes away is no news.
  socket.on("error", () => undefined);
  socket.on("close", () => clearTimeout(timer));
}

async function answer(
  head: string,
  options: OperatorServerOptions,
  reply: (answer: OperatorReply, headOnly?: boolean) => void,
): Promise<void> {
  const request = parseOperatorRequest(head);
  if (!request.ok) return reply(toTextReply(400, `${request.error}\n`));
  try {
    reply(await options.answer(request.value), request.value.headOnly);
  } catch (error) {
    options.onError(error);
    reply(toTextReply(500, "internal error, see the log\n"));
  }
}

function toMessage({ status, type, body, headers = {} }: OperatorReply, headOnly: boolean): string {
  const fields = {
    date: new Date().toUTCString(),
    "content-type": type,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n${headOnly ? "" : body}`;
}
