/** The only worker of a process with one isolate: the engine runs in the supervisor's thread. */
import type { Change, Engine, EngineState, Preparation } from "../engine.ts";
import type { Member } from "./member.ts";

/** Calls the engine directly. */
export class LocalMember implements Member {
  readonly #engine: Engine;
  readonly #reopenLog: () => void;

  constructor(engine: Engine, reopenLog: () => void) {
    this.#engine = engine;
    this.#reopenLog = reopenLog;
  }

  prepare(change: Change): Promise<Preparation> {
    return this.#engine.prepare(change);
  }

  settle(outcome: "activate" | "discard"): Promise<void> {
    this.#engine.settle(outcome);
    return Promise.resolve();
  }

  inspect(): Promise<EngineState> {
    return Promise.resolve(this.#engine.inspect());
  }

  drain(): Promise<void> {
    return this.#engine.drain();
  }

  reopenLog(): Promise<void> {
    this.#reopenLog();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
