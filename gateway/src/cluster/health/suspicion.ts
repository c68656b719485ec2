/**
 * Endpoints to which no connection could be made are given no requests for a moment, as far as there are others: in this worker, without
 * any configuration, and never so that a request meets nobody. It is what is left of a node that has just died: until somebody tells us,
 * each request that went there would wait for its connect timeout.
 *
 * The moment is as long as it took to fail, and then one request finds out whether it is over; so whatever the connect timeout is, few
 * requests wait for it.
 */
import type { FaultReason } from "@sallyport/model/fault";

/** Milliseconds of the shortest and the longest moment. */
const SHORTEST = 300;
const LONGEST = 10_000;

/** Of one endpoint. */
export class Suspicion {
  /** Others are better. Plain and public: it is looked at for each request. */
  isOpen = false;
  #until = 0;
  #moment = SHORTEST;

  /** A connection that was begun then did not come up. Times in milliseconds. */
  note(failure: FaultReason | undefined, begun: number, now: number): void {
    if (failure !== "connect-failure" && failure !== "connect-timeout" && failure !== "upstream-tls-failure") return;
    this.isOpen = true;
    this.#moment = Math.min(Math.max(now - begun, SHORTEST), LONGEST);
    this.#until = now + this.#moment;
  }

  /** Whether this request is the one to find out; it is nobody else's until another moment has passed. */
  probe(now: number): boolean {
    if (now < this.#until) return false;
    this.#until = now + this.#moment;
    return true;
  }

  /** A connection came up, or an answer came. */
  clear(): void {
    this.isOpen = false;
  }
}
