/**
 * Connections that could not be accepted: the budget is used up, or the system refuses (no descriptor, no memory). It is
 * said once in a while, not once per connection.
 *
 * The budget exists so that descriptors never run out here: where they do, libuv accepts and closes what waits without a
 * word (it keeps a spare descriptor for that), so neither a busy loop nor an error comes of it.
 */
import type { BugLog } from "../exchange/dependencies.ts";

/** Milliseconds between two messages. */
const QUIET = 10_000;

/** Notes errors of one port. */
export class AcceptErrors {
  readonly #dependencies: { readonly log: BugLog; now(): number };
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(dependencies: { readonly log: BugLog; now(): number }) {
    this.#dependencies = dependencies;
  }

  /** Says it, or counts it. */
  note(error: Error, port: number): void {
    const now = this.#dependencies.now();
    if (now - this.#saidAt < QUIET) {
      this.#unsaid++;
      return;
    }
    this.#dependencies.log.error("cannot accept a connection", { error: error.message, port, before: this.#unsaid });
    this.#saidAt = now;
    this.#unsaid = 0;
  }
}
