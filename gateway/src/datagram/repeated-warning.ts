/** A warning that is said once in a while, with how often it would have been said. */
import type { DatagramDependencies } from "./session.ts";

/** Milliseconds between two messages. */
const QUIET = 10_000;

/** One warning. */
export class RepeatedWarning {
  readonly #message: string;
  readonly #dependencies: Pick<DatagramDependencies, "log" | "now">;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(message: string, dependencies: Pick<DatagramDependencies, "log" | "now">) {
    this.#message = message;
    this.#dependencies = dependencies;
  }

  /** Says it, or counts it. `before`: how often it was counted since it was said last. */
  note(fields: Readonly<Record<string, unknown>>): void {
    const now = this.#dependencies.now();
    if (now - this.#saidAt < QUIET) {
      this.#unsaid++;
      return;
    }
    this.#dependencies.log.warn(this.#message, { ...fields, before: this.#unsaid });
    this.#saidAt = now;
    this.#unsaid = 0;
  }
}
