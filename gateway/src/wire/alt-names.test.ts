import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAltNames } from "./alt-names.ts";

test("names with commas and quotes are one name", () => {
  assert.deepEqual(parseAltNames('DNS:a.test, URI:"x, DNS:evil.test", DNS:"a\\"b, DNS:c", IP Address:10.0.0.1'), [
    { type: "DNS", value: "a.test" },
    { type: "URI", value: "x, DNS:evil.test" },
    { type: "DNS", value: 'a"b, DNS:c' },
    { type: "IP Address", value: "10.0.0.1" },
  ]);
  assert.deepEqual(parseAltNames(""), []);
});

for (const text of ['DNS:"a', "DNS", 'URI:"a"b', "DNS:a,DNS:b"])
  test(`${text} is not guessed at`, () => {
    assert.throws(() => parseAltNames(text));
  });
