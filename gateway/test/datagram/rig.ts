/** A UDP port over loopback, with upstreams and clients of the test. Time is turned by hand. */
import type { RemoteInfo, Socket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { DEFAULT_DATAGRAM_OPTIONS, DEFAULT_HTTP_SERVER_OPTIONS, type StreamOptions } from "@sallyport/model/listener";
import { eventually } from "@sallyport/testkit/eventually";
import { Signal } from "@sallyport/testkit/signal";
import type { UpstreamCluster } from "../../src/cluster/contract.ts";
import { type BoundDatagramPort, openDatagramPort } from "../../src/datagram/port.ts";
import { openDatagramSocket } from "../../src/datagram/socket.ts";
import type { StreamRecord } from "../../src/observe/contract.ts";
import type { CompiledBind, CompiledStreamRoute, Runtime } from "../../src/router/contract.ts";
import { Wheel } from "../../src/time/wheel.ts";
import type { LeasingCluster } from "../stream/leasing-cluster.ts";

/** What a rig can be told. */
export interface DatagramRigOptions {
  readonly clusters: readonly LeasingCluster[];
  /** Default: one to the first cluster; null: there is none. */
  readonly route?: CompiledStreamRoute | null;
  readonly stream?: Partial<StreamOptions>;
  readonly address?: string;
  readonly port?: number;
  readonly maxSessions?: number;
  /** Sockets to upstreams. */
  readonly sockets?: number;
}

/** A running rig. */
export interface DatagramRig {
  readonly port: number;
  readonly bound: BoundDatagramPort;
  readonly records: readonly StreamRecord[];
  readonly warnings: readonly string[];
  /** What is open by the recorder's count, and how often it was told of upstreams. */
  readonly counts: { sessions: number; upstreams: number; connects: number };
  advance(milliseconds: number): void;
  /** Puts another runtime in force. */
  change(options: DatagramRigOptions): void;
  client(): Promise<Talker>;
}

/** A socket that notes what it receives. */
export class Talker {
  readonly socket: Socket;
  readonly signal = new Signal();
  readonly received: string[] = [];
  readonly from: RemoteInfo[] = [];
  readonly #to: { readonly port: number; readonly address: string } | undefined;

  private constructor(socket: Socket, to: { readonly port: number; readonly address: string } | undefined) {
    this.socket = socket;
    this.#to = to;
    socket.on("message", (message, from) => {
      this.received.push(message.toString());
      this.from.push(from);
      this.signal.changed();
    });
    socket.on("error", () => undefined);
  }

  static async open(t: TestContext, address: string, to?: number, port = 0): Promise<Talker> {
    // sends before send() returns, so that datagrams arrive in the order of the calls, whatever socket they are from
    const socket = openDatagramSocket(address);
    const talker = new Talker(socket, to === undefined ? undefined : { port: to, address });
    t.after(() => talker.close());
    const listening = once(socket, "listening");
    socket.bind(port, address);
    await listening;
    return talker;
  }

  get port(): number {
    return this.socket.address().port;
  }

  say(message: string | Buffer): void {
    if (this.#to !== undefined) this.socket.send(message, this.#to.port, this.#to.address);
  }

  async hear(count: number): Promise<readonly string[]> {
    await this.signal.require(() => this.received.length >= count, 5000, `${count} datagrams`);
    return this.received;
  }

  close(): void {
    try {
      this.socket.close();
    } catch {
      // closed by the test
    }
  }
}

/** An upstream that answers every datagram with its name and what came. */
export async function openEcho(t: TestContext, name: string, address = "127.0.0.1", port = 0): Promise<Talker> {
  const talker = await Talker.open(t, address, undefined, port);
  talker.socket.on("message", (message, from) => {
    talker.socket.send(`${name}:${message.toString()}`, from.port, from.address);
  });
  return talker;
}

/** Opens a rig, which must have left nothing behind when its test is over. */
export async function openDatagramRig(t: TestContext, options: DatagramRigOptions): Promise<DatagramRig> {
  const coarse = new Wheel(250);
  const records: StreamRecord[] = [];
  const warnings: string[] = [];
  const bugs: string[] = [];
  const counts = { sessions: 0, upstreams: 0, connects: 0 };
  const free = { sockets: options.sockets ?? 1000 };
  let runtime = toRuntime(options, 1);
  const bound = await openDatagramPort({
    address: options.address ?? "127.0.0.1",
    port: options.port ?? 0,
    reusePort: false,
    bindKey: "udp/test",
    runtime: () => runtime,
    dependencies: {
      clocks: { coarse, fine: new Wheel(4) },
      recorder: {
        stream: (record) => void records.push({ ...record }),
        connectionOpened: () => void counts.sessions++,
        connectionClosed: () => void counts.sessions--,
        upstreamConnect: () => {
          counts.connects++;
          counts.upstreams++;
        },
        upstreamClosed: () => void counts.upstreams--,
      },
      log: {
        error: (message, fields) => void bugs.push(`${message} ${String(fields["error"])}`),
        warn: (message) => void warnings.push(message),
      },
      now: () => performance.now(),
    },
    budget: {
      take: () => free.sockets > 0 && free.sockets-- > 0,
      giveBack: () => void free.sockets++,
    },
    ...(options.maxSessions !== undefined && { maxSessions: options.maxSessions }),
  });
  t.after(async () => {
    await bound.close();
    await eventually(() => options.clusters.every((cluster) => cluster.open === 0), { what: "released leases" });
    if (coarse.count > 0) throw new Error("a deadline leaked");
    if (counts.sessions !== 0 || counts.upstreams !== 0) throw new Error("ends are not counted as beginnings are");
    if (free.sockets !== (options.sockets ?? 1000)) throw new Error("a socket was not given back");
    if (bugs.length > 0) throw new Error(bugs.join("\n"));
  });
  let epoch = 1;
  return {
    port: bound.port,
    bound,
    records,
    warnings,
    counts,
    advance: (milliseconds) => {
      for (let i = 0; i < milliseconds / 250; i++) coarse.advance();
    },
    change: (changed) => {
      runtime = toRuntime(changed, ++epoch);
    },
    client: () => Talker.open(t, options.address === "::1" ? "::1" : "127.0.0.1", bound.port),
  };
}

/** A route that always takes this cluster. */
export function routeTo(cluster: UpstreamCluster | undefined): CompiledStreamRoute {
  return { key: "udproute/test/main", pick: () => ({ cluster, invalid: cluster === undefined ? "gone" : "" }) };
}

function toRuntime(options: DatagramRigOptions, epoch: number): Runtime {
  const http = DEFAULT_HTTP_SERVER_OPTIONS;
  const bind: CompiledBind = {
    key: "udp/test",
    address: "127.0.0.1",
    port: 0,
    transport: "udp",
    route: () => undefined,
    http,
    fallback: {
      key: "test/gw/udp",
      port: 53,
      protocol: "udp",
      http,
      stream: { ...DEFAULT_DATAGRAM_OPTIONS, ...options.stream },
      metrics: 3,
    },
    tls: undefined,
    stream: options.route === null ? undefined : (options.route ?? routeTo(options.clusters[0])),
    proxyProtocol: undefined,
    connections: {},
  };
  return {
    epoch,
    binds: new Map([[bind.key, bind]]),
    cluster: (key) => options.clusters.find((cluster) => cluster.key === key),
  };
}
