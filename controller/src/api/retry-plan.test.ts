import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "@sallyport/testkit/random";
import { ApiFailure } from "./contract.ts";
import { RateLimit } from "./rate-limit.ts";
import { RetryPlan } from "./retry-plan.ts";

function failure(status: number, code?: string, retryAfter?: number): ApiFailure {
  const cause = code === undefined ? undefined : Object.assign(new Error(code), { code });
  return new ApiFailure("failed", { status, cause, ...(retryAfter === undefined ? {} : { retryAfter }) });
}

test("busy servers are asked again, writes included, but not for ever", () => {
  for (const method of ["GET", "PUT", "PATCH"] as const) {
    const plan = new RetryPlan(method, seeded(1));
    const waits = Array.from({ length: 10 }, () => plan.next(failure(503)));
    assert.equal(waits.filter((wait) => wait !== undefined).length, 7);
    assert.equal(waits.at(-1), undefined);
  }
});

test("without an answer only what changes nothing is sent again, or what surely was not sent", () => {
  const isRetried = (method: "GET" | "POST", code: string): boolean =>
    new RetryPlan(method, seeded(1)).next(failure(0, code)) !== undefined;
  assert.deepEqual(
    [isRetried("GET", "ECONNRESET"), isRetried("POST", "ECONNRESET"), isRetried("POST", "ECONNREFUSED")],
    [true, false, true],
  );
});

test("credentials that are refused are read again once; other answers are for the caller", () => {
  const plan = new RetryPlan("POST", seeded(1));
  assert.equal(plan.next(failure(401)), 0);
  assert.equal(plan.next(failure(401)), undefined);
  for (const status of [400, 403, 404, 409, 410, 422, 500, 504])
    assert.equal(new RetryPlan("GET", seeded(1)).next(failure(status)), undefined);
});

test("a rate limit lets a burst through, and then no more than its rate", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const limits = { perSecond: 10, burst: 5 };
    const rate = new RateLimit(limits, 0);
    const sent: number[] = [];
    let now = 0;
    for (let index = 0; index < 200; index++) {
      now += random() < 0.1 ? random() * 3000 : random() * 60;
      sent.push(now + rate.take(now));
    }
    for (const [index, time] of sent.entries()) {
      const window = sent.slice(index).filter((other) => other <= time + 1000).length;
      assert.ok(window <= limits.burst + limits.perSecond + 1, `${window} in a second from ${time}`);
      assert.ok(index === 0 || time >= (sent[index - 1] ?? 0), "out of order");
    }
  }
  const fresh = new RateLimit({ perSecond: 10, burst: 5 }, 0);
  assert.deepEqual(
    Array.from({ length: 7 }, () => fresh.take(0)),
    [0, 0, 0, 0, 0, 100, 200],
  );
});
