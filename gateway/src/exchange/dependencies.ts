/** What the exchanges of one thread stand on. */
import type { RequestIds } from "../head/request-id.ts";
import type { Recorder } from "../observe/contract.ts";
import type { KeptBodies } from "../retry/kept-bodies.ts";
import type { Clocks } from "../time/ticker.ts";
import type { SocketWays } from "../wire/outlet.ts";
import type { WarningLog } from "../wire/upstream-warnings.ts";
import type { Exchange } from "./exchange.ts";

/** How hard-pressed the process is; looked at for each request. */
export interface Pressure {
  /** Answers carry Connection: close. */
  readonly stopKeepAlive: boolean;
  /** Requests are answered 503 (flag OM). */
  readonly shed: boolean;
  /** The process is on its way out, and says so to those who ask whether it is well. */
  readonly draining: boolean;
}

/** Where bugs are reported: one line with the stack. */
export interface BugLog {
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Shared by all exchanges of a thread. */
export interface ExchangeDependencies {
  readonly recorder: Recorder;
  readonly ids: RequestIds;
  readonly clocks: Clocks;
  readonly log: BugLog & WarningLog;
  readonly pressure: Pressure;
  /** Milliseconds, as performance.now(). */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Room for bodies that are kept whole, or may have to be sent once more. */
  readonly kept: KeptBodies;
  /** Exchanges that are idle. */
  readonly pool: Exchange[];
}

/** What connections to endpoints stand on, whatever they speak; one per thread. */
export interface UpstreamDependencies extends Pick<ExchangeDependencies, "clocks" | "log"> {
  readonly recorder: Pick<Recorder, "upstreamConnect" | "upstreamClosed">;
  /** Default `tuned`. */
  readonly sockets?: SocketWays;
}
