/** Waits that answers ask for (RFC 9110 section 10.2.3), before they are retried. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toResponseHead } from "../../src/head/response-head.ts";
import type { HandStream } from "../codec/hand-upstream.ts";
import { answer, begin } from "./retry-rig.ts";
import { recordOf } from "./rig.ts";

/** Answers 500, to be asked again after that. */
function answerLater(stream: HandStream, retryAfter: string): void {
  const headers: [string, string][] = [
    ["date", "x"],
    ["retry-after", retryAfter],
  ];
  stream.answer(toResponseHead({ status: 500, headers }, 2), "length", ["ok"]);
}

const ASKED = { backoff: { least: 20, base: 20, max: 20, retryAfter: 60_000 } };

test("the next try waits as long as the answer asks for", async (t) => {
  const begun = await begin(t, { retry: ASKED });
  answerLater(await begun.next(), "3");
  begun.upstream.hold = true;
  begun.rig.advance(3000);
  assert.equal(begun.upstream.waiting, 0);
  begun.rig.advance(40);
  assert.equal(begun.upstream.waiting, 1);
  begun.upstream.release();
  answer(await begun.upstream.next(), 200);
  assert.equal(await begun.status(), 200);
  assert.deepEqual(begun.rig.counts.retries, ["made", "success"]);
});

test("what an answer asks for does not count where the policy does not say so", async (t) => {
  const begun = await begin(t);
  answerLater(await begun.next(), "3");
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("an answer that asks for more than the policy allows is the client's at once", async (t) => {
  const begun = await begin(t, { retry: ASKED });
  answerLater(await begun.next(), "61");
  assert.equal(await begun.status(), 500);
  assert.equal(begun.client.responses[0]?.fields.find(({ name }) => name === "retry-after")?.value, "61");
  const record = await recordOf(begun.rig);
  assert.deepEqual([record.flag, record.attempts], ["URX", 1]);
  assert.deepEqual(begun.rig.counts.retries, ["exhausted"]);
  assert.equal(begun.upstream.retries.active, 0);
});

test("an answer that asks for more time than the request has is the client's at once", async (t) => {
  const begun = await begin(t, { retry: ASKED, rule: { requestTimeout: 5000 } });
  const first = await begun.next();
  begun.rig.advance(2200);
  answerLater(first, "3");
  assert.equal(await begun.status(), 500);
  assert.equal((await recordOf(begun.rig)).flag, "URX");
});

test("an answer that asks for a wait within the time of the request is retried", async (t) => {
  const begun = await begin(t, { retry: ASKED, rule: { requestTimeout: 5000 } });
  const first = await begun.next();
  begun.rig.advance(1800);
  answerLater(first, "3");
  begun.rig.advance(3060);
  answer(await begun.next(), 200);
  assert.equal(await begun.status(), 200);
});

test("a client that leaves while its request waits for what an answer asked for leaves nothing behind", async (t) => {
  const begun = await begin(t, { retry: ASKED });
  answerLater(await begun.next(), "50");
  begun.client.reset();
  assert.equal((await recordOf(begun.rig)).flag, "DC");
  assert.equal(begun.upstream.retries.active, 0);
});
