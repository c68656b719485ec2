/** Origin patterns: ports, wildcards, and strings that only look like origins. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { compileOrigins } from "./origin.ts";

const CASES: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ["*", ["https://a.test", "http://b.test:8080", "null"], []],
  [
    "https://a.test",
    ["https://a.test"],
    ["http://a.test", "https://a.test:8443", "https://a.test.evil", "https://xa.test"],
  ],
  ["https://A.Test:443", ["https://a.test"], ["https://a.test:80"]],
  ["http://a.test:80", ["http://a.test"], []],
  ["http://a.test:8080", ["http://a.test:8080"], ["http://a.test"]],
  [
    "https://*.bar.com",
    ["https://a.bar.com", "https://a.b.bar.com"],
    [
      "https://bar.com",
      "https://.bar.com",
      "https://xbar.com",
      "http://a.bar.com",
      "https://a.bar.com:8443",
      "https://evil.test/.bar.com",
      "https://evil.test#.bar.com",
      "https://user@a.bar.com",
      "https://evil.test:1.bar.com",
    ],
  ],
  ["https://*.bar.com:8443", ["https://a.bar.com:8443"], ["https://a.bar.com"]],
  ["https://*", ["https://a.test", "https://[::1]"], ["http://a.test", "https://a.test:1", "https://"]],
];

for (const [pattern, matching, others] of CASES) {
  test(`${pattern} matches what it names and nothing else`, () => {
    const matches = compileOrigins([pattern]);
    for (const origin of matching) assert.ok(matches(origin), origin);
    for (const origin of others) assert.ok(!matches(origin), origin);
  });
}

test("an empty list matches nothing", () => {
  assert.equal(compileOrigins([])("https://a.test"), false);
});
