/** What the admin API shows and does; the supervisor provides it. */
import type { Snapshot } from "@sallyport/model/snapshot";
import type { EngineState } from "../engine.ts";
import type { Exposition } from "../observe/exposition.ts";
import type { LogLevel } from "../observe/log.ts";
import type { MetricSource } from "../observe/metric-source.ts";

/** A worker and, where it answered in time, what it told of itself. */
export interface WorkerView {
  readonly worker: number;
  readonly state: string;
  readonly engine?: EngineState;
}

/** For tests of what happens when a worker fails. False: there is no such worker. */
export interface TestHooks {
  terminate(worker: number): boolean;
  hang(worker: number): boolean;
}

/** The gateway as operators see it. */
export interface AdminSource {
  readonly metrics: MetricSource;
  readonly snapshot: () => Snapshot;
  readonly stage: () => string;
  readonly workers: () => Promise<readonly WorkerView[]>;
  readonly exposition: () => Promise<Exposition>;
  readonly logLevel: () => LogLevel;
  readonly setLogLevel: (level: LogLevel) => void;
  readonly drain: () => void;
  readonly hooks: TestHooks | undefined;
}
