import assert from "node:assert/strict";
import { test } from "node:test";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { FieldLines } from "./field-lines.ts";

/** Lines behind a start line; those marked with `-` are cut. */
function toLines(...lines: string[]): FieldLines {
  const fields = new FieldLines();
  fields.text = "START\r\n";
  fields.fieldsAt = fields.text.length;
  const cuts: number[] = [];
  for (const line of lines) {
    const from = fields.text.length;
    fields.text += `${line.replace(/^-/, "")}\r\n`;
    if (line.startsWith("-")) cuts.push(from, fields.text.length);
  }
  fields.cuts = cuts;
  return fields;
}

const text = (fields: FieldLines): string => fields.keptFrom(0) + fields.extra;

test("a field is found by name without regard to case, trimmed, and joined where it is repeated", () => {
  const fields = toLines("A: 1", "xa: no", "a:\t2 ", "Cookie: c=1", "cookie: d=2", "Empty:");
  assert.equal(fields.header("a"), "1,2");
  assert.equal(fields.header("COOKIE"), "c=1; d=2");
  assert.equal(fields.header("empty"), "");
  assert.equal(fields.header("x"), undefined);
});

test("obs-text is kept, NBSP too", () => {
  assert.equal(toLines("A: \xa0\xe9\xa0").header("a"), "\xa0\xe9\xa0");
});

test("what is cut is no header and does not go out, but was received", () => {
  const fields = toLines("-X: 1", "A: 2", "-B: 3");
  assert.equal(fields.header("x"), undefined);
  assert.equal(fields.received("x"), "1");
  assert.equal(text(fields), "START\r\nA: 2\r\n");
});

test("set replaces every field of a name, add joins, remove removes", () => {
  const fields = toLines("A: 1", "B: 2", "a: 3");
  fields.setHeader("A", "4");
  assert.equal(text(fields), "START\r\nB: 2\r\nA: 4\r\n");
  fields.addHeader("b", "5");
  fields.addHeader("C", "6");
  assert.equal(text(fields), "START\r\nA: 4\r\nb: 2,5\r\nC: 6\r\n");
  fields.removeHeader("a");
  fields.removeHeader("B");
  assert.equal(text(fields), "START\r\nC: 6\r\n");
  fields.resetEdits();
  assert.equal(text(fields), "START\r\nA: 1\r\nB: 2\r\na: 3\r\n");
});

test("whatever was cut before, fields of a name go and all others stay", () => {
  const random = seeded(1);
  for (let round = 0; round < 300; round++) {
    const lines = Array.from(
      { length: below(random, 12) },
      () => `${random() < 0.3 ? "-" : ""}${pick(random, ["A", "B", "Ab"])}: 1`,
    );
    const fields = toLines(...lines);
    const left = new Set(["A", "B", "Ab"]);
    for (let edits = 0; edits < 2; edits++) {
      const name = pick(random, ["A", "B", "Ab"]);
      left.delete(name);
      fields.removeHeader(name);
    }
    const stays = lines.filter((line) => !line.startsWith("-") && left.has(line.split(":", 1)[0] ?? ""));
    assert.equal(text(fields), ["START", ...stays, ""].join("\r\n"), lines.join("|"));
  }
});

test("ten thousand fields of a name are removed in one walk", () => {
  const fields = toLines(...Array.from({ length: 10_000 }, (_, n) => (n % 2 === 0 ? "a: 1" : "b: 1")));
  fields.removeHeader("a");
  assert.equal(fields.cuts.length, 10_000);
  fields.removeHeader("b");
  assert.deepEqual(fields.cuts, [fields.fieldsAt, fields.text.length], "neighbours are one cut");
});

test("cookies that are set do not join", () => {
  const fields = toLines("Set-Cookie: a=1");
  fields.addHeader("Set-Cookie", "b=2");
  assert.equal(text(fields), "START\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
});

test("framing, routing and hop-by-hop fields cannot be seen or changed", () => {
  const fields = toLines("Host: x", "Content-Length: 1");
  for (const name of ["host", "Content-Length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Expect"]) {
    fields.setHeader(name, "evil");
    fields.addHeader(name, "evil");
    fields.removeHeader(name);
    assert.equal(fields.header(name), undefined);
  }
  assert.equal(text(fields), "START\r\nHost: x\r\nContent-Length: 1\r\n");
});

test("a value that would end its line is a bug and throws", () => {
  assert.throws(() => toLines().setHeader("A", "b\r\nC: d"));
  assert.throws(() => toLines().addHeader("A", "b\0"));
});
