import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetryCause, RetryPolicy } from "@sallyport/model/retry";
import type { FaultReason } from "@sallyport/model/fault";
import { compileRetry, toBackoff, toWait } from "./policy.ts";

function compile(changes: Partial<RetryPolicy> = {}) {
  const backoff = { least: 0, base: 25, max: 250 };
  const compiled = compileRetry({ attempts: 2, on: [], statuses: [], backoff, ...changes });
  assert.ok(compiled !== undefined);
  return compiled;
}

function covers(cause: RetryCause, reason: FaultReason, changes: { unseen?: boolean; idempotent?: boolean } = {}) {
  return compile({ on: [cause] }).coversFault({ reason, unseen: false, idempotent: true, ...changes });
}

const none = { received: () => undefined };

function withFields(fields: Readonly<Record<string, string>>) {
  return { received: (name: string) => fields[name] };
}

test("a policy without attempts, and none, never tries again", () => {
  assert.equal(compileRetry(undefined), undefined);
  assert.equal(
    compileRetry({ attempts: 0, on: ["5xx"], statuses: [], backoff: { least: 0, base: 1, max: 1 } }),
    undefined,
  );
});

test("statuses are those of the words and the codes", () => {
  const policy = compile({ on: ["gateway-error", "retriable-4xx"], statuses: [418] });
  for (const status of [502, 503, 504, 409, 418]) assert.ok(policy.coversAnswer(status, none), String(status));
  for (const status of [200, 404, 429, 500, 501, 505]) assert.ok(!policy.coversAnswer(status, none), String(status));
  const all = compile({ on: ["5xx"] });
  assert.ok(all.coversAnswer(500, none) && all.coversAnswer(599, none) && !all.coversAnswer(499, none));
});

test("statuses of gRPC count under their own words alone", () => {
  const policy = compile({ on: ["unavailable", "cancelled"] });
  assert.ok(policy.coversAnswer(200, withFields({ "grpc-status": "14" })));
  assert.ok(policy.coversAnswer(200, withFields({ "grpc-status": "1" })));
  assert.ok(!policy.coversAnswer(200, withFields({ "grpc-status": "0" })));
  assert.ok(!policy.coversAnswer(200, none));
  assert.ok(!compile({ on: ["5xx"] }).coversAnswer(200, withFields({ "grpc-status": "14" })));
});

test("an answer of a rate limit is final but where the policy names it", () => {
  const limited = withFields({ "x-envoy-ratelimited": "true" });
  assert.ok(!compile({ on: ["5xx"], statuses: [429] }).coversAnswer(429, limited));
  const policy = compile({ on: ["envoy-ratelimited", "5xx"] });
  assert.ok(policy.coversAnswer(429, limited) && policy.coversAnswer(503, limited));
  assert.ok(policy.coversAnswer(503, none) && !policy.coversAnswer(429, none));
});

test("where a policy asks for it, what an endpoint may have acted on is repeated whatever it is", () => {
  const policy = compile({ on: ["reset"], nonIdempotent: true });
  assert.ok(policy.coversFault({ reason: "upstream-reset", unseen: false, idempotent: false }));
  assert.ok(!policy.coversFault({ reason: "no-endpoints", unseen: false, idempotent: false }));
});

test("what a server may have acted on is repeated only where twice is as good as once", () => {
  assert.ok(covers("reset", "upstream-reset"));
  assert.ok(!covers("reset", "upstream-reset", { idempotent: false }));
  assert.ok(covers("reset", "connect-failure", { idempotent: false, unseen: true }));
  assert.ok(covers("timeout", "upstream-timeout"));
  assert.ok(!covers("timeout", "upstream-timeout", { idempotent: false }));
  assert.ok(!covers("timeout", "upstream-reset"));
});

test("words cover what they say and no more", () => {
  assert.ok(covers("connect-failure", "connect-timeout", { unseen: true }));
  assert.ok(!covers("connect-failure", "upstream-reset"));
  assert.ok(covers("refused-stream", "upstream-refused", { unseen: true, idempotent: false }));
  assert.ok(covers("reset-before-request", "upstream-closed", { unseen: true, idempotent: false }));
  assert.ok(!covers("reset-before-request", "upstream-closed"));
  for (const reason of ["no-endpoints", "request-overflow", "upgrade-refused", "internal-error"] as const) {
    assert.ok(!covers("5xx", reason, { unseen: true }), reason);
  }
});

test("waits double up to the most, are drawn evenly above the least, and are never less", () => {
  const full = { least: 0, base: 25, max: 250 };
  assert.deepEqual(
    [1, 2, 3, 4, 5, 60].map((retry) => toBackoff(full, retry, 1)),
    [25, 50, 100, 200, 250, 250],
  );
  assert.equal(toBackoff(full, 3, 0.5), 50);
  assert.equal(toBackoff(full, 3, 0), 0);
  const least = { least: 100, base: 200, max: 1000 };
  assert.equal(toBackoff(least, 1, 0), 100);
  assert.equal(toBackoff(least, 1, 1), 200);
  assert.equal(toBackoff({ least: 500, base: 10, max: 20 }, 1, 0.7), 500);
});

test("what an answer asks for is waited for, and the back-off behind it, where the policy lets it ask", () => {
  const backoff = { least: 0, base: 100, max: 100, retryAfter: 5000 };
  const terms = { retry: 1, drawn: 0.5, left: Infinity, now: 0 };
  const wait = (value: string, changes: Partial<typeof terms> = {}) =>
    toWait(backoff, withFields({ "retry-after": value }), { ...terms, ...changes });
  assert.equal(wait("2"), 2050);
  assert.equal(wait("0"), 50);
  assert.equal(wait("soon"), 50, "nonsense");
  assert.equal(toWait(backoff, none, terms), 50);
  assert.equal(toWait(backoff, undefined, terms), 50, "no answer");
  assert.equal(wait("5"), 5000, "spread no further than the longest");
  assert.equal(wait("6"), undefined, "longer than it may be");
  assert.equal(wait("99999999999999999999999999999999999"), undefined);
  assert.equal(wait("2", { left: 2001 }), 2000, "spread no further than there is time");
  assert.equal(wait("2", { left: 2000 }), undefined, "the time of the request would be over");
  assert.equal(wait("Thu, 01 Jan 1970 00:00:03 GMT"), 3050);
  const deaf = { least: 0, base: 100, max: 100 };
  assert.equal(toWait(deaf, withFields({ "retry-after": "2" }), terms), 50);
});
