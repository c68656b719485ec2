/** A small HTTP server for operators: whole answers, few connections, no bodies. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What an operator asks. */
export interface OperatorRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
}

/** What they get. */
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

/** Listens; rejects with the error of listen(). */
export function openOperatorServer(options: OperatorServerOptions): Promise<OperatorServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 15_000 });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => void serve(options, request, response));
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
            server.close(() => closed());
            server.closeAllConnections();
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

async function serve(
  options: OperatorServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  let reply: OperatorReply;
  try {
    reply = await options.answer(toOperatorRequest(request));
  } catch (error) {
    options.onError(error);
    reply = toTextReply(500, "internal error, see the log\n");
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    "content-type": reply.type,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...reply.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function toOperatorRequest(request: IncomingMessage): OperatorRequest {
  // Only path and query count; the base makes them parseable.
  const url = URL.parse(request.url ?? "/", "http://operator");
  return {
    method: request.method === "HEAD" ? "GET" : (request.method ?? "GET"),
    path: url?.pathname ?? "/",
    query: url?.searchParams ?? new URLSearchParams(),
    header: (name) => {
      const value = request.headers[name];
      return typeof value === "string" ? value : value?.[0];
    },
  };
}
