// The endpoints behind the traffic measurements, in one process: `fleet.ts CONTROL-PORT PORT...`. What each does is told
// while it runs: PUT /PORT with a behaviour as JSON; GET /counts tells what they have seen.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { decodeBehaviour, endpointField, type Behaviour, type EndpointCounts } from "./behaviour.ts";

class Endpoint {
  readonly port: number;
  requests = 0;
  first = 0;
  lastRequestAt = 0;
  #behaviour: Behaviour = { kind: "serve", delayMs: 0 };
  #server: Server | undefined = undefined;
  readonly #hanging = new Set<ServerResponse>();

  constructor(port: number) {
    this.port = port;
  }

  /** Resolves when it does so. */
  async behave(behaviour: Behaviour): Promise<void> {
    this.#behaviour = behaviour;
    for (const answer of this.#hanging) answer.destroy();
    this.#hanging.clear();
    if (behaviour.kind === "dead") this.#stop((server) => server.closeAllConnections());
    else if (behaviour.kind === "leaving") this.#stop((server) => server.closeIdleConnections());
    else await this.#listen();
  }

  #stop(closeConnections: (server: Server) => void): void {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    closeConnections(server);
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ keepAliveTimeout: 0 }, (request, answer) => this.#answer(request, answer));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", 1024, resolve);
    });
  }

  #answer(request: IncomingMessage, answer: ServerResponse): void {
    this.requests++;
    if (isFirst(request)) this.first++;
    this.lastRequestAt = Date.now();
    request.resume();
    const behaviour = this.#behaviour;
    if (behaviour.kind === "hang") {
      this.#hanging.add(answer);
      answer.once("close", () => this.#hanging.delete(answer));
      return;
    }
    const status = behaviour.kind === "fail" && Math.random() < behaviour.share ? behaviour.status : 200;
    const end = (): void => this.#end(answer, status);
    if (behaviour.kind === "serve" && behaviour.delayMs > 0) setTimeout(end, behaviour.delayMs);
    else end();
  }

  #end(answer: ServerResponse, status: number): void {
    if (this.#behaviour.kind === "leaving") answer.setHeader("connection", "close");
    answer.writeHead(status, { [endpointField]: String(this.port), "content-length": "3" });
    answer.end("ok\n");
  }
}

/** All that were seen, to tell tries from requests. */
const seen = new Set<string>();

function isFirst({ headers }: IncomingMessage): boolean {
  const id = String(headers["x-request-id"]);
  if (seen.has(id)) return false;
  seen.add(id);
  return true;
}

const [control = 0, ...ports] = process.argv.slice(2).map(Number);
const endpoints = new Map(ports.map((port) => [port, new Endpoint(port)]));
for (const endpoint of endpoints.values()) await endpoint.behave({ kind: "serve", delayMs: 0 });

createServer((request, answer) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    void obey(request.url ?? "", Buffer.concat(chunks).toString("utf8")).then(
      (body) => answer.end(body),
      (error: unknown) => answer.writeHead(500).end(String(error)),
    );
  });
}).listen(control, "127.0.0.1");

async function obey(path: string, body: string): Promise<string> {
  if (path === "/counts") {
    const counts: Record<string, EndpointCounts> = {};
    for (const [port, { requests, first, lastRequestAt }] of endpoints)
      counts[port] = { requests, first, lastRequestAt };
    return JSON.stringify(counts);
  }
  const endpoint = endpoints.get(Number(path.slice(1)));
  if (endpoint === undefined) throw new Error(`no endpoint at ${path}`);
  await endpoint.behave(decodeBehaviour(body));
  return "";
}
