/**
 * A bound port: accepts connections and gives each to a codec under the configuration in force. The socket stays bound
 * while the port is in the configuration, whatever else of it changes.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { ServerPort } from "../http1/server-port.ts";
import { Http1Server } from "../http1/server.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { Inlet } from "../wire/inlet.ts";
import { rehouse } from "../wire/rehouse.ts";
import type { ConnectionBudget } from "./budget.ts";

/** What binding takes. */
export interface BindOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other threads bind the same port. */
  readonly reusePort: boolean;
  readonly backlog?: number;
  /** The key of this port in a runtime's binds. It must be there when the port is opened. */
  readonly bindKey: string;
  /** The configuration in force. */
  runtime(): Runtime;
  readonly dependencies: ExchangeDependencies;
  readonly budget: ConnectionBudget;
  /** `plain` reads by the documented `data` event: slower; for tests of that path. */
  readonly reads?: "rehoused" | "plain";
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
  const listener = new PortListener(options);
  return listener.open();
}

const BACKLOG = 4096;

class PortListener implements BoundPort, ServerPort {
  readonly dependencies: ExchangeDependencies;
  draining = false;
  readonly #options: BindOptions;
  readonly #server: Server;
  readonly #open = new Set<Http1Server>();
  #bind: CompiledBind | undefined = undefined;
  #bindOf: Runtime | undefined = undefined;

  constructor(options: BindOptions) {
    this.#options = options;
    this.dependencies = options.dependencies;
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
        server.on("error", (error) => this.#onAcceptError(error));
        resolve(this);
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  get connections(): number {
    return this.#open.size;
  }

  runtime(): Runtime {
    return this.#options.runtime();
  }

  bindOf(runtime: Runtime): CompiledBind {
    if (runtime !== this.#bindOf) {
      this.#bindOf = runtime;
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
    for (const connection of this.#open) connection.destroy();
    return closed;
  }

  /** The callback of a second close() is called too, with an error that says no more than that. */
  #stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(accepted: Socket): void {
    const { budget, dependencies, reads } = this.#options;
    if (!budget.take()) {
      accepted.destroy();
      return;
    }
    const metrics = this.bindOf(this.runtime()).fallback.metrics;
    dependencies.recorder.connectionOpened(metrics);
    const inlet = new Inlet();
    const socket = reads === "plain" ? undefined : rehouse(accepted, inlet);
    this.#serve(socket ?? accepted, inlet, metrics);
    if (socket === undefined) {
      inlet.attachData(accepted);
      accepted.resume();
    }
  }

  #serve(socket: Socket, inlet: Inlet, metrics: number): void {
    const { budget, dependencies } = this.#options;
    const connection = new Http1Server({ socket, inlet, about: describe(socket, "http") }, this);
    inlet.deliverTo(connection);
    this.#open.add(connection);
    socket.on("close", () => {
      this.#open.delete(connection);
      budget.giveBack();
      dependencies.recorder.connectionClosed(metrics);
      connection.onClosed();
    });
  }

  #onAcceptError(error: Error): void {
    this.dependencies.log.error("cannot accept a connection", { error, port: this.port });
  }
}

function describe(socket: Socket, scheme: "http" | "https"): DownstreamConnection {
  const remoteAddress = unmap(socket.remoteAddress ?? "");
  return {
    scheme,
    remoteAddress,
    remote: `${bracket(remoteAddress)}:${socket.remotePort ?? 0}`,
    local: `${bracket(unmap(socket.localAddress ?? ""))}:${socket.localPort ?? 0}`,
  };
}

/** IPv4 that came to a socket for both families. */
function unmap(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function bracket(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
