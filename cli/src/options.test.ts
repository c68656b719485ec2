import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCount, parseHostPort, parseLabel, parsePortMap, parsePositiveInteger } from "./options.ts";

test("a host and port may be a name, an IPv4 address, a bracketed IPv6 address or missing", () => {
  assert.deepEqual(parseHostPort("127.0.0.1:15000"), { ok: true, value: { host: "127.0.0.1", port: 15000 } });
  assert.deepEqual(parseHostPort("localhost:0"), { ok: true, value: { host: "localhost", port: 0 } });
  assert.deepEqual(parseHostPort("[::1]:1"), { ok: true, value: { host: "::1", port: 1 } });
  assert.deepEqual(parseHostPort(":80"), { ok: true, value: { host: "::", port: 80 } });
});

test("a host and port without port, with a bad port or with a bare IPv6 address is refused", () => {
  for (const text of [
    "",
    "localhost",
    "localhost:",
    "localhost:65536",
    "localhost:1x",
    "::1:80",
    "[localhost]x:80",
    "[1.2.3.4:5]:80",
  ]) {
    assert.equal(parseHostPort(text).ok, false, text);
  }
});

test("a port map is two ports with an equals sign", () => {
  assert.deepEqual(parsePortMap("80=8080"), { ok: true, value: [80, 8080] });
  for (const text of ["80", "80=", "=80", "80=8080=1", "a=b", "80=70000"])
    assert.equal(parsePortMap(text).ok, false, text);
});

test("a positive integer has no sign, no fraction and no leading zero", () => {
  assert.deepEqual(parsePositiveInteger("4"), { ok: true, value: 4 });
  for (const text of ["0", "-1", "1.5", "04", "", "1e3"]) assert.equal(parsePositiveInteger(text).ok, false, text);
});

test("a count may be 0", () => {
  assert.deepEqual(parseCount("0"), { ok: true, value: 0 });
  assert.deepEqual(parseCount("30"), { ok: true, value: 30 });
  for (const text of ["-1", "00", "1.5", "", "x"]) assert.equal(parseCount(text).ok, false, text);
});

test("a label has a key and a value, which may be empty", () => {
  assert.deepEqual(parseLabel("topology.istio.io/network=n1"), {
    ok: true,
    value: ["topology.istio.io/network", "n1"],
  });
  assert.deepEqual(parseLabel("edge="), { ok: true, value: ["edge", ""] });
  for (const text of ["", "edge", "=n1", "a b=c", "a=b=c"]) assert.equal(parseLabel(text).ok, false, text);
});
