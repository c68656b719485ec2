import assert from "node:assert/strict";
import { test } from "node:test";
import { UnsureFiles } from "./unsure-files.ts";

test("a file is waited for until it stays the same", () => {
  const files = new UnsureFiles(30);
  files.note(["a"], new Set(["a"]), 1000);
  assert.equal(files.size, 1);
  assert.equal(files.millisUntilDue(1010), 20);
  assert.deepEqual(files.takeDue(1029), []);
  assert.deepEqual(files.takeDue(1030), ["a"]);
  files.note([], new Set(), 1031);
  assert.equal(files.size, 0);
  assert.equal(files.millisUntilDue(1031), undefined);
});

test("a file that still changes is waited for again", () => {
  const files = new UnsureFiles(30);
  files.note(["a"], new Set(["a"]), 1000);
  assert.deepEqual(files.takeDue(1030), ["a"]);
  files.note(["a"], new Set(["a"]), 1031);
  assert.equal(files.millisUntilDue(1031), 30);
});

test("a file that turned out whole is believed at once", () => {
  const files = new UnsureFiles(30);
  files.note(["a", "b"], new Set(["a", "b"]), 1000);
  files.note(["a"], new Set(), 1005);
  assert.equal(files.size, 1);
  assert.deepEqual(files.takeDue(1030), ["b"]);
});

test("a file that never comes to rest is believed in the end", () => {
  const files = new UnsureFiles(30);
  let now = 1000;
  files.note(["a"], new Set(["a"]), now);
  for (; files.size > 0 && now < 10_000; now += 30) {
    files.takeDue(now);
    files.note(["a"], new Set(["a"]), now);
  }
  assert.ok(now > 2900 && now < 3200, String(now));
  files.note(["a"], new Set(["a"]), now);
  assert.equal(files.size, 1, "and waited for afresh the next time");
});
