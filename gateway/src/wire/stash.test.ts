import assert from "node:assert/strict";
import { test } from "node:test";
import { Stash } from "./stash.ts";

const text = ({ bytes, from, to }: Stash): string => bytes?.toString("latin1", from, to) ?? "";

test("bytes wait in order and are given up when they are used", () => {
  const stash = new Stash();
  for (let i = 0; i < 1000; i++) stash.append(Buffer.from(`-${i}`), 1, String(i).length + 1);
  const all = Array.from({ length: 1000 }, (_, i) => i).join("");
  assert.equal(text(stash), all);
  stash.consumeTo(stash.from + 100);
  assert.equal(text(stash), all.slice(100));
  stash.append(Buffer.from("x".repeat(5000)), 0, 5000);
  assert.equal(stash.length, all.length - 100 + 5000);
  stash.consumeTo(stash.to);
  assert.equal(stash.bytes, undefined);
  assert.equal(stash.length, 0);
});

test("what is appended is a copy", () => {
  const stash = new Stash();
  const bytes = Buffer.from("abc");
  stash.append(bytes, 0, 3);
  bytes.fill("x");
  assert.equal(text(stash), "abc");
});
