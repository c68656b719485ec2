/** Health, readiness and metrics over HTTP, for kubelets and Prometheus. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server tells. */
export interface HealthSource {
  /** Why the process should be ended and started again, or undefined. */
  whyUnhealthy(): string | undefined;
  /** Why proxies should go to another replica, or undefined. */
  whyUnready(): string | undefined;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** A running server. */
export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Nobody has reason to be slow. */
const TIMEOUT = 10_000;
const MOST_CONNECTIONS = 64;

/** Listens at HOST:PORT (port 0: a free one). Rejects with what the system says where it cannot. */
export async function openMetricsServer(
  { host, port }: { readonly host: string; readonly port: number },
  source: HealthSource,
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: TIMEOUT, headersTimeout: TIMEOUT }, (request, response) => {
    void answer(request, response, source);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, host, port);
  return {
    port: toPort(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function toPort(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answer(request: IncomingMessage, response: ServerResponse, source: HealthSource): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return send(response, 405, "only GET and HEAD\n");
  }
  const [path] = (request.url ?? "").split("?", 1);
  if (path === "/healthz") return sendCheck(response, source.whyUnhealthy());
  if (path === "/readyz") return sendCheck(response, source.whyUnready());
  if (path !== "/metrics") return send(response, 404, "there are /healthz, /readyz and /metrics\n");
  const { contentType } = source.metrics;
  try {
    send(response, 200, await source.metrics.text(), contentType);
  } catch (error) {
    send(response, 500, `${String(error)}\n`);
  }
}

function sendCheck(response: ServerResponse, why: string | undefined): void {
  if (why === undefined) send(response, 200, "ok\n");
  else send(response, 503, `${why}\n`);
}

function send(response: ServerResponse, status: number, text: string, contentType = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
