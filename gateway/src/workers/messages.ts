/** What supervisor and worker threads say to each other. Both ends are ours and of one version, so nothing is decoded. */
import type { Place } from "../cluster/contract.ts";
import type { Change, EngineState, Preparation } from "../engine.ts";
import type { AccessOutput } from "../observe/access-log.ts";
import type { LogFormat } from "../observe/log.ts";
import type { LabelOptions } from "./contract.ts";
import type { MemorySetup } from "./memory.ts";

/** What a worker needs to begin; handed over as workerData. */
export interface WorkerSetup {
  /** Number of the worker: its stripe everywhere in shared memory. */
  readonly worker: number;
  readonly memory: MemorySetup;
  /** Absent: no access log. */
  readonly accessLog?: AccessOutput;
  readonly logFormat: LogFormat;
  readonly labels: LabelOptions;
  /** Milliseconds between heartbeats. */
  readonly beat: number;
}

/** A request of the supervisor. Each is answered by a message with its `id`, in order. */
export type WorkerRequest =
  | { readonly kind: "prepare"; readonly change: Change }
  | { readonly kind: "settle"; readonly outcome: "activate" | "discard" }
  | { readonly kind: "inspect" }
  | { readonly kind: "retire" }
  | { readonly kind: "move"; readonly place: Place }
  | { readonly kind: "reopen-log" }
  | { readonly kind: "close" }
  /** Test hook: never turns its loop again. */
  | { readonly kind: "hang" };

/** A request with its number. */
export interface ToWorker {
  readonly id: number;
  readonly request: WorkerRequest;
}

/** What answers each kind of request. */
export interface WorkerAnswers {
  readonly prepare: Preparation;
  readonly settle: undefined;
  readonly inspect: EngineState;
  readonly retire: undefined;
  readonly move: undefined;
  readonly "reopen-log": undefined;
  readonly close: undefined;
  readonly hang: undefined;
}

/** What a worker says. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: Error };
