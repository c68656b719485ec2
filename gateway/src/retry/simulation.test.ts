/** Many requests to a backend of which half fails, through policies and budgets: the load that retries add is bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetryBudget, RetryPolicy } from "@sallyport/model/retry";
import { seeded } from "@sallyport/testkit/random";
import { RetryAllowance } from "./budget.ts";
import { compileRetry, toBackoff } from "./policy.ts";

const POLICY: RetryPolicy = { attempts: 5, on: ["5xx"], statuses: [], backoff: { least: 0, base: 25, max: 250 } };
/** Milliseconds a try takes. */
const SERVICE = 20;

interface Outcome {
  readonly requests: number;
  readonly tries: number;
  readonly worst: number;
  readonly failed: number;
  readonly milliseconds: number;
}

function simulate(budget: RetryBudget, seed: number, share: number): Outcome {
  const random = seeded(seed);
  const policy = compileRetry(POLICY);
  assert.ok(policy !== undefined);
  const allowance = new RetryAllowance();
  allowance.update(budget, 0, 0);
  const due = new Map<number, (() => void)[]>();
  const at = (time: number, run: () => void): void => {
    const when = Math.ceil(time);
    due.set(when, [...(due.get(when) ?? []), run]);
  };
  let [requests, tries, active, failed, worst, now] = [0, 0, 0, 0, 0, 0];
  const begin = (retries: number): void => {
    tries++;
    active++;
    at(now + SERVICE, () => {
      const isBad = policy.coversAnswer(random() < share ? 503 : 200, { received: () => undefined });
      const counts = { active, begun: tries };
      active--;
      if (retries > 0) allowance.giveBack();
      if (!isBad) return;
      if (retries === policy.attempts || !allowance.take(now, counts)) failed++;
      else {
        if (budget.kind === "concurrent") {
          assert.ok(allowance.active <= Math.max(budget.minimum, (counts.active * budget.percent) / 100));
        }
        worst = Math.max(worst, allowance.active);
        at(now + 1 + toBackoff(policy.backoff, retries + 1, random()), () => begin(retries + 1));
      }
    });
  };
  const milliseconds = 20_000;
  for (; now < milliseconds; now++) {
    if (random() < 0.8) {
      requests++;
      begin(0);
    }
    for (const run of due.get(now) ?? []) run();
    due.delete(now);
    if (now % 1000 === 0) allowance.note(now, tries);
  }
  return { requests, tries, worst, failed, milliseconds };
}

for (const share of [0.5, 1]) {
  test(`of ${share * 100} % failures no more is retried than the share of requests and the minimum rate`, () => {
    for (let seed = 1; seed <= 10; seed++) {
      const budget = { kind: "rate", percent: 20, interval: 2000, minimum: 2, minimumInterval: 1000 } as const;
      const { requests, tries, milliseconds, failed } = simulate(budget, seed, share);
      const minimum = (milliseconds / budget.minimumInterval + 1) * budget.minimum;
      assert.ok(tries <= requests * 1.2 + minimum, `seed ${seed}: ${tries} tries of ${requests}`);
      assert.ok(tries > requests * 1.1, "and what may be retried is");
      assert.ok(failed > 0);
    }
  });
}

test("retries at once stay within the share of what is active", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const budget = { kind: "concurrent", percent: 20, minimum: 2 } as const;
    const { requests, tries } = simulate(budget, seed, 0.5);
    assert.ok(tries > requests && tries < requests * 1.5, `seed ${seed}: ${tries} tries of ${requests}`);
  }
});
