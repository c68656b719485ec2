/** Terminates the TLS of one port: hands connections whose ClientHello was read to the right server, a few in each turn. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { BugLog } from "../exchange/dependencies.ts";
import type { TlsTermination } from "../router/contract.ts";
import { describeEnds } from "./ends.ts";
import type { SessionKeys } from "./session-keys.ts";
import { TlsServers } from "./tls-servers.ts";
import type { TurnBudget, Waiting } from "./turn-budget.ts";

/** Servers kept by one port. */
const SERVERS = 512;

/** A connection that wants to be terminated. */
export interface Terminating {
  readonly socket: Socket;
  /** The socket is closed, or about to be. */
  readonly closed: boolean;
  /** `peer local` of the socket. */
  readonly pair: string;
  readonly termination: TlsTermination;
  /** Everything that was read: given back to the socket for the server to read. */
  readonly head: Buffer;
  /** The handshake is done; the socket is a different one. */
  onSecure(socket: TLSSocket): void;
}

/** What terminating takes. */
export interface TlsTerminatorOptions {
  readonly sessionKeys: SessionKeys | undefined;
  /** Shared by all ports of a thread. */
  readonly budget: TurnBudget;
  readonly log: BugLog;
  now(): number;
}

/** Terminates TLS. */
export class TlsTerminator {
  readonly #servers: TlsServers;
  readonly #budget: TurnBudget;
  /**
   * Handshakes under way by the ends of their socket. Node's server does not say which of the sockets it was given a secure one
   * is made of, but at any time there is only one between two ends.
   */
  readonly #underway = new Map<string, Terminating>();

  constructor(options: TlsTerminatorOptions) {
    this.#budget = options.budget;
    this.#servers = new TlsServers({ ...options, capacity: SERVERS, onSecure: (socket) => this.#onSecure(socket) });
  }

  /** Begins a handshake, now or in a later turn. */
  terminate(connection: Terminating): void {
    const work: Waiting = {
      get abandoned() {
        return connection.closed;
      },
      run: () => this.#begin(connection),
    };
    this.#budget.run(work);
  }

  /** The socket is closed; a no-op where its handshake is over. */
  forget(connection: Terminating): void {
    if (this.#underway.get(connection.pair) === connection) this.#underway.delete(connection.pair);
  }

  #begin(connection: Terminating): void {
    const { socket, termination, head, pair } = connection;
    const server = this.#servers.of(termination);
    if (server === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#underway.set(pair, connection);
    // where it was read by the event: what is given back must wait for the server
    socket.removeAllListeners("data");
    socket.pause();
    socket.unshift(head);
    // the server's socket takes this over: a client that ends in the middle of its handshake is done with
    socket.allowHalfOpen = false;
    server.emit("connection", socket);
  }

  #onSecure(socket: TLSSocket): void {
    const { peer, local } = describeEnds(socket);
    const pair = `${peer} ${local}`;
    const connection = this.#underway.get(pair);
    this.#underway.delete(pair);
    // the client is gone again: there is nothing to ask about it any more
    if (connection === undefined || connection.closed) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    connection.socket.allowHalfOpen = true;
    connection.onSecure(socket);
  }
}
