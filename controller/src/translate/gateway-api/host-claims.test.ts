import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { intersectHostnames } from "../hostname.ts";
import { HostClaims } from "./host-claims.ts";

const anyName = fc
  .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join("."));
const anyHostname = fc.oneof(
  fc.constant("*"),
  anyName,
  anyName.map((name) => `*.${name}`),
);

test("an owner is found exactly where a claimed hostname shares a host with the one asked for", () => {
  fc.assert(
    fc.property(fc.array(anyHostname, { maxLength: 5 }), anyHostname, (claimed, asked) => {
      const claims = new HostClaims();
      for (const hostname of claimed) claims.claim(hostname, hostname);
      const owner = claims.find(asked);
      const sharing = claimed.filter((hostname) => intersectHostnames(hostname, asked) !== undefined);
      assert.equal(owner !== undefined, sharing.length > 0);
      assert.ok(owner === undefined || sharing.includes(owner), `${owner} shares no host with ${asked}`);
    }),
    { numRuns: 2000 },
  );
});

test("who claimed a hostname first keeps it", () => {
  const claims = new HostClaims();
  claims.claim("a.example.com", "first");
  claims.claim("a.example.com", "second");
  assert.equal(claims.find("a.example.com"), "first");
  assert.equal(claims.find("*.example.com"), "first");
});
