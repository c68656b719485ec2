/** `sallyport run DIR`: serves the objects below DIR and follows their changes. Config flows one way: watcher -> gateway. */
import { formatProblem, type Problem } from "@sallyport/model/problem";
import { type Gateway, type GatewayOptions, StartFailure } from "@sallyport/gateway/contract";
import { returnSpareMemory } from "@sallyport/gateway/spare-memory";
import { startGateway } from "@sallyport/gateway/supervisor";
import { Log, openLevel, parseLogLevel, type LogFormat, type LogLevel } from "@sallyport/gateway/log";
import { type Configuration, followConfiguration } from "../configuration.ts";
import type { HostPort } from "../options.ts";

const MS = 1000;
/** How many names an opt-in metric label tells apart; see docs/metrics.md. */
const LABEL_CAP = 200;

/** Options of `sallyport run`, as main.ts parsed them. */
export interface RunOptions {
  readonly workers: number;
  readonly admin: HostPort;
  readonly metrics: HostPort;
  readonly portMap: ReadonlyMap<number, number>;
  readonly bind: string;
  readonly trustedHops: number;
  readonly accessLog: string;
  readonly accessLogFormat: string;
  readonly metricsLabels: string;
  readonly minDrain: number;
  readonly maxDrain: number;
  readonly logLevel: string;
}

/** Runs until drained. Sets the exit code: 0 after a drain, 1 where it could not start. */
export async function run(dir: string, options: RunOptions): Promise<void> {
  const level = parseLogLevel(options.logLevel);
  if (level === undefined)
    return refuse(`--log-level wants debug, info, warn, error or off, not ${JSON.stringify(options.logLevel)}`);
  const format: LogFormat = process.stderr.isTTY ? "text" : "json";
  const log = new Log({
    format,
    sink: (line) => process.stderr.write(`${line}\n`),
    level: openLevel(level),
    now: Date.now,
  });
  try {
    await serve(dir, options, { log, level, format });
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    refuse(error.message);
  }
}

interface Logging {
  readonly log: Log;
  readonly level: LogLevel;
  readonly format: LogFormat;
}

async function serve(dir: string, options: RunOptions, logging: Logging): Promise<void> {
  const { log } = logging;
  const gateway = await startGateway(toGatewayOptions(options, logging));
  const { isServed, stop } = await follow(dir, options, { gateway, log });
  if (isServed) {
    log.info("serving", { directory: dir, workers: options.workers, ports: [...gateway.ports().keys()] });
    await gateway.closed;
  } else {
    refuse("nothing is served: the configuration has errors, see above");
    await gateway.close();
  }
  await stop();
}

/**
 * Has the directory served as it is, and every later change of it. The first configuration is not kept: with ten thousand
 * routes its statuses take 6 MB.
 */
async function follow(
  dir: string,
  { portMap, bind, trustedHops }: RunOptions,
  { gateway, log }: { readonly gateway: Gateway; readonly log: Log },
): Promise<{ readonly isServed: boolean; readonly stop: () => Promise<void> }> {
  const { first, close } = await followConfiguration(
    dir,
    { portMap, bindAddress: bind, trustedHops },
    (configuration) => applyChange(gateway, configuration, log),
  );
  // Before a port is open: nobody waits for it.
  returnSpareMemory();
  return { isServed: await applyChange(gateway, first, log), stop: close };
}

/** True if the configuration is in force now. Prints every problem; on an error what was served before goes on. */
async function applyChange(gateway: Gateway, configuration: Configuration, log: Log): Promise<boolean> {
  const { translation, problems } = configuration;
  report(problems, log);
  if (translation === undefined) {
    log.error("configuration refused, the last good one stays", { files: configuration.changed });
    return false;
  }
  const result = await gateway.apply(translation.snapshot);
  report(result.problems, log);
  if (result.applied) log.info("configuration applied", { epoch: result.epoch, files: configuration.changed });
  else log.error("configuration refused, the last good one stays", { files: configuration.changed });
  return result.applied;
}

function report(problems: readonly Problem[], log: Log): void {
  for (const problem of problems) {
    if (problem.severity === "error") log.error(formatProblem(problem));
    else log.warn(formatProblem(problem));
  }
}

function toGatewayOptions(options: RunOptions, logging: Logging): GatewayOptions {
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

function refuse(message: string): void {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = 1;
}
