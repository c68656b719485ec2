/** What becomes of endpoints, in the process log: one line a change, and of very many only how many there were. */
import type { HealthLog } from "./contract.ts";

/** Lines in one window of so many milliseconds. */
const MOST = 50;
const WINDOW = 10_000;

/** A line. */
export type HealthMessage =
  | "endpoint ejected"
  | "endpoint is back after its ejection"
  | "endpoint should be ejected, but too many are"
  | "endpoint is unhealthy: its health check fails"
  | "endpoint is healthy";

/** Bad news are warnings, so that whoever wants no more than those has them; good news end them. */
const LEVELS: Readonly<Record<HealthMessage, "info" | "warn">> = {
  "endpoint ejected": "warn",
  "endpoint is back after its ejection": "info",
  "endpoint should be ejected, but too many are": "warn",
  "endpoint is unhealthy: its health check fails": "warn",
  "endpoint is healthy": "info",
};

/** Lines of one worker. */
export class HealthMessages {
  readonly #log: HealthLog;
  readonly #clock: () => number;
  #windowEnds = Number.NEGATIVE_INFINITY;
  #said = 0;
  #unsaid = 0;

  constructor(log: HealthLog, clock: () => number) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Says it, or counts it. */
  say(message: HealthMessage, fields: Readonly<Record<string, unknown>>): void {
    const now = this.#clock();
    if (now >= this.#windowEnds) this.#begin(now);
    if (this.#said >= MOST) {
      this.#unsaid++;
      return;
    }
    this.#said++;
    this.#log[LEVELS[message]](message, fields);
  }

  #begin(now: number): void {
    const changes = this.#unsaid;
    this.#windowEnds = now + WINDOW;
    this.#said = 0;
    this.#unsaid = 0;
    if (changes > 0) this.#log.warn("more changes of endpoints than the log has room for; see /clusters", { changes });
  }
}
