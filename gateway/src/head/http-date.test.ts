import assert from "node:assert/strict";
import { test } from "node:test";
import { dateLine } from "./http-date.ts";

test("the date is that of the second", () => {
  assert.equal(dateLine(Date.UTC(1994, 10, 6, 8, 49, 37)), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  assert.equal(dateLine(Date.UTC(1994, 10, 6, 8, 49, 37, 999)), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  assert.equal(dateLine(Date.UTC(1994, 10, 6, 8, 49, 38)), "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
});
