/** URL rewrite: what goes upstream as Host and as path. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { toRequest } from "../test/views.ts";
import { compileRewrite } from "./rewrite.ts";

test("a hostname replaces the authority with its port", () => {
  const request = toRequest({ authority: "a.example:8080", path: "/x?y" });
  assert.equal(compileRewrite({ kind: "rewrite", hostname: "b.example" }).onRequest?.(request), undefined);
  assert.equal(request.authority, "b.example");
  assert.equal(request.path, "/x?y");
});

test("a path edit leaves the authority alone", () => {
  const request = toRequest({ path: "/v1/users?id=1", matchedPrefix: "/v1" });
  void compileRewrite({ kind: "rewrite", path: { kind: "prefix", value: "/v2" } }).onRequest?.(request);
  assert.equal(request.authority, "example.com");
  assert.equal(request.path, "/v2/users?id=1");
});

test("a full path keeps the query", () => {
  const request = toRequest({ path: "/a/b?c=d", matchedPrefix: "/a" });
  void compileRewrite({ kind: "rewrite", path: { kind: "full", value: "/one" } }).onRequest?.(request);
  assert.equal(request.path, "/one?c=d");
});

test("the asterisk form has no path to edit", () => {
  const request = toRequest({ method: "OPTIONS", path: "*", matchedPrefix: "" });
  void compileRewrite({ kind: "rewrite", path: { kind: "full", value: "/one" } }).onRequest?.(request);
  assert.equal(request.path, "*");
});
