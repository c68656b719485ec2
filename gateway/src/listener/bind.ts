/**
 * A bound port: accepts connections and gives each to whoever serves it under the configuration in force. The socket stays
 * bound while the port is in the configuration, whatever else of it changes.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { openStream } from "../stream/open.ts";
import { type ByteReader, Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { adoptReads, rehouse } from "../wire/rehouse.ts";
import { AcceptErrors } from "./accept-errors.ts";
import type { ArrivalOwner, StreamPlan } from "./arrival-owner.ts";
import { Arrival } from "./arrival.ts";
import type { ConnectionBudget } from "./budget.ts";
import { ClearHttp, type ClearHttpOwner } from "./clear-http.ts";
import { describeEnds, type ConnectionEnds } from "./ends.ts";
import { type HttpServer, type HttpVersion, openHttpServer, toHttpVersion } from "./http-server.ts";
import { PortConnections, type SharedCounts } from "./port-connections.ts";
import type { SessionKeys } from "./session-keys.ts";
import { TlsTerminator } from "./tls-terminator.ts";
import { isTrustedPeer } from "./trusted-peers.ts";
import { TurnBudget } from "./turn-budget.ts";

/** What binding takes. */
export interface BindOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other threads bind the same port. */
  readonly reusePort: boolean;
  /** Connections that may wait to be accepted; the kernel may hold it lower (net.core.somaxconn). */
  readonly backlog?: number;
  /** The key of this port in a runtime's binds. It must be there when the first connection comes. */
  readonly bindKey: string;
  /** The configuration in force. */
  runtime(): Runtime;
  readonly dependencies: ExchangeDependencies;
  readonly budget: ConnectionBudget;
  /** Counts connections over all workers; absent: a limit is one of this worker alone. */
  readonly counts?: SharedCounts;
  /** Handshakes that begin in one turn of the loop, over all ports of a thread; absent: a budget of this port's own. */
  readonly handshakes?: TurnBudget;
  /** Keys of session tickets that all threads share; absent: sessions are resumed by the thread that made them alone. */
  readonly sessionKeys?: SessionKeys;
  /** Milliseconds for PROXY header, ClientHello and handshake together. Default 10 s. */
  readonly timeLimit?: number;
  /** Default `tuned`. */
  readonly sockets?: SocketWays;
}

/** A port that accepts. */
export interface BoundPort {
  readonly port: number;
  /** Open now. */
  readonly connections: number;
  /** Goes on accepting, but answers carry Connection: close, and idle connections end. */
  drain(): void;
  /** Stops accepting and drains; resolves when the last connection is closed. */
  retire(): Promise<void>;
  /** Stops accepting and cuts all connections; resolves when all are closed. */
  close(): Promise<void>;
}

/** Binds; rejects with the system's error where that fails. */
export function openBind(options: BindOptions): Promise<BoundPort> {
  return new PortListener(options).open();
}

/** Handshakes that begin in one turn: each takes 0.3 to 1 ms, as long as what is served already waits; a turn takes far less. */
export const HANDSHAKES_PER_TURN = 1;

const BACKLOG = 4096;
const TIME_LIMIT = 10_000;

/** Whoever has an accepted socket now. */
interface Holder {
  onClosed(): void;
  /** Of those that can carry requests: lets the connection go as soon as it may. */
  drain?(): void;
}

class PortListener implements BoundPort, ServerPort, ArrivalOwner, ClearHttpOwner {
  readonly dependencies: ExchangeDependencies;
  readonly timeLimit: number;
  draining = false;
  readonly #options: BindOptions;
  readonly #server: Server;
  readonly #errors: AcceptErrors;
  readonly #connections: PortConnections;
  /** Every accepted socket, and who has it or the TLS socket around it. */
  readonly #sockets = new Map<Socket, Holder | undefined>();
  readonly #stopping: (() => void)[] = [];
  #terminator: TlsTerminator | undefined = undefined;
  #bind: CompiledBind | undefined = undefined;
  #boundBy: Runtime | undefined = undefined;

