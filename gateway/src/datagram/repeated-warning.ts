/** A warning that is said once in a while, with how often it would have been said. */
import { QuietPeriod } from "../time/quiet-period.ts";
import type { DatagramDependencies } from "./session.ts";

/** One warning. */
export class RepeatedWarning {
  readonly #message: string;
  readonly #dependencies: Pick<DatagramDependencies, "log" | "now">;
  readonly #quiet = new QuietPeriod();

  constructor(message: string, dependencies: Pick<DatagramDependencies, "log" | "now">) {
    this.#message = message;
    this.#dependencies = dependencies;
  }

  /** Says it, or counts it. `before`: how often it was counted since it was said last. */
  note(fields: Readonly<Record<string, unknown>>): void {
    const { log } = this.#dependencies;
    const times = this.#quiet.note(this.#dependencies.now());
    if (times > 0) log.warn(this.#message, { ...fields, before: times - 1 });
  }
}
