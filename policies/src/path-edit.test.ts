/** Path edits: the table of the Gateway API, queries, odd values, and a model on path elements. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePathEdit, toTargetText } from "./path-edit.ts";

const TABLE: readonly (readonly [path: string, prefix: string, value: string, expected: string])[] = [
  ["/foo/bar", "/foo", "/xyz", "/xyz/bar"],
  ["/foo/bar", "/foo", "/xyz/", "/xyz/bar"],
  ["/foo", "/foo", "/xyz", "/xyz"],
  ["/foo/", "/foo", "/xyz", "/xyz/"],
  ["/foo/bar", "/foo", "", "/bar"],
  ["/foo/", "/foo", "", "/"],
  ["/foo", "/foo", "", "/"],
  ["/foo/", "/foo", "/", "/"],
  ["/foo", "/foo", "/", "/"],
  ["/bar", "", "/xyz", "/xyz/bar"],
  ["/", "", "/xyz", "/xyz/"],
  ["/foo?a=/b?c", "/foo", "/", "/?a=/b?c"],
  ["/foo?a=1", "/foo", "/xyz", "/xyz?a=1"],
  ["/foo/bar?a=1&a=2", "/foo", "/xyz", "/xyz/bar?a=1&a=2"],
  ["/strip-prefix/three", "/strip-prefix", "/", "/three"],
  ["/foo//evil.test/x", "/foo", "/", "/evil.test/x"],
  ["/foo/bar", "/foo", "xyz", "/xyz/bar"],
];

for (const [path, prefix, value, expected] of TABLE) {
  test(`prefix ${prefix || "/"} of ${path} replaced by "${value}" gives ${expected}`, () => {
    assert.equal(compilePathEdit({ kind: "prefix", value })(path, prefix), expected);
  });
}

test("a full path replaces the path and keeps the query", () => {
  const edit = compilePathEdit({ kind: "full", value: "/new" });
  assert.equal(edit("/old/x?q=1", undefined), "/new?q=1");
  assert.equal(edit("/old/x", undefined), "/new");
});

test("a full path that brings a query replaces both", () => {
  assert.equal(compilePathEdit({ kind: "full", value: "/new?z=1" })("/old?q=1", undefined), "/new?z=1");
});

test("a prefix edit leaves alone what no prefix matched", () => {
  assert.equal(compilePathEdit({ kind: "prefix", value: "/x" })("/foo?q", undefined), "/foo?q");
});

test("what may not stand in a request target is percent-encoded, escapes stay as they are", () => {
  assert.equal(toTargetText("/a b\r\n/ü/%41/€#😀"), "/a%20b%0D%0A/%C3%BC/%41/%E2%82%AC%23%F0%9F%98%80");
  assert.equal(compilePathEdit({ kind: "full", value: "/a\r\nx: y" })("/", undefined), "/a%0D%0Ax:%20y");
});

test("a prefix edit is the replacement of leading path elements", () => {
  const elements = fc.array(fc.stringMatching(/^[a-z0-9.%~-]{1,4}$/), { maxLength: 4 });
  const query = fc.option(fc.stringMatching(/^[a-z0-9=&/?]{0,8}$/), { nil: undefined });
  fc.assert(
    fc.property(elements, elements, elements, query, (prefix, rest, value, asked) => {
      const tail = asked === undefined ? "" : `?${asked}`;
      const path = toPath([...prefix, ...rest]);
      const edited = compilePathEdit({ kind: "prefix", value: toPath(value) })(path + tail, toMatched(prefix));
      const [before, after] = splitQuery(edited);
      // "/" as a whole (no elements) keeps its slash behind the new prefix: an empty last element.
      const expected = path === "/" && value.length > 0 ? `${toPath(value)}/` : toPath([...value, ...rest]);
      assert.equal(before, expected);
      assert.equal(after, tail);
    }),
  );
});

function toPath(elements: readonly string[]): string {
  return `/${elements.join("/")}`;
}

function toMatched(elements: readonly string[]): string {
  return elements.length === 0 ? "" : toPath(elements);
}

function splitQuery(path: string): [string, string] {
  const at = path.indexOf("?");
  return at === -1 ? [path, ""] : [path.slice(0, at), path.slice(at)];
}
