/** The retries of a cluster, against its limit, its budget and its requests. */
import type { RetryBudget } from "@sallyport/model/retry";
import { RetryAllowance, type RequestCounts } from "../retry/budget.ts";
import type { ClusterBreaker } from "./breaker.ts";
import type { RetryGate } from "./contract.ts";

/** Counts the retries of one cluster. */
export class ClusterRetries implements RetryGate {
  /** Requests ever begun, retries included. Plain and public: it is counted for each request. */
  begun = 0;
  readonly #allowance = new RetryAllowance();
  readonly #now: () => number;
  readonly #active: () => number;
  readonly #breaker: Pick<ClusterBreaker, "beginRetry" | "endRetry">;
  readonly #isBudgeted = (): boolean => {
    const counts: RequestCounts = { active: this.#active(), begun: this.begun };
    return this.#allowance.take(this.#now(), counts);
  };

  /** `active`: requests on connections or waiting for one; asked only where a retry is. */
  constructor(now: () => number, active: () => number, breaker: Pick<ClusterBreaker, "beginRetry" | "endRetry">) {
    this.#now = now;
    this.#active = active;
    this.#breaker = breaker;
  }

  /** Retries under way. */
  get active(): number {
    return this.#allowance.active;
  }

  begin(): boolean {
    return this.#breaker.beginRetry(this.#isBudgeted);
  }

  end(): void {
    this.#allowance.giveBack();
    this.#breaker.endRetry();
  }

  repeat(): void {
    this.begun--;
  }

  /** Takes over what is configured. */
  update(budget: RetryBudget | undefined): void {
    this.#allowance.update(budget, this.#now(), this.begun);
  }

  /** Looks at the clock: call about once a second. */
  sweep(): void {
    this.#allowance.note(this.#now(), this.begun);
  }
}
