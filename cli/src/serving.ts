/** What commands that serve traffic have in common: options, the process log, and how they say that they cannot start. */
import { type GatewayOptions, StartFailure } from "@sallyport/gateway/contract";
import { Log, openLevel, parseLogLevel, type LogFormat, type LogLevel } from "@sallyport/gateway/log";
import type { HostPort } from "./options.ts";

const MS = 1000;
/** How many names an opt-in metric label tells apart; see docs/metrics.md. */
const LABEL_CAP = 200;

/** Options of every command that serves, as main.ts parsed them. Drains are in seconds. */
export interface ServingOptions {
  readonly workers: number;
  readonly admin: HostPort;
  readonly metrics: HostPort;
  readonly accessLog: string;
  readonly accessLogFormat: string;
  readonly metricsLabels: string;
  readonly minDrain: number;
  readonly maxDrain: number;
  readonly logLevel: string;
}

/** The process log, and what it was made of. */
export interface Logging {
  readonly log: Log;
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** Opens the log and serves; an option that cannot work becomes one line and exit code 1. */
export async function serveWith(
  { logLevel }: ServingOptions,
  serve: (logging: Logging) => Promise<void>,
): Promise<void> {
  const level = parseLogLevel(logLevel);
  if (level === undefined)
    return refuse(`--log-level wants debug, info, warn, error or off, not ${JSON.stringify(logLevel)}`);
  const format: LogFormat = process.stderr.isTTY ? "text" : "json";
  const sink = (line: string): void => void process.stderr.write(`${line}\n`);
  const log = new Log({ format, sink, level: openLevel(level), now: Date.now });
  try {
    await serve({ log, level, format });
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    refuse(error.message);
  }
}

/** What the gateway is started with. */
export function toGatewayOptions(options: ServingOptions, logging: Logging): GatewayOptions {
  const labels = options.metricsLabels.split(",").map((label) => label.trim());
  return {
    workers: options.workers,
    admin: options.admin,
    metrics: options.metrics,
    accessLog: {
      to: options.accessLog,
      ...(options.accessLogFormat === "json" ? {} : { format: options.accessLogFormat }),
    },
    log: { level: logging.level, format: logging.format },
    drain: { minimum: options.minDrain * MS, maximum: options.maxDrain * MS },
    labels: { routes: labels.includes("route") ? LABEL_CAP : 0, clusters: labels.includes("cluster") ? LABEL_CAP : 0 },
    signals: "handle",
  };
}

/** Says why the command cannot go on; it ends with exit code 1. */
export function refuse(message: string): void {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = 1;
}
