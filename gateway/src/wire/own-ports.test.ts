import assert from "node:assert/strict";
import { test } from "node:test";
import { isReserved, reservePort } from "./own-ports.ts";

test("a reserved port is that of loopback in whatever way it is written, and of no other machine", () => {
  let port = 0;
  const free = reservePort(() => port);
  assert.equal(isReserved("127.0.0.1", 15_000), false, "not open yet");
  port = 15_000;
  const here = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::1%lo",
    "64:ff9b::7f00:1",
  ];
  for (const address of here) assert.equal(isReserved(address, 15_000), true, address);
  for (const address of ["10.0.0.1", "128.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "localhost"])
    assert.equal(isReserved(address, 15_000), false, address);
  assert.equal(isReserved("127.0.0.1", 15_001), false);
  free();
  assert.equal(isReserved("127.0.0.1", 15_000), false);
});
