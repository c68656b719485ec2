/** The seam between the health of endpoints and what it stands on: shared words, checks that do I/O, and who is told. */
import type { Cluster, Http2ClientOptions } from "@sallyport/model/cluster";
import type { HealthProbe } from "@sallyport/model/traffic";
import type { HealthTable } from "../../observe/health-words.ts";
import type { UpstreamTlsSettings } from "../contract.ts";

/** What is asked, of whom and how. */
export interface ProbeOptions {
  /** Key of the cluster, for logs. */
  readonly cluster: string;
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  readonly probe: HealthProbe;
  readonly tls: UpstreamTlsSettings | undefined;
  readonly protocol: Cluster["protocol"];
  readonly http2: Http2ClientOptions;
  readonly proxyProtocol: Cluster["proxyProtocol"];
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/** How a check ended. `detail` is for people, and says nothing secret. */
export interface ProbeResult {
  readonly outcome: "passed" | "failed" | "timed-out";
  readonly detail: string;
}

/** Begins a check. `done` is called once, later than this returns; the function returned gives the check up. */
export type OpenProbe = (options: ProbeOptions, done: (result: ProbeResult) => void) => () => void;

/** Where operators read what becomes of endpoints. */
export interface HealthLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What the health of endpoints stands on. */
export interface HealthOptions {
  /** Number of the worker. */
  readonly worker: number;
  readonly shared: Pick<HealthTable, "words" | "changes" | "noteChange" | "count" | "exclusively">;
  /** Milliseconds, monotonic, the same in all workers of the process. */
  readonly clock: () => number;
  readonly probe: OpenProbe;
  readonly log: HealthLog;
}
