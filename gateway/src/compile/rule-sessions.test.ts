import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpMatch } from "@sallyport/model/match";
import { toCookiePath } from "./rule-sessions.ts";

function pathOf(kind: HttpMatch["path"]["kind"], value: string): string {
  return toCookiePath({ path: { kind, value }, headers: [], query: [] });
}

test("a cookie is for the paths that the match takes", () => {
  assert.equal(pathOf("prefix", "/"), "/");
  assert.equal(pathOf("prefix", "/shop"), "/shop");
  assert.equal(pathOf("prefix", "/shop/"), "/shop");
  assert.equal(pathOf("exact", "/shop/cart"), "/shop/cart");
});

test("of an expression the cookie is for the folder that its plain beginning is in", () => {
  assert.equal(pathOf("regex", "/p1/p2/.*/p3"), "/p1/p2");
  assert.equal(pathOf("regex", "^/p1/p2[0-9]+$"), "/p1");
  assert.equal(pathOf("regex", "/p1/a*"), "/p1");
  assert.equal(pathOf("regex", "/p1/?"), "/");
  assert.equal(pathOf("regex", "(/a|/b)/c"), "/");
  assert.equal(pathOf("regex", "/a/b|/c"), "/");
  assert.equal(pathOf("regex", "(?i)/a/"), "/");
  assert.equal(pathOf("regex", ".*"), "/");
});

test("what would end the attribute is cut off with its folder", () => {
  assert.equal(pathOf("prefix", "/a/b;Domain=x"), "/a");
  assert.equal(pathOf("exact", "/a/b/\u00e9"), "/a/b");
  assert.equal(pathOf("exact", "/;"), "/");
});
