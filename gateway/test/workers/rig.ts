/** A gateway with real workers, real sockets and a real backend, for tests of what happens to clients. */
import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Message } from "@sallyport/testkit/strict-http";
import { StartFailure, type Gateway, type GatewayOptions } from "../../src/workers/contract.ts";
import { startGateway } from "../../src/workers/supervisor.ts";
import { parsePrometheusText, type ParsedMetrics } from "./prometheus-text.ts";
import { toTestSnapshot, type SnapshotParts } from "./snapshots.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
/** Milliseconds a request may take before it counts as lost. */
const PATIENCE = 30_000;

/** Where the machine does other things, a worker that gets no processor for long must not be taken for one that hangs. */
const HEARTBEAT = { interval: 1_000, misses: 60 };

/** What a test may say of the gateway. */
export type RigOptions = Partial<GatewayOptions> & { readonly workers: number };

/** A running gateway and its backend. */
export class Rig implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly backend: Server;
  readonly #clients: KeepAliveClient[] = [];

  private constructor(gateway: Gateway, backend: Server) {
    this.gateway = gateway;
    this.backend = backend;
  }

  /** Starts both; nothing is applied yet. `/slow` is answered when the test says `release`. */
  static async start(options: RigOptions): Promise<Rig> {
    const backend = createServer((request, response) => {
      if (request.url === "/slow") backend.once("release", () => response.end("slow"));
      else response.end(request.url);
    });
    backend.setMaxListeners(0);
    backend.listen(0, "127.0.0.1");
    await once(backend, "listening");
    try {
      const gateway = await startGateway({
        admin: LOOPBACK,
        metrics: LOOPBACK,
        accessLog: { to: "off" },
        log: { level: "off", format: "text" },
        drain: { minimum: 0, maximum: 2_000 },
        heartbeat: HEARTBEAT,
        ...options,
      });
      return new Rig(gateway, backend);
    } catch (error) {
      backend.close();
      throw error;
    }
  }

  /** Applies the test configuration with the backend in it; fails if it is refused. Returns the bound port. */
  async apply(parts: SnapshotParts = {}): Promise<number> {
    const result = await this.gateway.apply(this.snapshot(parts));
    if (!result.applied) throw new Error(JSON.stringify(result.problems));
    return this.port;
  }

  snapshot(parts: SnapshotParts = {}): ReturnType<typeof toTestSnapshot> {
    return toTestSnapshot({ backends: [this.backendPort], ...parts });
  }

  get backendPort(): number {
    const address = this.backend.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The first bound port. */
  get port(): number {
    return [...this.gateway.ports().values()][0] ?? 0;
  }

  async open(port = this.port): Promise<KeepAliveClient> {
    const client = await KeepAliveClient.open(port);
    this.#clients.push(client);
    return client;
  }

  /** Many connections, so that each worker has some. */
  openMany(count: number): Promise<KeepAliveClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.open()));
  }

  async metrics(): Promise<ParsedMetrics> {
    const { status, body } = await fetchText(this.gateway.metricsPort ?? 0, "/metrics");
    if (status !== 200) throw new Error(body);
    return parsePrometheusText(body);
  }

  /** Waits until metrics are so: a client may have its answer a moment before the worker's thread has counted it. */
  async untilMetrics(check: (metrics: ParsedMetrics) => void): Promise<void> {
    const probe = async (): Promise<true> => {
      check(await this.metrics());
      return true;
    };
    await eventually(probe, { within: 60_000, what: "metrics" });
  }

  admin(path: string, method = "GET", headers: Readonly<Record<string, string>> = {}): Promise<TextAnswer> {
    return fetchText(this.gateway.adminPort ?? 0, path, method, headers);
  }

  ready(): Promise<TextAnswer> {
    return fetchText(this.gateway.metricsPort ?? 0, "/ready");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.gateway.close();
    this.backend.closeAllConnections();
    this.backend.close();
  }
}

/** The message of the failure to start with these options. */
export async function findStartFailure(options: RigOptions): Promise<string> {
  try {
    await using rig = await Rig.start(options);
    return `started on ${rig.port}`;
  } catch (error) {
    if (error instanceof StartFailure) return error.message;
    throw error;
  }
}

/** An answer of the operator's servers. */
export interface TextAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** One request to an operator's server, and its answer. */
export function fetchText(
  port: number,
  path: string,
  method = "GET",
  headers: Readonly<Record<string, string>> = {},
): Promise<TextAnswer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    request.on("error", reject);
  });
}

/** One keep-alive connection that asks one thing after the other. */
export class KeepAliveClient {
  readonly raw: RawClient;
  #asked = 0;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async open(port: number): Promise<KeepAliveClient> {
    return new KeepAliveClient(await RawClient.open({ port }));
  }

  /** Sends a request; resolves with its answer, rejects where the connection ends before. */
  async ask(path = "/"): Promise<Message> {
    const index = this.#asked++;
    await this.raw.send(`GET ${path} HTTP/1.1\r\nhost: shop.example.com\r\n\r\n`);
    const isOver = (): boolean => this.raw.responses[index]?.complete === true || this.raw.state !== "open";
    const held = await this.raw.signal.until(isOver, PATIENCE);
    const answer = this.raw.responses[index];
    if (answer?.complete === true) return answer;
    throw new Error(held ? `the connection was ${this.raw.state}` : `no answer within ${PATIENCE} ms`);
  }

  close(): void {
    this.raw.close();
  }
}

/** First value of a field. */
export function headerOf({ fields }: Message, name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name)?.value;
}
