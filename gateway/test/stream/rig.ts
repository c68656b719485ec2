/**
 * Passed-on connections over loopback: a server that hands what it accepts to openStream as a listener does, and a cluster
 * whose endpoints the test names. Time is turned by hand.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { DEFAULT_HTTP_SERVER_OPTIONS, DEFAULT_STREAM_OPTIONS, type StreamOptions } from "@sallyport/model/listener";
import { eventually } from "@sallyport/testkit/eventually";
import type { StreamRecord } from "../../src/observe/contract.ts";
import type { CompiledListener, CompiledStreamRoute } from "../../src/router/contract.ts";
import type { StreamConnection, StreamDependencies, StreamSource } from "../../src/stream/contract.ts";
import { openStream } from "../../src/stream/open.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { Inlet } from "../../src/wire/inlet.ts";
import { rehouse } from "../../src/wire/rehouse.ts";
import type { LeasingCluster } from "./leasing-cluster.ts";

/** What a rig can be told. */
export interface StreamRigOptions {
  readonly cluster?: LeasingCluster;
  /** Replaces the route to the cluster; null: there is none. */
  readonly route?: CompiledStreamRoute | null;
  readonly stream?: Partial<StreamOptions>;
  readonly source?: Partial<Pick<StreamSource, "protocol" | "serverName" | "head">>;
  readonly about?: Partial<StreamSource["about"]>;
  /** How the accepted socket is read. Default `tuned`. */
  readonly sockets?: "tuned" | "documented";
}

/** A running rig. */
export interface StreamRig {
  readonly port: number;
  readonly records: readonly StreamRecord[];
  readonly bugs: readonly string[];
  readonly warnings: readonly string[];
  readonly connects: { success: number; failure: number; timeout: number; closed: number };
  /** Accepted connections that are not closed. */
  readonly open: ReadonlySet<Socket>;
  /** Turns the clock. */
  advance(milliseconds: number): void;
  /** A client, connected; closed with the test. */
  client(): Promise<Socket>;
}

/** Opens a rig, which must have left nothing behind when its test is over. */
export async function openStreamRig(t: TestContext, options: StreamRigOptions): Promise<StreamRig> {
  const coarse = new Wheel(250);
  const records: StreamRecord[] = [];
  const bugs: string[] = [];
  const warnings: string[] = [];
  const connects = { success: 0, failure: 0, timeout: 0, closed: 0 };
  const dependencies: StreamDependencies = {
    clocks: { coarse, fine: new Wheel(4) },
    recorder: {
      stream: (record) => void records.push({ ...record }),
      upstreamConnect: (outcome) => void connects[outcome]++,
      upstreamClosed: () => void connects.closed++,
    },
    log: {
      warn: (message) => void warnings.push(message),
      error: (message, fields) => void bugs.push(`${message}: ${String(fields["error"])}`),
    },
    now: () => performance.now(),
  };
  const open = new Set<Socket>();
  const clients: Socket[] = [];
  const port = await listen(t, { noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
    accept(accepted, options, dependencies, open);
  });
  t.after(async () => {
    for (const one of clients) one.destroy();
    for (const one of open) one.destroy();
    await eventually(() => open.size === 0 && clients.every((one) => one.closed), { what: "closed connections" });
    await eventually(() => (options.cluster?.open ?? 0) === 0, { what: "released leases" });
    await eventually(() => coarse.count === 0, { what: "disarmed deadlines" });
    if (connects.success !== connects.closed) throw new Error("closes are not counted as connects are");
    if (bugs.length > 0) throw new Error(bugs.join("\n"));
  });
  return {
    port,
    records,
    bugs,
    warnings,
    connects,
    open,
    advance: (milliseconds) => {
      for (let i = 0; i < milliseconds / 250; i++) coarse.advance();
    },
    client: async () => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      clients.push(socket);
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    },
  };
}

/** A server of the test; closed, with all its connections, when the test is over. Resolves with the port. */
export async function serve(t: TestContext, accept: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await eventually(() => sockets.every((socket) => socket.closed), { what: "closed connections" });
  });
  return listen(t, { allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    accept(socket);
  });
}

/** A port nobody listens on. */
export async function refusingPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** Collects what a socket receives until its FIN; rejects where it is reset. */
export function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.once("end", () => resolve(Buffer.concat(chunks)));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without FIN")));
  });
}

/** How a socket ends: by FIN or by reset. */
export function endOf(socket: Socket): Promise<"fin" | "reset"> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once("end", () => resolve("fin"));
    socket.once("error", () => resolve("reset"));
  });
}

/** The n-th record. */
export function recordOf(rig: StreamRig, index = 0): Promise<StreamRecord> {
  return eventually(() => rig.records[index], { what: `record ${index}` });
}

function accept(
  accepted: Socket,
  options: StreamRigOptions,
  dependencies: StreamDependencies,
  open: Set<Socket>,
): void {
  const about = {
    scheme: "http",
    remoteAddress: "127.0.0.1",
    remote: `127.0.0.1:${accepted.remotePort ?? 0}`,
    local: `127.0.0.1:${accepted.localPort ?? 0}`,
    peer: `127.0.0.1:${accepted.remotePort ?? 0}`,
    tls: undefined,
    ...options.about,
  } as const;
  const inlet = new Inlet();
  const rehoused = options.sockets === "documented" ? undefined : rehouse(accepted, inlet);
  const socket = rehoused ?? accepted;
  open.add(socket);
  socket.on("error", () => undefined);
  const source = {
    protocol: "TCP",
    serverName: undefined,
    head: undefined,
    ...options.source,
    socket,
    inlet,
    about,
    listener: toListener(options),
    route: toRoute(options),
  } as const;
  const held: { stream: StreamConnection | undefined } = { stream: undefined };
  socket.on("close", () => {
    open.delete(socket);
    held.stream?.onClosed();
  });
  held.stream = openStream(source, dependencies);
  if (rehoused !== undefined) return;
  inlet.attachData(socket);
  socket.resume();
}

function toListener({ stream }: StreamRigOptions): CompiledListener {
  return {
    key: "test/gw/tcp",
    port: 9000,
    protocol: "tcp",
    http: DEFAULT_HTTP_SERVER_OPTIONS,
    stream: { ...DEFAULT_STREAM_OPTIONS, ...stream },
    metrics: 7,
  };
}

function toRoute({ route, cluster }: StreamRigOptions): CompiledStreamRoute | undefined {
  if (route === null) return undefined;
  return (
    route ?? { key: "tcproute/test/main", pick: () => ({ cluster, invalid: cluster === undefined ? "gone" : "" }) }
  );
}

async function listen(t: TestContext, options: object, accept: (socket: Socket) => void): Promise<number> {
  const server = createServer(options, accept);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}
