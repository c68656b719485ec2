/** What a new connection asks of the port it came to. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { ExchangeDependencies } from "../exchange/dependencies.ts";
import type { CompiledBind } from "../router/contract.ts";
import type { StreamSource } from "../stream/contract.ts";
import type { ByteReader, Inlet } from "../wire/inlet.ts";
import type { TlsTerminator } from "./tls-terminator.ts";

/** A stream without its socket. */
export type StreamPlan = Omit<StreamSource, "socket" | "inlet">;

/** The port. */
export interface ArrivalOwner {
  readonly dependencies: ExchangeDependencies;
  /** Milliseconds for everything before somebody serves the connection. */
  readonly timeLimit: number;
  readonly terminator: TlsTerminator;
  /** This port in the configuration in force. */
  currentBind(): CompiledBind;
  /** Reads requests from an accepted socket; returns who takes what was read already. */
  serveHttp(socket: Socket, inlet: Inlet, about: DownstreamConnection): ByteReader;
  /** Passes on what an accepted socket reads. */
  serveStream(socket: Socket, inlet: Inlet, plan: StreamPlan): void;
  /** The same inside TLS; `raw` is the accepted socket. */
  serveSecureHttp(socket: TLSSocket, raw: Socket, about: DownstreamConnection): void;
  serveSecureStream(socket: TLSSocket, raw: Socket, plan: StreamPlan): void;
}
