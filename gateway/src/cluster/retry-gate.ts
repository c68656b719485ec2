/** The retries of a cluster, against its budget and its requests. */
import type { RetryBudget } from "@sallyport/model/retry";
import { RetryAllowance, type RequestCounts } from "../retry/budget.ts";
import type { RetryGate } from "./contract.ts";

/** Counts the retries of one cluster. */
export class ClusterRetries implements RetryGate {
  /** Requests ever begun, retries included. Plain and public: it is counted for each request. */
  begun = 0;
  readonly #allowance = new RetryAllowance();
  readonly #now: () => number;
  readonly #active: () => number;

  /** `active`: requests on connections or waiting for one; asked only where a retry is. */
  constructor(now: () => number, active: () => number) {
    this.#now = now;
    this.#active = active;
  }

  /** Retries under way. */
  get active(): number {
    return this.#allowance.active;
  }

  begin(): boolean {
    const { begun } = this;
    const counts: RequestCounts = { active: this.#active(), begun };
    return this.#allowance.take(this.#now(), counts);
  }

  end(): void {
    this.#allowance.giveBack();
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
