/**
 * How many retries a cluster bears, so that an endpoint in trouble meets a little more than its usual load and not a multiple of it.
 * Sans-IO: time is an argument. One per cluster and worker.
 */
import { DEFAULT_RETRY_BUDGET, type RetryBudget } from "@sallyport/model/retry";

/** What a cluster knows of its requests, retries included. */
export interface RequestCounts {
  /** On connections or waiting for one, now. */
  readonly active: number;
  /** Ever begun. */
  readonly begun: number;
}

/** A time, and what was counted until then. */
interface Sample {
  readonly at: number;
  readonly begun: number;
}

/** How finely the past is remembered: the oldest of what is in an interval may be missed by this share of it. */
const STEPS = 16;

/** Gives out retries. */
export class RetryAllowance {
  #budget: RetryBudget = DEFAULT_RETRY_BUDGET;
  #active = 0;
  /** Retries ever given out. */
  #given = 0;
  /** Times of those that were given out within the interval, oldest first. */
  #times: number[] = [];
  #samples: Sample[] = [];
  /** Of the minimum rate: tokens there were at `#filledAt`; NaN: all, and none was taken yet. */
  #tokens = 0;
  #filledAt = Number.NaN;

  /** Retries under way. */
  get active(): number {
    return this.#active;
  }

  /** Takes over what is configured, now that so many requests had begun. Retries under way go on, and count. */
  update(budget: RetryBudget | undefined, now: number, begun: number): void {
    const wanted = budget ?? DEFAULT_RETRY_BUDGET;
    if (JSON.stringify(wanted) === JSON.stringify(this.#budget)) return;
    this.#budget = wanted;
    this.#times = [];
    this.#samples = [{ at: now, begun: begun - this.#given }];
    this.#tokens = wanted.kind === "rate" ? wanted.minimum : 0;
    this.#filledAt = Number.NaN;
  }

  /** Remembers how many requests there were by now. Call about once a second: what is taken looks back. */
  note(now: number, begun: number): void {
    const budget = this.#budget;
    if (budget.kind !== "rate") return;
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < budget.interval / STEPS) return;
    this.#samples.push({ at: now, begun: begun - this.#given });
    // the oldest that is left is where the interval begins: rather a little too late than too early
    while (this.#samples.length > 1 && (this.#samples[0]?.at ?? now) <= now - budget.interval) this.#samples.shift();
  }

  /** Whether one more retry may be made; if so it is counted until giveBack(). */
  take(now: number, counts: RequestCounts): boolean {
    if (!(this.#budget.kind === "rate" ? this.#takeOfRate(this.#budget, now, counts) : this.#mayBegin(counts))) {
      return false;
    }
    this.#active++;
    this.#given++;
    return true;
  }

  /** A retry is over. */
  giveBack(): void {
    this.#active--;
  }

  #mayBegin({ active }: RequestCounts): boolean {
    const { percent, minimum } = this.#budget;
    return this.#active < Math.max(minimum, Math.floor((active * percent) / 100));
  }

  #takeOfRate(budget: RetryBudget & { kind: "rate" }, now: number, { begun }: RequestCounts): boolean {
    this.note(now, begun);
    while (this.#times.length > 0 && (this.#times[0] ?? now) <= now - budget.interval) this.#times.shift();
    const requests = begun - this.#given - (this.#samples[0]?.begun ?? 0);
    if (this.#times.length < Math.floor((requests * budget.percent) / 100)) {
      this.#times.push(now);
      return true;
    }
    return this.#takeToken(budget, now);
  }

  /** The minimum rate is a bucket that is full after one of its intervals. */
  #takeToken({ minimum, minimumInterval }: RetryBudget & { kind: "rate" }, now: number): boolean {
    const since = Number.isNaN(this.#filledAt) ? 0 : now - this.#filledAt;
    const filled = minimumInterval === 0 ? minimum : (since * minimum) / minimumInterval;
    this.#tokens = Math.min(minimum, this.#tokens + filled);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
