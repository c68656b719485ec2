import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRetryOn } from "./retry-words.ts";

function parse(words: string) {
  const parsed = parseRetryOn(words);
  assert.ok(parsed.ok);
  return parsed.value;
}

function refuse(words: string): string {
  const parsed = parseRetryOn(words);
  assert.ok(!parsed.ok);
  return parsed.error;
}

test("words and codes are told apart, in any order and with spaces, each once", () => {
  assert.deepEqual(parse("5xx, 429,reset ,429,,5xx,"), { on: ["5xx", "reset"], statuses: [429] });
  assert.deepEqual(parse(""), { on: [], statuses: [] });
});

test("what Istio retries by default is understood", () => {
  assert.deepEqual(parse("connect-failure,refused-stream,unavailable,cancelled,503"), {
    on: ["connect-failure", "refused-stream", "unavailable", "cancelled"],
    statuses: [503],
  });
});

test("words that say nothing by themselves may be written", () => {
  assert.deepEqual(parse("retriable-status-codes,retriable-headers,http3-post-connect-failure,503"), {
    on: [],
    statuses: [503],
  });
});

test("a word that nobody knows is named, with the one that was meant", () => {
  assert.equal(refuse("5xx,gatewayerror"), '"gatewayerror" says nothing; did you mean "gateway-error"?');
  assert.match(refuse("5xx,never"), /^"never" is neither a status nor one of 5xx, gateway-error, /);
  assert.match(refuse("constructor"), /^"constructor"/);
});

test("a code that no answer has is refused", () => {
  for (const code of ["0", "99", "100", "199", "600", "0503", "5030", "1e3"])
    assert.match(refuse(code), new RegExp(`"${code}"`));
  assert.deepEqual(parse("200,599").statuses, [200, 599]);
});
