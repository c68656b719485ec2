/** A port that speaks HTTP/2 with prior knowledge, over real sockets, with a cluster that the test brings. */
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { once } from "node:events";
import type { TestContext } from "node:test";
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  DEFAULT_HTTP_SERVER_OPTIONS,
  type Http2ServerOptions,
  type HttpServerOptions,
} from "@sallyport/model/listener";
import type { CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamCluster } from "../../src/cluster/contract.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { KeptBodies } from "../../src/retry/kept-bodies.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { Http2Server } from "../../src/http2/server.ts";
import type { CompiledRule, CompiledBind, Runtime } from "../../src/router/contract.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { Inlet } from "../../src/wire/inlet.ts";
import type { SocketWays } from "../../src/wire/outlet.ts";
import { adoptReads, rehouse } from "../../src/wire/rehouse.ts";
import { toOneRoute, toOneRouteRuntime } from "../http1/rig.ts";
import { toRecorder, toRecorderCounts, type SeenRecord } from "../http1/seen-record.ts";
import { FrameClient } from "./frame-client.ts";

/** What a rig can be told. */
export interface Http2RigOptions {
  readonly cluster: UpstreamCluster;
  readonly http?: Partial<HttpServerOptions>;
  readonly http2?: Partial<Http2ServerOptions>;
  readonly rule?: Partial<CompiledRule>;
  readonly ways?: SocketWays;
  /** Over TLS; clients of frames are for clear text alone. */
  readonly tls?: CertifiedKey | undefined;
  readonly onRecord?: (record: SeenRecord) => void;
}

/** A running rig. */
export interface Http2Rig {
  readonly port: number;
  readonly records: readonly SeenRecord[];
  readonly bugs: readonly string[];
  /** Connections of clients, in order. */
  readonly servers: readonly Http2Server[];
  readonly pressure: { stopKeepAlive: boolean; shed: boolean; draining: boolean };
  readonly pool: readonly Exchange[];
  /** Turns the clocks. */
  advance(milliseconds: number): void;
  /** Puts a runtime in force that says the same, but for changes. Returns the one before. */
  renew(changes?: Partial<Http2RigOptions>): Runtime;
  client(preface?: string): Promise<FrameClient>;
}

/** Opens a rig that closes with its test, where it must have left nothing behind. */
export async function openHttp2Rig(t: TestContext, options: Http2RigOptions): Promise<Http2Rig> {
  const clocks = { coarse: new Wheel(250), fine: new Wheel(4) };
  const records: SeenRecord[] = [];
  const bugs: string[] = [];
  const counts = toRecorderCounts();
  const log = {
    error: (message: string, fields: Readonly<Record<string, unknown>>) => {
      const { error } = fields;
      bugs.push(`${message} ${error instanceof Error ? error.stack : String(error)}`);
    },
    warn: () => undefined,
  };
  const pressure = { stopKeepAlive: false, shed: false, draining: false };
  const pool: Exchange[] = [];
  let runtime = toRuntime(options);
  const port = {
    dependencies: {
      recorder: toRecorder(records, counts, options.onRecord),
      ids: new RequestIds(),
      clocks,
      log,
      pressure,
      now: () => performance.now(),
      random: Math.random,
      kept: new KeptBodies(),
      pool,
    },
    draining: false,
    runtime: () => runtime,
    bindOf: (of: Runtime) => toBind(of),
  };
  const servers: Http2Server[] = [];
  const sockets = new Set<Socket>();
  const { tls, ways = "tuned" } = options;
  const serve = (accepted: Socket): void => {
    const inlet = new Inlet();
    const rehoused = tls === undefined && ways === "tuned" ? rehouse(accepted, inlet) : undefined;
    const socket = rehoused ?? accepted;
    sockets.add(socket);
    socket.on("error", () => undefined);
    const about = {
      scheme: "http" as const,
      remoteAddress: "127.0.0.1",
      remote: "127.0.0.1:1",
      local: "127.0.0.1:2",
      peer: "127.0.0.1:1",
      tls: undefined,
    };
    const server = new Http2Server({ socket, inlet, about, ways }, port);
    inlet.deliverTo(server);
    servers.push(server);
    socket.on("close", () => {
      sockets.delete(socket);
      server.onClosed();
    });
    if (rehoused !== undefined || (tls !== undefined && ways === "tuned" && adoptReads(socket, inlet))) return;
    inlet.attachData(socket);
    socket.resume();
  };
  const listener =
    tls === undefined
      ? createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, serve)
      : createTlsServer({ ...tls, noDelay: true, allowHalfOpen: true, ALPNProtocols: ["h2"] }, serve);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const number = typeof address === "object" && address !== null ? address.port : 0;
  const clients: FrameClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    for (const socket of sockets) socket.destroy();
    listener.close();
    await eventually(() => sockets.size === 0, { what: "the end of all connections" });
    for (const server of servers) if (server.streams.size > 0) throw new Error("a stream leaked");
    if (clocks.coarse.count + clocks.fine.count > 0) throw new Error("a deadline leaked");
    if (bugs.length > 0) throw new Error(bugs.join("\n"));
  });
  return {
    port: number,
    records,
    bugs,
    servers,
    pressure,
    pool,
    advance: (milliseconds) => {
      for (let i = 0; i < milliseconds / 250; i++) clocks.coarse.advance();
      for (let i = 0; i < milliseconds / 4; i++) clocks.fine.advance();
    },
    renew: (changes) => {
      const before = runtime;
      runtime = toRuntime({ ...options, ...changes });
      return before;
    },
    client: async (preface) => {
      const client = await FrameClient.open(number, preface);
      clients.push(client);
      return client;
    },
  };
}

function toBind(runtime: Runtime): CompiledBind {
  const bind = runtime.binds.get("test");
  if (bind === undefined) throw new Error("no bind");
  return bind;
}

function toRuntime(options: Http2RigOptions): Runtime {
  const http2 = { ...DEFAULT_HTTP2_SERVER_OPTIONS, ...options.http2 };
  const http = { ...DEFAULT_HTTP_SERVER_OPTIONS, ...options.http, http2 };
  return toOneRouteRuntime(toOneRoute(http, { cluster: options.cluster, invalid: "", filters: [] }, options.rule));
}
