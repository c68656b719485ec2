import assert from "node:assert/strict";
import { test } from "node:test";
import { findCookie, formatCookie } from "./cookie.ts";

test("the first cookie of a name is found, whatever stands around it", () => {
  assert.equal(findCookie("a=1; b=2; a=3", "a"), "1");
  assert.equal(findCookie("aa=0;a=1", "a"), "1");
  assert.equal(findCookie(" \ta=1 ; b", "a"), "1");
  assert.equal(findCookie("x=a=2; a=b=c", "a"), "b=c");
  assert.equal(findCookie('a="1"', "a"), "1");
  assert.equal(findCookie("a=", "a"), "");
});

test("what is no such cookie is not found", () => {
  for (const cookies of ["", "a", "A=1", "aa=1", "b; a", ";;;", "b=1;", "x a=1"]) {
    assert.equal(findCookie(cookies, "a"), undefined, cookies);
  }
});

test("a cookie says where and how long it is, and that scripts do not see it", () => {
  const cookie = { name: "s", value: "v", path: "/shop", lifetime: 0, secure: false, attributes: [] };
  assert.equal(formatCookie(cookie), "s=v; Path=/shop; HttpOnly");
  assert.equal(
    formatCookie({ ...cookie, lifetime: 1500, secure: true, attributes: ["SameSite=Strict", "Partitioned"] }),
    "s=v; Path=/shop; Max-Age=2; HttpOnly; Secure; SameSite=Strict; Partitioned",
  );
});
