/**
 * The public face of the data plane for whoever starts it (the CLI, a mesh proxy, a test): options in, a Gateway out.
 * Configuration reaches it only as snapshots; what is wrong with one comes back as problems.
 */
import type { Place } from "../cluster/contract.ts";
import type { Problem } from "@sallyport/model/problem";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { LogFormat, LogLevel } from "../observe/log.ts";
import type { RemoteFacts } from "../observe/metric-source.ts";

/** An address to listen on; port 0 takes a free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where access log lines go and how they look. */
export interface AccessLogOptions {
  /** `off`; `-` is standard output; anything else is the path of a file, appended to. */
  readonly to: string;
  /** A format string with Envoy's operators; absent: one JSON object a line. */
  readonly format?: string;
}

/** How a drain proceeds. Milliseconds. */
export interface DrainOptions {
  /** New connections are still accepted (and answered with Connection: close) this long after /ready fails. */
  readonly minimum: number;
  /** Requests still running this long after the drain began are cut. */
  readonly maximum: number;
}

/** When a worker counts as hung. */
export interface HeartbeatOptions {
  /** Milliseconds between beats, and between looks at them. */
  readonly interval: number;
  /** So many looks in a row without a beat, and the worker is replaced. */
  readonly misses: number;
}

/** What happens as memory runs out. Fractions are of `limit`. */
export interface MemoryOptions {
  /** Bytes of resident memory; 0 turns the guard off. Absent: the memory limit of the container or machine. */
  readonly limit?: number;
  /** From here on answers carry Connection: close. */
  readonly stopKeepAlive: number;
  /** From here on requests are answered 503 (flag OM). */
  readonly shed: number;
}

/** Optional metric labels; a number caps how many names are told apart, 0 turns the label off. */
export interface LabelOptions {
  readonly routes: number;
  readonly clusters: number;
}

/** Everything that is decided when the process starts. Only `workers` and `accessLog` have no default. */
export interface GatewayOptions {
  /** Data-plane threads; 1 runs the data plane in this thread. */
  readonly workers: number;
  /** The admin API; absent: none. */
  readonly admin?: HostPort;
  /** /metrics, /ready, /healthz; absent: none. */
  readonly metrics?: HostPort;
  readonly accessLog: AccessLogOptions;
  readonly log?: { readonly level: LogLevel; readonly format: LogFormat };
  readonly drain?: DrainOptions;
  readonly heartbeat?: HeartbeatOptions;
  readonly memory?: MemoryOptions;
  readonly labels?: LabelOptions;
  /** Where it runs, as place() says it later. */
  readonly place?: Place;
  /** Of the controller that is followed, for metrics and the admin API; absent: none is. */
  readonly remote?: () => RemoteFacts | undefined;
  /** `handle`: SIGTERM and SIGINT drain (a second one closes at once), SIGUSR1 reopens the access log. Default `ignore`. */
  readonly signals?: "handle" | "ignore";
}

/** What became of one snapshot. */
export interface ApplyResult {
  /** False: an error among `problems` kept it out, and what was served before is still served. */
  readonly applied: boolean;
  /** The epoch in force now. */
  readonly epoch: number;
  readonly problems: readonly Problem[];
}

/** A running data plane. */
export interface Gateway {
  /** Makes this the configuration of all workers at one instant. Calls are done in order. */
  apply(snapshot: Snapshot): Promise<ApplyResult>;
  /**
   * Says where the gateway runs, from now on: endpoints that are meant for this zone or node are preferred where all endpoints of their
   * Service say whom they are meant for. "" where that is not known.
   */
  place(place: Place): void;
  /** Bound port by bind key (`address:port` of the listeners' `bind`), where they differ from it only for port 0. */
  ports(): ReadonlyMap<string, number>;
  /** Bound ports of the admin and metrics servers; undefined where there is none. */
  readonly adminPort: number | undefined;
  readonly metricsPort: number | undefined;
  /** Fails /ready, lets clients go, closes; resolves when all is closed. */
  drain(): Promise<void>;
  /** Closes at once; resolves when all is closed. */
  close(): Promise<void>;
  /** Resolves when all is closed, for whatever reason. */
  readonly closed: Promise<void>;
}

/** Why the gateway could not start: an option of the operator's that cannot work. `message` says what and what to do. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}
