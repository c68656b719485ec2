/** What the operator left open. Figures follow Envoy and Kubernetes habits. */
import { totalmem } from "node:os";
import { StartFailure, type DrainOptions, type GatewayOptions, type HeartbeatOptions } from "./contract.ts";
import type { LabelOptions, MemoryOptions } from "./contract.ts";
import type { LogFormat, LogLevel } from "../observe/log.ts";

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly given: GatewayOptions;
  readonly workers: number;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly drain: DrainOptions;
  readonly heartbeat: HeartbeatOptions;
  readonly memory: Required<MemoryOptions>;
  readonly labels: LabelOptions;
}

/** A pod has 30 s from SIGTERM to SIGKILL (terminationGracePeriodSeconds). */
const DRAIN: DrainOptions = { minimum: 5_000, maximum: 30_000 };
const HEARTBEAT: HeartbeatOptions = { interval: 1_000, misses: 5 };
const MAX_WORKERS = 256;

/** Fills in defaults and refuses what cannot work. */
export function resolveOptions(given: GatewayOptions): ResolvedOptions {
  const { workers } = given;
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
    throw new StartFailure(`the number of workers must be between 1 and ${MAX_WORKERS}, not ${workers}`);
  }
  return {
    given,
    workers,
    log: given.log ?? { level: "info", format: process.stderr.isTTY ? "text" : "json" },
    drain: resolveDrain(given.drain ?? DRAIN),
    heartbeat: given.heartbeat ?? HEARTBEAT,
    memory: resolveMemory(given.memory),
    labels: given.labels ?? { routes: 0, clusters: 0 },
  };
}

function resolveDrain(drain: DrainOptions): DrainOptions {
  if (drain.minimum <= drain.maximum) return drain;
  throw new StartFailure(
    `a drain cannot take at least ${drain.minimum} ms and at most ${drain.maximum} ms; lower the minimum or raise the maximum`,
  );
}

function resolveMemory(memory: MemoryOptions | undefined): Required<MemoryOptions> {
  const limit = memory?.limit ?? toMemoryLimit(process.constrainedMemory(), totalmem());
  return { stopKeepAlive: 0.85, shed: 0.95, ...memory, limit };
}

/** The smaller of what the container and the machine have; a container without limit reports 0 or more than there is. */
export function toMemoryLimit(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}
