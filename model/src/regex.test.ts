import assert from "node:assert/strict";
import { test } from "node:test";
import { findPatternFlaw } from "./regex.ts";

for (const pattern of ["", "/v[0-9]+/.*", "(?i)abc", "(?P<id>x)", "\\p{Greek}", "a|b", "x".repeat(4096)]) {
  test(`the pattern ${pattern.slice(0, 20)} is usable`, () => assert.equal(findPatternFlaw(pattern), undefined));
}

for (const pattern of ["(", "a)(b", "\\Qx", "(?=x)a", "(a)\\1", "a**", "[z-a]", "(a{1000}){1000}", "(".repeat(5000)]) {
  test(`the pattern ${pattern.slice(0, 20)} is not usable and says why`, () => {
    assert.match(findPatternFlaw(pattern) ?? "", /./);
  });
}
