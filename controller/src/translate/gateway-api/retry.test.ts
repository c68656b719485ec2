import assert from "node:assert/strict";
import { test } from "node:test";
import { translateRetry } from "./retry.ts";

test("a rule without retries has none", () => {
  assert.deepEqual(translateRetry(undefined, "p"), { flaws: [] });
});

test("codes, attempts and the least wait are the route's", () => {
  const { retry, flaws } = translateRetry({ codes: [500, 503], attempts: 3, backoff: "1s500ms" }, "p");
  assert.deepEqual(flaws, []);
  assert.deepEqual(retry?.statuses, [500, 503]);
  assert.equal(retry?.attempts, 3);
  assert.deepEqual(retry?.backoff, { least: 1500, base: 3000, max: 15_000 });
});

test("connection errors and timeouts are retried wherever there is a retry, twice where it does not say", () => {
  const { retry } = translateRetry({}, "p");
  assert.deepEqual(retry?.on, ["connect-failure", "refused-stream", "reset", "timeout"]);
  assert.deepEqual(retry?.statuses, []);
  assert.equal(retry?.attempts, 2);
  assert.equal(retry?.backoff.least, 0);
});

test("a backoff that is no duration says where and what to write", () => {
  const { retry, flaws } = translateRetry({ backoff: "soon" }, "spec.rules[0].retry");
  assert.equal(retry, undefined);
  assert.equal(flaws[0]?.path, "spec.rules[0].retry.backoff");
  assert.match(flaws[0]?.hint ?? "", /500ms/);
});
