/** The only worker of a process with one isolate: the engine runs in the supervisor's thread. */
import type { Place } from "../cluster/contract.ts";
import { IsolateDataPlane, type DataPlaneOptions } from "../data-plane.ts";
import { Engine, type Change, type EngineState, type Preparation } from "../engine.ts";
import type { Member } from "./member.ts";

/** Opens the data plane of this thread. */
export function openLocalMember(options: DataPlaneOptions): Member {
  const plane = new IsolateDataPlane(options);
  return new LocalMember(new Engine(plane, options.memory.control), plane);
}

/** Calls the engine directly. */
class LocalMember implements Member {
  readonly #engine: Engine;
  readonly #plane: IsolateDataPlane;

  constructor(engine: Engine, plane: IsolateDataPlane) {
    this.#engine = engine;
    this.#plane = plane;
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

  retire(): Promise<void> {
    return this.#engine.retire();
  }

  moveTo(place: Place): Promise<void> {
    this.#plane.moveTo(place);
    return Promise.resolve();
  }

  reopenLog(): Promise<void> {
    this.#plane.reopenLog();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
