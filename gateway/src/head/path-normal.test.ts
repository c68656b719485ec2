import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpServerOptions } from "@sallyport/model/listener";
import fc from "fast-check";
import { normalisePath } from "./path-normal.ts";

type Action = HttpServerOptions["escapedSlashes"];

function normal(path: string, escapedSlashes: Action = "keep", mergeSlashes = true): string {
  const result = normalisePath(path, { escapedSlashes, mergeSlashes });
  return result.kind === "path" ? result.path : result.kind === "redirect" ? `-> ${result.path}` : "refused";
}

const CASES: readonly (readonly [path: string, expected: string])[] = [
  ["/", "/"],
  ["/a/b.c", "/a/b.c"],
  ["/a/./b", "/a/b"],
  ["/a/../b", "/b"],
  ["/../../etc/passwd", "refused"],
  ["/a/..", "/"],
  ["/a/b/.", "/a/b/"],
  ["/a/b/..", "/a/"],
  ["/a/...", "/a/..."],
  ["/.hidden", "/.hidden"],
  ["/a//b///c", "/a/b/c"],
  ["//evil.example/x", "/evil.example/x"],
  ["/a\\b", "/a/b"],
  ["/a\\..\\b", "/b"],
  ["/%61dmin", "/admin"],
  ["/%2e%2e/a", "refused"],
  ["/a/%2E/b", "/a/b"],
  ["/%2E%2E%5Ca", "/..%5Ca"],
  ["/a/../../b", "refused"],
  ["/a/%2e%2e/b", "/b"],
  ["/%252e%252e/a", "/%252e%252e/a"],
  ["/%7euser", "/~user"],
  ["/%20%C3%A9", "/%20%C3%A9"],
  ["/a%2Fb", "/a%2Fb"],
  ["/a%5cb", "/a%5cb"],
  ["/%", "refused"],
  ["/%4", "refused"],
  ["/%zz", "refused"],
  ["/a%00b", "refused"],
  ["/a?b=../c//d%00%", "/a?b=../c//d%00%"],
  ["/a/..?/../", "/?/../"],
];

for (const [path, expected] of CASES) {
  test(`${path} becomes ${expected}`, () => {
    assert.equal(normal(path), expected);
  });
}

test("escaped slashes are kept, refused, forwarded or redirected as configured", () => {
  assert.equal(normal("/a%2Fb", "reject"), "refused");
  assert.equal(normal("/a%5cb?q=%2F", "unescape-and-forward"), "/a/b?q=%2F");
  assert.equal(normal("/a%2F..%2fb", "unescape-and-forward"), "/b");
  assert.equal(normal("/..%2Fb", "unescape-and-forward"), "refused");
  assert.equal(normal("/a%2Fb?q", "unescape-and-redirect"), "-> /a/b?q");
  assert.equal(normal("/a/../b", "unescape-and-redirect"), "/b");
});

test("slashes stay apart where merging is off", () => {
  assert.equal(normal("/a//b", "keep", false), "/a//b");
  assert.equal(normal("/a//../b", "keep", false), "/a/b");
});

test("a normal path is its own normal form", () => {
  const piece = fc.constantFrom("/", "//", ".", "..", "a", "%2e", "%61", "%2F", "%5C", "\\", "%25", "b.c", "?", "/../");
  const actions = fc.constantFrom<Action>("keep", "unescape-and-forward");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), actions, fc.boolean(), (pieces, action, merge) => {
      const once = normal(`/${pieces.join("")}`, action, merge);
      if (once !== "refused") assert.equal(normal(once, action, merge), once);
    }),
  );
});
