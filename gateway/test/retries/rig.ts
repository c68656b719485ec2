/** A whole gateway in front of backends that a test brings, with a rule that retries: real sockets, workers, clocks and logs. */
import { readFileSync } from "node:fs";
import { DEFAULT_CLUSTER, type Cluster } from "@sallyport/model/cluster";
import type { Endpoint } from "@sallyport/model/endpoint";
import type { RetryBudget, RetryPolicy } from "@sallyport/model/retry";
import type { HttpRule } from "@sallyport/model/route";
import type { Page } from "@sallyport/model/page";
import { type Resource, type Snapshot, toSnapshot } from "@sallyport/model/snapshot";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Message } from "@sallyport/testkit/strict-http";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { Gateway, GatewayOptions } from "../../src/workers/contract.ts";
import { startGateway } from "../../src/workers/supervisor.ts";
import { fetchText } from "../workers/rig.ts";
import { type ParsedMetrics, parsePrometheusText } from "../workers/prometheus-text.ts";
import { toListener } from "../workers/snapshots.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const CLUSTER = "default/web:80";
const FORMAT =
  "%RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %RESPONSE_CODE_DETAILS% %UPSTREAM_HOST% %BYTES_SENT%\n";
/** A wait that is over at once. */
const AT_ONCE: RetryPolicy["backoff"] = { least: 0, base: 1, max: 1 };
/** Milliseconds. */
const PATIENCE = 10_000;

/** What a test may say of the configuration. */
export interface RetryParts {
  /** Ports, or whole endpoints. */
  readonly backends: readonly (number | Partial<Endpoint>)[];
  readonly retry?: Partial<RetryPolicy>;
  readonly rule?: Partial<HttpRule>;
  readonly protocol?: Cluster["protocol"];
  readonly budget?: RetryBudget;
  readonly connections?: number;
  /** That the rule answers with. */
  readonly pages?: readonly Page[];
  /** Of the cluster `default/copy:80`, for mirrors. */
  readonly copies?: readonly number[];
}

/** One line of the access log. */
export interface Logged {
  readonly status: number;
  readonly flag: string;
  readonly attempts: number;
  readonly details: string;
  readonly host: string;
  readonly bytesSent: number;
}

/** A running gateway. */
export class RetryRig implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly #directory: TemporaryDirectory;
  readonly #clients: RawClient[] = [];
  #port = 0;

  private constructor(gateway: Gateway, directory: TemporaryDirectory) {
    this.gateway = gateway;
    this.#directory = directory;
  }

  /** Starts it and applies the configuration. */
  static async start(parts: RetryParts, options: Partial<GatewayOptions> = {}): Promise<RetryRig> {
    const directory = openTemporaryDirectory();
    const gateway = await startGateway({
      workers: 1,
      metrics: LOOPBACK,
      admin: LOOPBACK,
      accessLog: { to: directory.file("access.log"), format: FORMAT },
      log: { level: "off", format: "text" },
      drain: { minimum: 0, maximum: PATIENCE },
      ...options,
    });
    const rig = new RetryRig(gateway, directory);
    await rig.apply(toRetrySnapshot(parts));
    rig.#port = [...gateway.ports().values()][0] ?? 0;
    return rig;
  }

  async apply(snapshot: Snapshot): Promise<void> {
    const result = await this.gateway.apply(snapshot);
    if (!result.applied) throw new Error(JSON.stringify(result.problems));
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<RawClient> {
    const client = await RawClient.open({ port: this.#port });
    this.#clients.push(client);
    return client;
  }

  /** Sends a request on a connection of its own, and resolves with its answer. */
  async ask(request = get()): Promise<Message> {
    const client = await this.open();
    await client.send(request);
    return answerOf(client);
  }

  /** The n-th line of the access log, which is written behind the answer. */
  logged(index = 0): Promise<Logged> {
    return eventually(
      () => {
        const line = readFileSync(this.#directory.file("access.log"), "utf8").split("\n").slice(0, -1)[index];
        if (line === undefined) return undefined;
        const [status, flag = "", attempts, details = "", host = "", bytesSent] = line.split(" ");
        return {
          status: Number(status),
          flag,
          attempts: Number(attempts),
          details,
          host,
          bytesSent: Number(bytesSent),
        };
      },
      { what: `line ${index} of the access log` },
    );
  }

  async metrics(): Promise<ParsedMetrics> {
    return parsePrometheusText((await fetchText(this.gateway.metricsPort ?? 0, "/metrics")).body);
  }

  admin(path: string, method = "GET"): ReturnType<typeof fetchText> {
    return fetchText(this.gateway.adminPort ?? 0, path, method);
  }

  /** Resolves once so many retries have been decided upon. */
  async retries(count: number): Promise<void> {
    await eventually(async () => (await this.metrics()).value("sallyport_upstream_retries_total") === count, {
      what: `${count} retries`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.gateway.close();
    this.#directory.close();
  }
}

/** A GET, with these lines of fields. */
export function get(fields = ""): string {
  return `GET / HTTP/1.1\r\nHost: shop.example.com\r\n${fields}\r\n`;
}

/** A request with this body. */
export function withBody(method: string, body: string): string {
  return `${method} / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The first answer on a connection, whole. */
export async function answerOf(client: RawClient): Promise<Message> {
  const isOver = (): boolean => client.responses[0]?.complete === true || client.state !== "open";
  await client.signal.require(isOver, PATIENCE, "an answer");
  const [answer] = client.responses;
  if (answer === undefined) throw new Error(`the connection was ${client.state}`);
  return answer;
}

/** One listener, one rule for everything, one cluster. */
export function toRetrySnapshot(parts: RetryParts): Snapshot {
  const { retry, rule, protocol = "http1", budget, connections = 4096, copies } = parts;
  const listener = toListener("http", 0);
  const limits = { ...DEFAULT_CLUSTER.limits, connections };
  const common = { kind: "cluster", discovery: { kind: "endpoints" }, protocol, ...DEFAULT_CLUSTER, limits } as const;
  const resources: Resource[] = [
    listener,
    ...(parts.pages ?? []),
    {
      kind: "http-route",
      key: "default/web",
      age: "1",
      attachments: [{ listener: listener.key, hostnames: ["*"] }],
      rules: [
        {
          matches: [{ path: { kind: "prefix", value: "/" }, headers: [], query: [] }],
          policies: [],
          backends: [{ kind: "cluster", cluster: CLUSTER, weight: 1, policies: [] }],
          retry: { attempts: 2, on: ["connect-failure", "reset"], statuses: [503], backoff: AT_ONCE, ...retry },
          ...rule,
        },
      ],
    },
    { ...common, key: CLUSTER, ...(budget !== undefined && { retryBudget: budget }) },
    { kind: "endpoints", key: CLUSTER, endpoints: parts.backends.map(toEndpoint) },
  ];
  if (copies === undefined) return toSnapshot(resources);
  const copy = "default/copy:80";
  return toSnapshot([
    ...resources,
    { ...common, key: copy },
    { kind: "endpoints", key: copy, endpoints: copies.map(toEndpoint) },
  ]);
}

function toEndpoint(backend: number | Partial<Endpoint>): Endpoint {
  const given = typeof backend === "number" ? { port: backend } : backend;
  return { address: "127.0.0.1", port: 1, weight: 1, state: "ready", ...given };
}
