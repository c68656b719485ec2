import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyClient, type ForwardedFacts } from "./identity.ts";

const EDGE: ForwardedFacts = {
  forwardedFor: "203.0.113.9, 198.51.100.7",
  forwardedProto: "https",
  remoteAddress: "192.0.2.1",
  scheme: "http",
  trustedHops: 0,
};

test("at the edge nothing the client says is believed", () => {
  assert.deepEqual(identifyClient(EDGE), {
    clientAddress: "192.0.2.1",
    lines: "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\n",
  });
});

test("behind one trusted proxy the client is the last address, and the peer is appended", () => {
  assert.deepEqual(identifyClient({ ...EDGE, trustedHops: 1 }), {
    clientAddress: "198.51.100.7",
    lines: "x-forwarded-for: 203.0.113.9, 198.51.100.7, 192.0.2.1\r\nx-forwarded-proto: https\r\n",
  });
});

test("behind two it is the one before", () => {
  assert.equal(identifyClient({ ...EDGE, trustedHops: 2 }).clientAddress, "203.0.113.9");
});

test("a list that is too short, or no address, is not believed", () => {
  assert.equal(identifyClient({ ...EDGE, trustedHops: 3 }).clientAddress, "192.0.2.1");
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "x", trustedHops: 1 }).clientAddress, "192.0.2.1");
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "", trustedHops: 1 }).clientAddress, "192.0.2.1");
});

test("a scheme that is none is replaced", () => {
  const { lines } = identifyClient({ ...EDGE, forwardedProto: "javascript", trustedHops: 1 });
  assert.match(lines, /x-forwarded-proto: http\r\n$/);
});

test("IPv6 is an address", () => {
  assert.equal(identifyClient({ ...EDGE, forwardedFor: "2001:db8::1", trustedHops: 1 }).clientAddress, "2001:db8::1");
});
