/** A worker thread from the supervisor's side: starts it, asks it, notices its end. */
import { clearTimeout, setTimeout } from "node:timers";
import { Worker } from "node:worker_threads";
import type { Place } from "../cluster/contract.ts";
import type { Change, EngineState, Preparation } from "../engine.ts";
import { MemberGone, type Member } from "./member.ts";
import type { FromWorker, ToWorker, WorkerAnswers, WorkerRequest, WorkerSetup } from "./messages.ts";

/** Milliseconds a thread may take to close before it is terminated. */
const CLOSE_PATIENCE = 3_000;

/** What the supervisor is told. */
export interface ThreadEvents {
  /** A line for the process log. */
  log(line: string): void;
  /** The thread has ended and writes no more; `reason` is for people. Called exactly once. */
  ended(reason: string): void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A running thread. */
export class ThreadMember implements Member {
  readonly #thread: Worker;
  readonly #events: ThreadEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ready = Promise.withResolvers<void>();
  #next = 1;
  #ended = false;
  #reason = "";

  constructor(setup: WorkerSetup, events: ThreadEvents) {
    this.#events = events;
    this.#thread = new Worker(toWorkerFile(import.meta.url), { workerData: setup, name: `worker-${setup.worker}` });
    this.#thread.on("message", (message: FromWorker) => this.#onMessage(message));
    this.#thread.on("error", (error) => {
      this.#reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    this.#thread.on("exit", (code) => this.#onExit(code));
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves when its modules are loaded and it answers; rejects where it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  prepare(change: Change): Promise<Preparation> {
    return this.#ask({ kind: "prepare", change });
  }

  settle(outcome: "activate" | "discard"): Promise<void> {
    return this.#ask({ kind: "settle", outcome });
  }

  inspect(): Promise<EngineState> {
    return this.#ask({ kind: "inspect" });
  }

  retire(): Promise<void> {
    return this.#ask({ kind: "retire" });
  }

  moveTo(place: Place): Promise<void> {
    return this.#ask({ kind: "move", place });
  }

  reopenLog(): Promise<void> {
    return this.#ask({ kind: "reopen-log" });
  }

  async close(): Promise<void> {
    const patience = setTimeout(() => void this.#thread.terminate(), CLOSE_PATIENCE);
    // It may be hung or gone already.
    await this.#ask({ kind: "close" }).catch(() => undefined);
    clearTimeout(patience);
    await this.#thread.terminate();
  }

  /** Ends the thread where it stands. `why` is for people. */
  terminate(why: string): void {
    this.#reason ||= why;
    void this.#thread.terminate();
  }

  /** Test hook: the thread never turns its loop again. */
  hang(): void {
    void this.#ask({ kind: "hang" }).catch(() => undefined);
  }

  #ask<K extends WorkerRequest["kind"]>(request: WorkerRequest & { kind: K }): Promise<WorkerAnswers[K]> {
    if (this.#ended) return Promise.reject(new MemberGone(this.#reason));
    const id = this.#next++;
    const message: ToWorker = { id, request };
    this.#thread.postMessage(message);
    return new Promise((resolve, reject) => {
      // The message types tie an answer to the kind of its request.
      // oxlint-disable-next-line no-unsafe-type-assertion
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as WorkerAnswers[K]), reject });
    });
  }

  #onMessage(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        return this.#ready.resolve();
      case "log":
        return this.#events.log(message.line);
      case "answer":
        this.#take(message.id)?.resolve(message.answer);
        return undefined;
      case "failed":
        this.#take(message.id)?.reject(message.error);
        return undefined;
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #onExit(code: number): void {
    this.#ended = true;
    this.#reason ||= `exit code ${code}`;
    const gone = new MemberGone(this.#reason);
    this.#ready.reject(gone);
    for (const waiting of this.#waiting.values()) waiting.reject(gone);
    this.#waiting.clear();
    this.#events.ended(this.#reason);
  }
}

/** Beside this module when it runs from source, beside the bundle when it is part of one. */
function toWorkerFile(here: string): URL {
  return new URL(here.endsWith(".ts") ? "./worker.ts" : "./worker.mjs", here);
}
