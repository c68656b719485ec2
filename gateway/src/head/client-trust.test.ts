import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findClient, toClientTrust } from "./client-trust.ts";

const PROXIES = ["10.0.0.0/8", "2001:db8:1::/48"];

/** The client that a peer is taken for which says so, where these proxies are trusted. */
function find(forwardedFor: string, peer = "10.0.0.1", trustedProxies = PROXIES): string {
  return findClient(toClientTrust({ trustedHops: 0, trustedProxies }, peer), forwardedFor, peer);
}

test("a peer that is no trusted proxy is the client, whatever it says", () => {
  assert.equal(find("203.0.113.9", "192.0.2.1"), "192.0.2.1");
  assert.equal(find("10.0.0.9, 10.0.0.8", "192.0.2.1"), "192.0.2.1");
});

test("behind trusted proxies the client is the last address that is none of them", () => {
  assert.equal(find("198.51.100.7, 203.0.113.9"), "203.0.113.9");
  assert.equal(find("198.51.100.7, 203.0.113.9, 10.0.0.3, 2001:db8:1::7"), "203.0.113.9");
  assert.equal(find("203.0.113.9", "2001:db8:1::1"), "203.0.113.9");
});

test("a chain of trusted proxies alone is one of theirs: the outermost is the client", () => {
  assert.equal(find("10.0.0.9,10.0.0.8"), "10.0.0.9");
  assert.equal(find(""), "10.0.0.1");
});

test("what is no address is not believed, nor anything before it", () => {
  for (const garbage of [
    "unknown",
    "",
    "_hidden",
    "1.2.3",
    "1.2.3.4.5",
    "300.1.1.1",
    "fe80::1%eth0",
    "[::1",
    "1.2.3.4:x",
  ]) {
    assert.equal(find(`203.0.113.9, ${garbage}, 10.0.0.3`), "10.0.0.3", garbage);
    assert.equal(find(garbage), "10.0.0.1", garbage);
  }
  assert.equal(find(",10.0.0.3"), "10.0.0.3");
  assert.equal(find("10.0.0.3,"), "10.0.0.1");
});

test("ports, brackets and IPv4 inside IPv6 are seen through", () => {
  assert.equal(find("203.0.113.9:4711, 10.0.0.3:80"), "203.0.113.9");
  assert.equal(find("[2001:DB8::1]:4711, [2001:db8:1::2]"), "2001:db8::1");
  assert.equal(find("203.0.113.9, ::ffff:10.0.0.3"), "203.0.113.9");
  assert.equal(find("203.0.113.9, ::ffff:a00:3"), "203.0.113.9");
  assert.equal(find("::FFFF:203.0.113.9"), "203.0.113.9");
});

test("who trusts everybody believes the first address, and does not read chains without an end", () => {
  assert.equal(find("198.51.100.7, 203.0.113.9", "192.0.2.1", ["0.0.0.0/0", "::/0"]), "198.51.100.7");
  const chain = Array.from({ length: 5000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join(",");
  const found = find(chain, "192.0.2.1", ["0.0.0.0/0"]);
  assert.ok(found.startsWith("10.0.19."), found);
});

test("a block that cannot be read trusts nobody", () => {
  for (const entry of ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "example.com"])
    assert.equal(find("203.0.113.9", "10.0.0.1", [entry]), "10.0.0.1", entry);
});

test("hops are counted from the end, and a list that is too short is not believed", () => {
  const find = (hops: number, list: string): string => findClient({ kind: "hops", hops }, list, "192.0.2.1");
  assert.equal(find(1, "203.0.113.9"), "203.0.113.9");
  assert.equal(find(2, "203.0.113.9:99, 198.51.100.7"), "203.0.113.9");
  for (const list of ["203.0.113.9", ",203.0.113.9", "", ","]) assert.equal(find(2, list), "192.0.2.1", list);
  assert.equal(find(1, "fe80::1%25x"), "192.0.2.1");
});

test("as an oracle that splits the list says", () => {
  const address = fc.constantFrom("10.0.0.1", "10.9.9.9", "203.0.113.9", "2001:db8:1::5", "x", "", "198.51.100.7:1");
  const oracle = (entries: readonly string[]): string => {
    let client = "10.0.0.1";
    for (const entry of entries.toReversed()) {
      const plain = entry.replace(/:1$/, "");
      if (plain === "" || plain === "x") return client;
      client = plain;
      if (!plain.startsWith("10.") && !plain.startsWith("2001:db8:1:")) return client;
    }
    return client;
  };
  fc.assert(
    fc.property(fc.array(address, { maxLength: 12 }), (entries) => {
      assert.equal(find(entries.join(", ")), oracle(entries));
    }),
  );
});
