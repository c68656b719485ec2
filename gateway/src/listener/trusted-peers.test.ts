import assert from "node:assert/strict";
import { test } from "node:test";
import { isTrustedPeer } from "./trusted-peers.ts";

test("addresses and blocks of both families are trusted, and nobody else", () => {
  const proxyProtocol = { trusted: ["10.1.0.0/16", "192.0.2.7", "2001:db8::/32"], required: true };
  for (const address of ["10.1.255.1", "192.0.2.7", "2001:db8:1::1"]) assert.ok(isTrustedPeer(proxyProtocol, address));
  for (const address of ["10.2.0.1", "192.0.2.8", "2001:db9::1", "", "::1"])
    assert.ok(!isTrustedPeer(proxyProtocol, address), address);
});

test("a block that cannot be read trusts nobody", () => {
  for (const trusted of ["0.0.0.0/x", "0.0.0.0/", "0.0.0.0/33", "0.0.0.0/0/0", "example.com", "0.0.0.0/-1"])
    assert.ok(!isTrustedPeer({ trusted: [trusted], required: false }, "192.0.2.1"), trusted);
  assert.ok(isTrustedPeer({ trusted: ["0.0.0.0/0"], required: false }, "192.0.2.1"));
});
