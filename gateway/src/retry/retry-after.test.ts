import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRetryAfter } from "./retry-after.ts";

/** 6 Nov 1994, 08:49:37. */
const NOW = Date.UTC(1994, 10, 6, 8, 49, 37);

test("seconds, and dates in their three forms, say how long to wait", () => {
  assert.equal(parseRetryAfter("120", NOW), 120_000);
  assert.equal(parseRetryAfter("0", NOW), 0);
  assert.equal(parseRetryAfter("007", NOW), 7000);
  for (const date of ["Sun, 06 Nov 1994 08:49:40 GMT", "Sunday, 06-Nov-94 08:49:40 GMT", "Sun Nov  6 08:49:40 1994"])
    assert.equal(parseRetryAfter(date, NOW), 3000, date);
  assert.equal(parseRetryAfter("Sat Dec 31 23:59:60 1994", Date.UTC(1995, 0, 1)), 0, "a leap second");
});

test("a date that is over asks for no wait", () => {
  assert.equal(parseRetryAfter("Sun, 06 Nov 1994 08:49:36 GMT", NOW), 0);
  assert.equal(parseRetryAfter("Sunday, 06-Nov-93 08:49:37 GMT", NOW), 0);
});

test("two digits of a year are of the century that makes it no more than fifty years ahead", () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(parseRetryAfter("Friday, 01-Jan-27 00:00:00 GMT", now), 365 * 86_400_000);
  assert.equal(parseRetryAfter("Sunday, 06-Nov-94 08:49:37 GMT", now), 0, "1994, not 2094");
});

test("nonsense says nothing", () => {
  const wrong = [
    ...["", " ", "-1", "+1", "1.5", "1e3", "0x10", "5s", "5, 5", "5 ", "soon", "Infinity", "NaN", "1".repeat(41)],
    ...["Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0100"],
    ...["Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"],
    ...["Sun, 31 Jun 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT"],
    ...["Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "1994-11-06T08:49:37Z", "Nov 6, 1994"],
  ];
  for (const value of wrong) assert.equal(parseRetryAfter(value, NOW), undefined, value);
});

test("every date that is written as a date is understood", () => {
  const ahead = fc.integer({ min: 0, max: 4_000_000_000 });
  fc.assert(
    fc.property(ahead, (seconds) => {
      const text = new Date(NOW + seconds * 1000).toUTCString();
      assert.equal(parseRetryAfter(text, NOW), seconds * 1000);
    }),
  );
});
