/**
 * A bound port with everything behind it, in one process: the real codecs and exchanges over loopback, and the smallest
 * clusters and routes that fulfil their contracts. Time can be turned by hand.
 */
import type { TestContext } from "node:test";
import {
  type ConnectionOptions,
  DEFAULT_HTTP_SERVER_OPTIONS,
  DEFAULT_STREAM_OPTIONS,
  type HttpServerOptions,
  type ProxyProtocolIn,
} from "@sallyport/model/listener";
import { eventually } from "@sallyport/testkit/eventually";
import { RawClient, type RawClientOptions } from "@sallyport/testkit/raw-client";
import type { OpenConnection, UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { openHttp1 } from "../../src/http1/client.ts";
import { openBind, type BindOptions, type BoundPort } from "../../src/listener/bind.ts";
import { ConnectionBudget } from "../../src/listener/budget.ts";
import { KeptBodies } from "../../src/retry/kept-bodies.ts";
import type {
  CompiledBackend,
  CompiledBind,
  CompiledListener,
  CompiledRule,
  CompiledStreamRoute,
  CompiledTls,
  RouteInput,
  RouteResult,
  Runtime,
} from "../../src/router/contract.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { TestCluster } from "./test-cluster.ts";
import { toRecorder, toRecorderCounts, type RecorderCounts, type SeenRecord } from "./seen-record.ts";

/** What a rig can be told; everything has a default. */
export interface RigOptions {
  /** Where requests go; absent: nobody listens there. */
  readonly upstream?: number;
  readonly http?: Partial<HttpServerOptions>;
  readonly rule?: Partial<CompiledRule>;
  readonly backend?: Partial<CompiledBackend>;
  /** Ports of further clusters by key, for mirrors. */
  readonly clusters?: Readonly<Record<string, number>>;
  /** Makes it a TLS port. */
  readonly tls?: CompiledTls;
  /** TLS towards the main cluster. */
  readonly upstreamTls?: UpstreamTlsSettings;
  /** Makes it a port whose bytes are passed on. */
  readonly stream?: CompiledStreamRoute;
  readonly proxyProtocol?: ProxyProtocolIn;
  /** What else binding can be told. */
  readonly bind?: Partial<Pick<BindOptions, "timeLimit" | "sessionKeys" | "handshakes">>;
  readonly sockets?: BindOptions["sockets"];
  readonly connections?: number;
  /** Of connections, by the listener. */
  readonly limits?: ConnectionOptions;
  readonly onRecord?: (record: SeenRecord) => void;
  /** Replaces routing. */
  readonly route?: (input: RouteInput, rule: CompiledRule, listener: CompiledListener) => RouteResult | undefined;
}

/** A running rig. */
export interface Rig {
  readonly port: number;
  readonly bound: BoundPort;
  readonly records: readonly SeenRecord[];
  readonly bugs: readonly string[];
  /** Warnings in the log. */
  readonly warnings: readonly string[];
  readonly cluster: TestCluster;
  readonly pressure: { stopKeepAlive: boolean; shed: boolean; draining: boolean };
  /** Bodies that may have to be sent once more. */
  readonly kept: KeptBodies;
  /** Connections counted by the recorder. */
  readonly counts: RecorderCounts;
  /** Turns both clocks. */
  advance(milliseconds: number): void;
  /** Puts another runtime in force. */
  change(options: RigOptions): void;
  client(options?: Partial<RawClientOptions>): Promise<RawClient>;
  /** Sends a request on a connection of its own and resolves with all that came back when the connection ended. */
  exchange(request: string): Promise<string>;
}

/** Opens a rig that closes with its test, where it must have left nothing behind. */
export async function openRig(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const clocks = { coarse: new Wheel(250), fine: new Wheel(4) };
  const records: SeenRecord[] = [];
  const bugs: string[] = [];
  const counts = toRecorderCounts();
  const warnings: string[] = [];
  const log = {
    error: (message: string, fields: object) => void bugs.push(`${message} ${printFields(fields)}`),
    warn: (message: string, fields: object) => void warnings.push(`${message} ${printFields(fields)}`),
  };
  const recorder = toRecorder(records, counts, options.onRecord);
  const open: OpenConnection = (opening) =>
    openHttp1(opening, { clocks, recorder, log, sockets: options.sockets ?? "tuned" });
  const cluster = new TestCluster("test/main:80", options.upstream ?? 1, open);
  cluster.tls = options.upstreamTls;
  const clusters = new Map(
    Object.entries(options.clusters ?? {}).map(([key, port]) => [key, new TestCluster(key, port, open)]),
  );
  const pressure = { stopKeepAlive: false, shed: false, draining: false };
  let runtime = toRuntime(options, cluster, clusters);
  const dependencies = {
    recorder,
    ids: new RequestIds(),
    clocks,
    log,
    pressure,
    now: () => performance.now(),
    random: Math.random,
    kept: new KeptBodies(),
    pool: [],
  };
  const bound = await openBind({
    address: "127.0.0.1",
    port: 0,
    reusePort: false,
    bindKey: "test",
    runtime: () => runtime,
    dependencies,
    budget: new ConnectionBudget(options.connections ?? 1000),
    sockets: options.sockets ?? "tuned",
    ...options.bind,
  });
  const clients: RawClient[] = [];
  const client = async (more: Partial<RawClientOptions> = {}): Promise<RawClient> => {
    const one = await RawClient.open({ port: bound.port, ...more });
    clients.push(one);
    return one;
  };
  t.after(async () => {
    for (const one of clients) one.close();
    await bound.close();
    cluster.close();
    for (const other of clusters.values()) other.close();
    if (counts.opened !== counts.closed || bound.connections !== 0) throw new Error("a client connection leaked");
    if (cluster.leased > 0) throw new Error("an endpoint lease leaked");
    if (cluster.all.size > 0) throw new Error("an upstream connection leaked");
    if (clocks.coarse.count + clocks.fine.count > 0) throw new Error("a deadline leaked");
    if (dependencies.kept.bytes > 0 || counts.keptBytes !== 0) throw new Error("a kept body leaked");
    if (dependencies.pool.length > clients.length + 100) throw new Error("exchanges leaked");
  });
  return {
    port: bound.port,
    bound,
    records,
    bugs,
    warnings,
    cluster,
    pressure,
    kept: dependencies.kept,
    counts,
    client,
    advance: (milliseconds) => {
      for (let i = 0; i < milliseconds / 250; i++) clocks.coarse.advance();
      for (let i = 0; i < milliseconds / 4; i++) clocks.fine.advance();
    },
    change: (changed) => {
      runtime = toRuntime(changed, cluster, clusters);
    },
    exchange: async (request) => {
      const one = await client();
      await one.send(request);
      await one.signal.require(() => one.state !== "open", 5000, "the end of the connection");
      return one.received;
    },
  };
}

/** Waits for the record of the n-th exchange. */
export function recordOf(rig: Rig, index = 0): Promise<SeenRecord> {
  return eventually(() => rig.records[index], { what: `record ${index}` });
}

/** A listener of a rig. */
export function toListener(changes: Partial<CompiledListener> = {}): CompiledListener {
  const http = DEFAULT_HTTP_SERVER_OPTIONS;
  const stream = DEFAULT_STREAM_OPTIONS;
  return { key: "test/gw/l", port: 80, protocol: "http", http, stream, metrics: 0, ...changes };
}

/** The answer of a router that knows one rule. */
export interface OneRoute extends RouteResult {
  readonly rule: CompiledRule;
}

/** One rule that sends everything to a backend. */
export function toOneRoute(
  http: HttpServerOptions,
  backend: CompiledBackend,
  changes: Partial<CompiledRule> = {},
): OneRoute {
  const rule: CompiledRule = {
    routeKey: "test/route",
    ruleName: "0",
    label: "test/route/0",
    filters: [],
    single: backend,
    pick: () => backend,
    requestTimeout: 0,
    backendTimeout: 0,
    retry: undefined,
    limits: undefined,
    session: undefined,
    ...changes,
  };
  return { listener: toListener({ http }), rule, matchedPrefix: undefined, cacheable: true };
}

/** A runtime whose only port, `test`, routes so. */
export function toOneRouteRuntime(
  found: OneRoute,
  changes: Partial<CompiledBind> = {},
  cluster: Runtime["cluster"] = () => undefined,
): Runtime {
  const { listener } = found;
  const bind: CompiledBind = {
    key: "test",
    address: "127.0.0.1",
    port: 0,
    http: listener.http,
    fallback: listener,
    transport: "http",
    tls: undefined,
    stream: undefined,
    proxyProtocol: undefined,
    connections: {},
    route: () => found,
    ...changes,
  };
  return { epoch: 1, binds: new Map([["test", bind]]), cluster };
}

function toRuntime(options: RigOptions, cluster: TestCluster, clusters: ReadonlyMap<string, TestCluster>): Runtime {
  const { tls, stream, proxyProtocol, route, limits: connections = {} } = options;
  const http = { ...DEFAULT_HTTP_SERVER_OPTIONS, ...options.http };
  const found = toOneRoute(http, { cluster, invalid: "", filters: [], ...options.backend }, options.rule);
  const { rule, listener } = found;
  const transport = tls !== undefined ? "tls" : stream !== undefined ? "tcp" : "http";
  const changes = { transport, tls, stream, proxyProtocol, connections } as const;
  const routing = route === undefined ? {} : { route: (input: RouteInput) => route(input, rule, listener) };
  return toOneRouteRuntime(found, { ...changes, ...routing }, (key) => clusters.get(key));
}

function printFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.stack : String(value)}`)
    .join(" ");
}
