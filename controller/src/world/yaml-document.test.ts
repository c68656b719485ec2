import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { processorTime } from "@sallyport/testkit/processor-time";
import { mostDocumentCharacters, parseYaml } from "./yaml-document.ts";
import type { YamlDocument } from "./yaml-document.ts";

function parseOne(text: string): YamlDocument {
  const [document, ...others] = parseYaml(text);
  assert.ok(document !== undefined && others.length === 0);
  return document;
}

/** Problems as `line:column message`. */
function complain(text: string): string[] {
  return parseYaml(text).flatMap(({ problems }) => problems.map((p) => `${p.line}:${p.column} ${p.message}`));
}

test("values are those of YAML 1.2", () => {
  const { value } = parseOne('a: [1, 2.5, true, null, yes, "8080", 0o10]\nb: {c: ~}\n');
  assert.deepEqual(value, { a: [1, 2.5, true, null, "yes", "8080", 8], b: { c: null } });
});

test("JSON is YAML", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const hasProto = JSON.stringify(value).includes("__proto__");
      fc.pre(!hasProto);
      const text = JSON.stringify(value, null, 2);
      assert.deepEqual(parseOne(text).value, JSON.parse(text));
    }),
  );
});

test("fields, values and entries have places", () => {
  const document = parseOne("spec:\n  rules:\n    - name: a\n      port:   80\n    - {name: b}\n");
  assert.deepEqual(document.locate(["spec", "rules", 0, "port"], "name"), { line: 4, column: 7 });
  assert.deepEqual(document.locate(["spec", "rules", 0, "port"], "value"), { line: 4, column: 15 });
  assert.deepEqual(document.locate(["spec", "rules", 1, "name"], "value"), { line: 5, column: 14 });
  assert.deepEqual(document.locate([], "value"), { line: 1, column: 1 });
});

test("what is not there is placed at what is around it", () => {
  const document = parseOne("spec:\n  rules:\n    - name: a\n");
  assert.deepEqual(document.locate(["spec", "rules", 0, "matches", 3], "value"), { line: 3, column: 7 });
  assert.deepEqual(document.locate(["spec", "rules", 7], "value"), { line: 3, column: 5 });
});

test("places go through aliases and merges", () => {
  const document = parseOne("base: &base\n  port: 1\none: *base\ntwo:\n  <<: *base\n  name: x\n");
  assert.deepEqual(document.value, { base: { port: 1 }, one: { port: 1 }, two: { name: "x", port: 1 } });
  assert.deepEqual(document.locate(["one", "port"], "value"), { line: 2, column: 9 });
  assert.deepEqual(document.locate(["two", "port"], "name"), { line: 2, column: 3 });
});

test("a merge gives way to what is written out", () => {
  assert.deepEqual(parseOne("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\n").value, {
    a: { x: 1, y: 1 },
    b: { x: 2, z: 2 },
    c: { x: 1, y: 3, z: 2 },
  });
  assert.deepEqual(complain("a: {<<: 1}\n"), ["1:9 << takes a map or a list of maps"]);
});

test("every use of an anchor is a value of its own", () => {
  const { value } = parseOne("a: &a {x: 1}\nb: *a\n");
  const map = value as Record<string, unknown>;
  assert.notEqual(map["a"], map["b"]);
});

test("broken text says where", () => {
  assert.match(complain("a: 1\nb: [1, 2\nc: 3\n")[0] ?? "", /^3:1 flow sequence/);
  assert.match(complain("a:\n\tb: 1\n")[0] ?? "", /^2:1 tabs are not allowed/);
  assert.match(complain('a: "x\n')[0] ?? "", /closing "quote$/);
  assert.match(complain("a: 1\n b: 2\n")[0] ?? "", /^(1:4|2:\d)/);
  assert.match(complain("a: !!js/function x\n")[0] ?? "", /tag/);
});

test("one mistake does not bury the user in complaints", () => {
  assert.ok(complain(`a: [\n${"b: c: d\n".repeat(50)}`).length <= 5);
});

test("a key that is there twice is an error at the second", () => {
  assert.deepEqual(complain("a: 1\nb: 2\na: 3\n"), ['3:1 the key "a" is there twice']);
  assert.deepEqual(complain('{"a": 1, "a": 2}'), ['1:10 the key "a" is there twice']);
  assert.deepEqual(complain("1: a\n'1': b\n"), ['2:1 the key "1" is there twice']);
});

test("keys that would reach into the machinery are refused", () => {
  assert.deepEqual(complain("a: {__proto__: {b: 1}}\n"), ["1:5 the key __proto__ is not allowed"]);
  assert.deepEqual(complain("? [a]\n: 1\n"), ["1:3 a key must be a text"]);
  const { value } = parseOne("constructor: 1\n");
  assert.deepEqual(Object.keys(value as object), ["constructor"]);
});

test("aliases cannot blow up", () => {
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 10; level++) {
    const name = "abcdefghij"[level];
    bomb.push(`${name}: &${name} [${`*${"abcdefghij"[level - 1]},`.repeat(10)}]`);
  }
  const took = processorTime(() =>
    assert.match(complain(bomb.join("\n"))[0] ?? "", /aliases stand for more than 10000 values/),
  );
  assert.ok(took < 1000, `${took} ms`);
});

test("an alias that contains itself or has no anchor is an error", () => {
  assert.deepEqual(complain("a: &a\n  b: *a\n"), ["2:6 the alias *a contains itself"]);
  assert.match(complain("a: *b\n")[0] ?? "", /anchor/);
});

test("depth and size are bounded", () => {
  const took = processorTime(() => {
    for (const text of ["[".repeat(1e6), "{a: ".repeat(4e5), "- ".repeat(5e5), "? ".repeat(5e5)])
      assert.match(complain(text)[0] ?? "", /nested too deeply|nested deeper/, text.slice(0, 10));
    assert.match(complain(`a: ${"x".repeat(mostDocumentCharacters)}`)[0] ?? "", /1:1 is a document of \d+ characters/);
  });
  assert.ok(took < 5000, `${took} ms`);
});

test("a map with very many keys takes time in proportion", () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join("\n");
  const took = processorTime(() => assert.equal(Object.keys(parseOne(text).value as object).length, 20_000));
  assert.ok(took < 10_000, `${took} ms`);
});

test("complaints do not quote the text, which may be a secret", () => {
  for (const text of [
    "a: @hunter2\n",
    "a: `hunter2\n",
    'a: "\\q hunter2"\n',
    "a: |hunter2\n  x\n",
    "hunter2\n- hunter2\nb",
    "\u0001hunter2",
  ])
    assert.doesNotMatch(complain(text).join("\n"), /hunter2/, text);
});

test("no bytes make the parser throw", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."ab:-?[]{}&*!|>'\"#%@, \n\t<=".split("")), maxLength: 60 }),
      (text) => {
        for (const document of parseYaml(text)) document.locate(["a", 0, "b"], "value");
      },
    ),
    { numRuns: 3000, seed: 11 },
  );
});
