/** What a client connection is made of, and what the connections of one bound port share. */
import type { Socket } from "node:net";
import type { DownstreamConnection } from "./contract.ts";
import type { ExchangeDependencies } from "./dependencies.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import type { Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";

/** A client connection as the listener made it. */
export interface AcceptedSocket {
  readonly socket: Socket;
  /** Delivers what the socket reads. */
  readonly inlet: Inlet;
  readonly about: DownstreamConnection;
  /** How it is written. */
  readonly ways: SocketWays;
}

/** The listener's side of a connection. */
export interface ServerPort {
  readonly dependencies: ExchangeDependencies;
  /** Connections are being let go: answers carry Connection: close. */
  readonly draining: boolean;
  /** Looked up for each request. */
  runtime(): Runtime;
  /** This port in a runtime; the one before where a runtime does not know it. */
  bindOf(runtime: Runtime): CompiledBind;
}
