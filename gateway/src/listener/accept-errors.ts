/**
 * Connections that could not be accepted: the budget is used up, or the system refuses (no descriptor, no memory). It is
 * said once in a while, not once per connection. What the configuration of a port forbids is no error: port-connections.ts.
 *
 * The budget exists so that descriptors never run out here: where they do, libuv accepts and closes what waits without a
 * word (it keeps a spare descriptor for that), so neither a busy loop nor an error comes of it.
 */
import type { BugLog } from "../exchange/dependencies.ts";
import { QuietPeriod } from "../time/quiet-period.ts";

/** Notes errors of one port. */
export class AcceptErrors {
  readonly #dependencies: { readonly log: BugLog; now(): number };
  readonly #quiet = new QuietPeriod();

  constructor(dependencies: { readonly log: BugLog; now(): number }) {
    this.#dependencies = dependencies;
  }

  /** Says it, or counts it. */
  note(error: Error, port: number): void {
    const { log } = this.#dependencies;
    const times = this.#quiet.note(this.#dependencies.now());
    if (times > 0) log.error("cannot accept a connection", { error: error.message, port, before: times - 1 });
  }
}
