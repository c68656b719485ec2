/**
 * A bound port: accepts connections and gives each to a codec under the configuration in force. The socket stays bound
 * while the port is in the configuration, whatever else of it changes.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { ServerPort } from "../http1/server-port.ts";
import { flatten } from "../head/flat-string.ts";
import { Http1Server } from "../http1/server.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { adoptReads, rehouse } from "../wire/rehouse.ts";
import { AcceptErrors } from "./accept-errors.ts";
import type { ConnectionBudget } from "./budget.ts";
import { TlsTerminator } from "./tls-terminator.ts";

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
  /** 48 bytes that all threads share; absent: sessions are resumed by the thread that made them alone. */
  readonly ticketKeys?: Buffer;
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

const BACKLOG = 4096;

class PortListener implements BoundPort, ServerPort {
  readonly dependencies: ExchangeDependencies;
  draining = false;
  readonly #options: BindOptions;
  readonly #server: Server;
  readonly #errors: AcceptErrors;
  /** Connections that can carry requests, and sockets that are not so far or never will be. */
  readonly #open = new Set<Http1Server>();
  readonly #sockets = new Set<Socket>();
  readonly #stopping: (() => void)[] = [];
  #tls: TlsTerminator | undefined = undefined;
  #bind: CompiledBind | undefined = undefined;
  #boundBy: Runtime | undefined = undefined;

  constructor(options: BindOptions) {
    this.#options = options;
    this.dependencies = options.dependencies;
    this.#errors = new AcceptErrors(options.dependencies);
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#accept(socket);
    });
  }

  open(): Promise<BoundPort> {
    const { address: host, port, reusePort, backlog = BACKLOG } = this.#options;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, reusePort, backlog }, () => {
        server.off("error", reject);
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

  runtime(): Runtime {
    return this.#options.runtime();
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
    for (const connection of this.#open) connection.drain();
  }

  retire(): Promise<void> {
    const closed = this.#stop();
    this.drain();
    return closed;
  }

  close(): Promise<void> {
    const closed = this.#stop();
    for (const socket of this.#sockets) socket.destroy();
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
    for (const resolve of this.#stopping.splice(0)) resolve();
  }

  #accept(accepted: Socket): void {
    const { budget, dependencies, sockets } = this.#options;
    if (!budget.take()) {
      accepted.destroy();
      this.#errors.note(new Error("connection limit reached"), this.port);
      return;
    }
    const bind = this.bindOf(this.runtime());
    const metrics = bind.fallback.metrics;
    dependencies.recorder.connectionOpened(metrics);
    // asked before the handle moves, so that what Node keeps of the answers goes with the socket it leaves
    const about = bind.tls === undefined ? describe(accepted, "http") : undefined;
    const inlet = new Inlet();
    const rehoused = bind.tls === undefined && sockets !== "documented" ? rehouse(accepted, inlet) : undefined;
    const socket = rehoused ?? accepted;
    this.#sockets.add(socket);
    socket.on("error", ignoreError);
    let connection: Http1Server | undefined;
    // one listener for all there is to do, and not `once`: each costs every idle connection memory
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#stopping.length > 0) queueMicrotask(() => this.#settleStop());
      budget.giveBack();
      dependencies.recorder.connectionClosed(metrics);
      if (connection !== undefined) this.#onClosed(connection);
    });
    if (about === undefined) this.#secure(socket);
    else {
      connection = this.#serve(socket, inlet, about);
      if (rehoused === undefined) readPlain(socket, inlet);
    }
  }

  #secure(raw: Socket): void {
    this.#tls ??= new TlsTerminator({
      certificates: () => this.bindOf(this.runtime()).tls,
      onSecure: (socket) => this.#onSecure(socket),
      log: this.dependencies.log,
      ...(this.#options.ticketKeys === undefined ? {} : { ticketKeys: this.#options.ticketKeys }),
    });
    this.#tls.accept(raw);
  }

  #onSecure(socket: TLSSocket): void {
    const inlet = new Inlet();
    socket.on("error", ignoreError);
    const connection = this.#serve(socket, inlet, describe(socket, "https"));
    socket.on("close", () => this.#onClosed(connection));
    if (this.#options.sockets === "documented" || !adoptReads(socket, inlet)) readPlain(socket, inlet);
  }

  #serve(socket: Socket, inlet: Inlet, about: DownstreamConnection): Http1Server {
    // over TLS every write completes a turn later: there is nothing to gain
    const ways = about.scheme === "http" ? (this.#options.sockets ?? "tuned") : "documented";
    const connection = new Http1Server({ socket, inlet, about, ways }, this);
    inlet.deliverTo(connection);
    this.#open.add(connection);
    return connection;
  }

  #onClosed(connection: Http1Server): void {
    this.#open.delete(connection);
    connection.onClosed();
  }
}

function readPlain(socket: Socket, inlet: Inlet): void {
  inlet.attachData(socket);
  socket.resume();
}

function describe(socket: Socket, scheme: "http" | "https"): DownstreamConnection {
  const remoteAddress = unmap(socket.remoteAddress ?? "");
  return {
    scheme,
    remoteAddress,
    remote: flatten(`${bracket(remoteAddress)}:${socket.remotePort ?? 0}`),
    local: flatten(`${bracket(unmap(socket.localAddress ?? ""))}:${socket.localPort ?? 0}`),
  };
}

/** IPv4 that came to a socket for both families. */
function unmap(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function bracket(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function ignoreError(): void {
  // "close" follows
}
