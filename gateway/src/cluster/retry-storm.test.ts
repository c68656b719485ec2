/**
 * A backend of which half the answers are failures, so that all retries would be more than it bears, behind three workers whose routes retry four times: budgets and limits
 * see to it that it meets a little more than its load, that lines stay bounded, and that every request ends once.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { DEFAULT_BACKOFF, type RetryBudget } from "@sallyport/model/retry";
import type { Limits } from "@sallyport/model/traffic";
import { seeded } from "@sallyport/testkit/random";
import { type ClusterSetUp, FakeRequest, setUpCrew } from "../../test/cluster/fakes.ts";
import { toBackoff } from "../retry/policy.ts";

const WORKERS = 3;
const LIMITS = { connections: 30, pending: 12, requests: 30 };
const RETRIES = 9;
/** Milliseconds an answer takes. Thirty connections bear 1.5 requests a millisecond; one comes, and with all its retries it would be two. */
const SERVICE = 20;
const MILLISECONDS = 6_000;
const ATTEMPTS = 4;

const BUDGETS: Readonly<Record<string, RetryBudget>> = {
  concurrent: { kind: "concurrent", percent: 20, minimum: 0 },
  rate: { kind: "rate", percent: 20, interval: 1000, minimum: 0, minimumInterval: 1000 },
  none: { kind: "concurrent", percent: 100, minimum: 1000 },
};

class Storm {
  readonly #random: () => number;
  readonly #crew: readonly ClusterSetUp[];
  readonly #limits: Limits;
  readonly #due = new Map<number, (() => void)[]>();
  readonly #waiting = new Map<FakeRequest, () => void>();
  #now = 0;
  requests = 0;
  ended = 0;
  tries = 0;
  retries = 0;

  constructor(retryBudget: RetryBudget, seed: number, limits: Limits = LIMITS) {
    this.#random = seeded(seed);
    this.#limits = limits;
    this.#crew = setUpCrew(WORKERS, { limits, retryBudget });
    for (const { outside } of this.#crew) outside.draw = this.#random;
  }

  run(): this {
    for (; this.#now < MILLISECONDS || this.ended < this.requests; this.#now++) {
      if (this.#now > 10 * MILLISECONDS) throw new Error(`${this.requests - this.ended} requests were lost`);
      for (const { outside, cluster } of this.#crew) {
        outside.pass(1);
        if (this.#now % 1000 === 0) cluster.sweep();
      }
      for (let arrivals = this.#now < MILLISECONDS ? 2 : 0; arrivals > 0; arrivals--)
        if (this.#random() < 0.5) this.#arrive();
      for (const run of this.#due.get(this.#now) ?? []) run();
      this.#due.delete(this.#now);
      this.#begin();
      this.#check();
    }
    return this;
  }

  #arrive(): void {
    const seat = this.#crew[Math.floor(this.#random() * WORKERS)];
    if (seat === undefined) return;
    this.requests++;
    this.#try(seat, 0);
  }

  #try(seat: ClusterSetUp, retries: number): void {
    const request = new FakeRequest();
    this.#waiting.set(request, () => {
      const isRefused = request.refusal !== undefined;
      if (!isRefused) this.tries++;
      this.#at(isRefused ? 0 : SERVICE, () => {
        request.connection?.finish();
        if (retries > 0) seat.cluster.retries.end();
        // what the gateway refuses itself is not retried
        const isOver = isRefused || this.#random() < 0.5 || retries === ATTEMPTS;
        if (isOver || !seat.cluster.retries.begin()) this.ended++;
        else {
          this.retries++;
          this.#at(toBackoff(DEFAULT_BACKOFF, retries + 1, this.#random()), () => this.#try(seat, retries + 1));
        }
      });
    });
    seat.cluster.acquire(request, false);
  }

  /** Those who have been given what they waited for go on. */
  #begin(): void {
    for (const [request, go] of this.#waiting) {
      if (request.answers === 0) continue;
      this.#waiting.delete(request);
      go();
    }
  }

  #at(milliseconds: number, run: () => void): void {
    const when = this.#now + 1 + Math.ceil(milliseconds);
    this.#due.set(when, [...(this.#due.get(when) ?? []), run]);
  }

  #check(): void {
    const { limits } = this.#crew[0]?.cluster.summary() ?? {};
    for (const kind of ["connections", "pending", "requests", "retries"] as const)
      assert.ok(
        (limits?.[kind].now ?? 0) <= (this.#limits[kind] ?? Infinity) + WORKERS - 1,
        `${kind}: ${limits?.[kind].now}`,
      );
  }
}

for (const kind of ["concurrent", "rate"]) {
  test(`with a ${kind} budget of a fifth a failing backend meets a fifth more than its requests`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { requests, tries, retries } = new Storm(BUDGETS[kind] ?? assert.fail(), seed).run();
      assert.ok(tries <= requests * 1.2, `seed ${seed}: ${tries} tries of ${requests} requests`);
      assert.ok(retries > requests * 0.02, `seed ${seed}: and what may be retried is, ${retries} times`);
    }
  });
}

test("without a budget the limit of retries bounds what is retried at once", () => {
  const { requests, retries } = new Storm(BUDGETS["none"] ?? assert.fail(), 1, { ...LIMITS, retries: RETRIES }).run();
  // each takes its wait and an answer: nine at once, and two more by chance
  assert.ok(retries <= ((RETRIES + WORKERS - 1) * MILLISECONDS) / SERVICE, `${retries} of ${requests}`);
  assert.ok(retries > 0);
});
