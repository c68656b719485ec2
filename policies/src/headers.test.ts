/** Header modifiers: what is removed, set and added, in that order and without regard to case. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { TestResponse, toRequest } from "../test/views.ts";
import { compileRequestHeaders, compileResponseHeaders } from "./headers.ts";

test("set replaces every field of the name, whatever its case", () => {
  const filter = compileRequestHeaders({
    kind: "request-headers",
    set: [{ name: "X-Header-Set", value: "new" }],
    add: [],
    remove: [],
  });
  const request = toRequest({}, { "x-header-set": "old", other: "kept" });
  assert.equal(filter.onRequest?.(request), undefined);
  assert.deepEqual(request.fields, [
    ["other", "kept"],
    ["X-Header-Set", "new"],
  ]);
});

test("add joins with a bare comma or makes the field", () => {
  const filter = compileRequestHeaders({
    kind: "request-headers",
    set: [],
    add: [
      { name: "X-Add", value: "b" },
      { name: "x-new", value: "c" },
    ],
    remove: [],
  });
  const request = toRequest({}, { "x-add": "a" });
  void filter.onRequest?.(request);
  assert.equal(request.header("x-add"), "a,b");
  assert.equal(request.header("x-new"), "c");
});

test("a name that is removed and set ends with the value set", () => {
  const filter = compileResponseHeaders({
    kind: "response-headers",
    set: [{ name: "server", value: "x" }],
    add: [],
    remove: ["Server", "X-Powered-By"],
  });
  const response = new TestResponse({ server: "y", "x-powered-by": "z" });
  filter.onResponse?.(response, toRequest({}));
  assert.deepEqual(response.fields, [["server", "x"]]);
});

test("of entries whose names differ in case only the first counts", () => {
  const filter = compileRequestHeaders({
    kind: "request-headers",
    set: [
      { name: "X-A", value: "1" },
      { name: "x-a", value: "2" },
    ],
    add: [
      { name: "X-B", value: "1" },
      { name: "x-b", value: "2" },
    ],
    remove: [],
  });
  const request = toRequest({});
  void filter.onRequest?.(request);
  assert.equal(request.header("x-a"), "1");
  assert.equal(request.header("x-b"), "1");
});

test("a value beyond ASCII goes out as UTF-8", () => {
  const filter = compileRequestHeaders({
    kind: "request-headers",
    set: [{ name: "x", value: "\u00fc" }],
    add: [],
    remove: [],
  });
  const request = toRequest({});
  void filter.onRequest?.(request);
  assert.equal(request.header("x"), "\u00c3\u00bc");
});
