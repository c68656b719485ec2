import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientTrust } from "./client-trust.ts";
import { identifyClient, type ForwardedFacts } from "./identity.ts";

const EDGE: ForwardedFacts = {
  forwardedFor: "203.0.113.9, 198.51.100.7",
  forwardedProto: "https",
  remoteAddress: "192.0.2.1",
  scheme: "http",
  trust: { kind: "nobody" },
};

function toHops(hops: number): ClientTrust {
  return { kind: "hops", hops };
}

test("at the edge nothing the client says is believed", () => {
  assert.deepEqual(identifyClient(EDGE), {
    clientAddress: "192.0.2.1",
    lines: "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\n",
  });
});

test("behind one trusted proxy the client is the last address, and the peer is appended", () => {
  assert.deepEqual(identifyClient({ ...EDGE, trust: toHops(1) }), {
    clientAddress: "198.51.100.7",
    lines: "x-forwarded-for: 203.0.113.9, 198.51.100.7, 192.0.2.1\r\nx-forwarded-proto: https\r\n",
  });
});

test("behind two it is the one before", () => {
  assert.equal(identifyClient({ ...EDGE, trust: toHops(2) }).clientAddress, "203.0.113.9");
});

test("a list that is too short, or no address, is not believed", () => {
  assert.equal(identifyClient({ ...EDGE, trust: toHops(3) }).clientAddress, "192.0.2.1");
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "x", trust: toHops(1) }).clientAddress, "192.0.2.1");
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "", trust: toHops(1) }).clientAddress, "192.0.2.1");
});

test("a scheme that is none is replaced", () => {
  const { lines } = identifyClient({ ...EDGE, forwardedProto: "javascript", trust: toHops(1) });
  assert.match(lines, /x-forwarded-proto: http\r\n$/);
});

test("IPv6 is an address", () => {
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "2001:db8::1", trust: toHops(1) }).clientAddress, "2001:db8::1");
});
