import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatFieldPath, parseFieldPath, parsePointer, readPath } from "./field-path.ts";

test("a path reads as users write it", () => {
  assert.equal(formatFieldPath(["spec", "rules", 0, "matches", 12, "path"]), "spec.rules[0].matches[12].path");
  assert.equal(formatFieldPath(["metadata", "labels", "a.b/c"]), 'metadata.labels["a.b/c"]');
  assert.equal(formatFieldPath(["data", "tls.crt"]), 'data["tls.crt"]');
  assert.equal(formatFieldPath([]), "");
});

test("parsing undoes formatting", () => {
  const step = fc.oneof(fc.string(), fc.constantFrom("spec", "a.b", "x-y", 'q"', "\\", "]", ""), fc.nat(100));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (path) => {
      assert.deepEqual(parseFieldPath(formatFieldPath(path)), path);
    }),
  );
});

test("what is no path is not taken for one", () => {
  assert.equal(parseFieldPath("spec.rules[x]"), undefined);
  assert.equal(parseFieldPath("spec rules"), undefined);
});

test("a JSON pointer becomes a path by what it points into", () => {
  const root = { list: [{ "a/b": 1 }], map: { "0": { "m~n": 2 } } };
  assert.deepEqual(parsePointer("/list/0/a~1b", root), ["list", 0, "a/b"]);
  assert.deepEqual(parsePointer("/map/0/m~0n", root), ["map", "0", "m~n"]);
  assert.deepEqual(parsePointer("", root), []);
});

test("reading a path never finds what an object inherits", () => {
  assert.equal(readPath({ a: [{ b: 1 }] }, ["a", 0, "b"]), 1);
  assert.equal(readPath({ a: 1 }, ["a", "b", "c"]), undefined);
  assert.equal(readPath({}, ["constructor"]), undefined);
  assert.equal(readPath([1], ["length"]), undefined);
});
