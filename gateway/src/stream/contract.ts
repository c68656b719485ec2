/**
 * The seam between listeners and what is passed on as bytes: a listener hands over an accepted connection, in the clear,
 * still encrypted or decrypted, and the stream connects it to an endpoint of its route.
 */
import type { Socket } from "node:net";
import type { DownstreamConnection } from "../exchange/contract.ts";
import type { Recorder } from "../observe/contract.ts";
import type { CompiledListener, CompiledStreamRoute } from "../router/contract.ts";
import type { Clocks } from "../time/ticker.ts";
import type { Inlet } from "../wire/inlet.ts";
import type { WarningLog } from "../wire/upstream-warnings.ts";

/** A connection to pass on. */
export interface StreamSource {
  readonly socket: Socket;
  /** Delivers what the socket reads; paused or not, nothing was delivered to anyone else. */
  readonly inlet: Inlet;
  readonly about: DownstreamConnection;
  readonly listener: CompiledListener;
  readonly route: CompiledStreamRoute | undefined;
  readonly protocol: "TCP" | "TLS";
  /** Of TLS that is passed on as it is. */
  readonly serverName: string | undefined;
  /** Bytes that were read already and go to the upstream first: a ClientHello that was looked at. */
  readonly head: Buffer | undefined;
}

/** Where bugs of ours, and endpoints whose TLS fails, are reported. */
export interface StreamLog extends WarningLog {
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What all streams of a thread stand on. */
export interface StreamDependencies {
  readonly clocks: Clocks;
  readonly recorder: Pick<Recorder, "stream" | "upstreamConnect" | "upstreamClosed">;
  readonly log: StreamLog;
  /** Milliseconds, as performance.now(). */
  now(): number;
}

/** A connection that is passed on. */
export interface StreamConnection {
  /** The downstream socket is closed; called once by whoever opened the stream. */
  onClosed(): void;
}