  constructor(options: BindOptions) {
    this.#options = options;
    this.dependencies = options.dependencies;
    this.timeLimit = options.timeLimit ?? TIME_LIMIT;
    this.#errors = new AcceptErrors(options.dependencies);
    this.#connections = new PortConnections(options.counts, options.bindKey, options.dependencies);
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#accept(socket);
    });
  }

  open(): Promise<BoundPort> {
    const { address: host, port, reusePort, backlog = BACKLOG } = this.#options;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => {
        this.#connections.close();
        reject(error);
      };
      server.once("error", refuse);
      server.listen({ host, port, reusePort, backlog }, () => {
        server.off("error", refuse);
        server.on("error", (error) => this.#errors.note(error, this.port));
        resolve(this);
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get terminator(): TlsTerminator {
    const { sessionKeys, handshakes, dependencies } = this.#options;
    this.#terminator ??= new TlsTerminator({
      sessionKeys,
      budget: handshakes ?? new TurnBudget(HANDSHAKES_PER_TURN),
      log: dependencies.log,
      now: () => dependencies.now(),
    });
    return this.#terminator;
  }

  runtime(): Runtime {
    return this.#options.runtime();
  }

  currentBind(): CompiledBind {
    return this.bindOf(this.runtime());
  }

  bindOf(runtime: Runtime): CompiledBind {
    if (runtime !== this.#boundBy) {
      this.#boundBy = runtime;
      this.#bind = runtime.binds.get(this.#options.bindKey) ?? this.#bind;
    }
    if (this.#bind === undefined) throw new Error(`no bind ${this.#options.bindKey} in the runtime`);
    return this.#bind;
  }

  drain(): void {
    this.draining = true;
    for (const holder of this.#sockets.values()) holder?.drain?.();
  }

  retire(): Promise<void> {
    const closed = this.#stop();
    this.drain();
    return closed;
  }

  close(): Promise<void> {
    const closed = this.#stop();
    for (const socket of this.#sockets.keys()) socket.destroy();
    return closed;
  }

  /** Resolves when the last socket is closed, which is a little after the server says so. */
  #stop(): Promise<void> {
    // called again it calls back with an error that says no more than that
    this.#server.close(() => this.#settleStop());
    return new Promise((resolve) => {
      this.#stopping.push(resolve);
      this.#settleStop();
    });
  }

  #settleStop(): void {
    if (this.#server.listening || this.#sockets.size > 0) return;
    this.#connections.close();
    for (const resolve of this.#stopping.splice(0)) resolve();
  }

  #accept(accepted: Socket): void {
    const { budget, dependencies, sockets } = this.#options;
    if (!budget.take()) {
      accepted.destroy();
      this.#errors.note(new Error("connection limit reached"), this.port);
      return;
    }
    const bind = this.currentBind();
    const { metrics } = bind.fallback;
    if (!this.#connections.admit(bind)) {
      budget.giveBack();
      accepted.destroy();
      return;
    }
    dependencies.recorder.connectionOpened(metrics);
    // asked before the handle moves, so that what Node keeps of the answers goes with the socket it leaves
    const ends = describeEnds(accepted);
    const inlet = new Inlet();
    const rehoused = sockets === "documented" ? undefined : rehouse(accepted, inlet);
    const socket = rehoused ?? accepted;
    this.#sockets.set(socket, undefined);
    socket.on("error", ignoreError);
    const { tcpKeepAlive } = bind.connections;
    if (tcpKeepAlive !== undefined) socket.setKeepAlive(true, tcpKeepAlive);
    // one listener for all there is to do, and not `once`: each costs every idle connection memory
    socket.on("close", () => {
      const holder = this.#sockets.get(socket);
      this.#sockets.delete(socket);
      if (this.#stopping.length > 0) queueMicrotask(() => this.#settleStop());
      budget.giveBack();
      this.#connections.giveBack();
      dependencies.recorder.connectionClosed(metrics);
      holder?.onClosed();
    });
    this.#place(socket, inlet, ends, bind);
    if (rehoused === undefined) readPlain(socket, inlet);
  }

  /** Straight to the codec where nothing comes before the first request. */
  #place(socket: Socket, inlet: Inlet, ends: ConnectionEnds, bind: CompiledBind): void {
    const { proxyProtocol, transport } = bind;
    const proxied = proxyProtocol !== undefined && isTrustedPeer(proxyProtocol, ends.remoteAddress);
    if (transport === "http" && !proxied) {
      this.serveHttp(socket, inlet, { scheme: "http", ...ends, tls: undefined });
      return;
    }
    const arrival = new Arrival(socket, inlet, ends, this);
    this.#sockets.set(socket, arrival);
    arrival.begin(proxied ? "proxied" : "direct");
  }

  serveHttp(socket: Socket, inlet: Inlet, about: DownstreamConnection): ByteReader {
    const connection = new ClearHttp({ socket, inlet, about, ways: this.#ways }, this);
    inlet.deliverTo(connection);
    this.#sockets.set(socket, connection);
    return connection;
  }

  serve(accepted: AcceptedSocket, version: HttpVersion): HttpServer {
    const connection = openHttpServer(accepted, this, version);
    this.#sockets.set(accepted.socket, connection);
    return connection;
  }

  serveStream(socket: Socket, inlet: Inlet, plan: StreamPlan): void {
    this.#sockets.set(socket, openStream({ socket, inlet, ...plan }, this.dependencies));
  }

  serveSecureHttp(socket: TLSSocket, raw: Socket, about: DownstreamConnection): void {
    const inlet = new Inlet();
    socket.on("error", ignoreError);
    this.#sockets.set(raw, openHttpServer({ socket, inlet, about, ways: this.#ways }, this, toHttpVersion(socket)));
    this.#read(socket, inlet);
  }

  serveSecureStream(socket: TLSSocket, raw: Socket, plan: StreamPlan): void {
    const inlet = new Inlet();
    socket.on("error", ignoreError);
    this.#sockets.set(raw, openStream({ socket, inlet, ...plan }, this.dependencies));
    this.#read(socket, inlet);
  }

  get #ways(): SocketWays {
    return this.#options.sockets ?? "tuned";
  }

  #read(socket: TLSSocket, inlet: Inlet): void {
    if (this.#options.sockets === "documented" || !adoptReads(socket, inlet)) readPlain(socket, inlet);
  }
}

function readPlain(socket: Socket, inlet: Inlet): void {
  inlet.attachData(socket);
  if (!inlet.paused) socket.resume();
}

function ignoreError(): void {
  // "close" follows
}
