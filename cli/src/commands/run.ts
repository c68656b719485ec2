/** `sallyport run DIR`: serves the objects below DIR and follows their changes. Config flows one way: watcher -> gateway. */
import { formatProblem, type Problem } from "@sallyport/model/problem";
import type { Gateway, GatewayOptions } from "@sallyport/gateway/contract";
import { returnSpareMemory } from "@sallyport/gateway/spare-memory";
import { startGateway } from "@sallyport/gateway/supervisor";
import type { Log } from "@sallyport/gateway/log";
import { type Configuration, followConfiguration } from "../configuration.ts";
import { type Logging, refuse, serveWith, type ServingOptions, toGatewayOptions } from "../serving.ts";

/** Options of `sallyport run`, as main.ts parsed them. */
export interface RunOptions extends ServingOptions {
  readonly portMap: ReadonlyMap<number, number>;
  readonly bind: string;
  readonly trustedHops: number;
  /** Where the gateway runs; "" where the operator does not say. */
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
  readonly label: ReadonlyMap<string, string>;
}

/** Runs until drained. Sets the exit code: 0 after a drain, 1 where it could not start. */
export async function run(dir: string, options: RunOptions): Promise<void> {
  await serveWith(options, (logging) => serve(dir, options, logging));
}

async function serve(dir: string, options: RunOptions, logging: Logging): Promise<void> {
  const { log } = logging;
  const gateway = await startGateway({
    ...toGatewayOptions(options, logging),
    place: toPlace(options),
  });
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

/** Endpoints of a file that say their zone alone are in no other region, as far as anybody knows. */
function toPlace({ region, zone, subzone, label }: RunOptions): NonNullable<GatewayOptions["place"]> {
  return { region, zone, subzone, node: "", labels: Object.fromEntries(label), regions: new Map() };
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
