/** Host names: exact before wildcards, longer wildcards before shorter ones, any host last. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { HostTable } from "./host-table.ts";

const CASES: readonly (readonly [host: string, found: string | undefined])[] = [
  ["example.com", "example.com"],
  ["www.example.com", "www.example.com"],
  ["a.example.com", "*.example.com"],
  ["a.b.example.com", "*.example.com"],
  ["x.www.example.com", "*.www.example.com"],
  ["badexample.com", "*"],
  [".example.com", "*"],
  ["", "*"],
  ["other.org", "*"],
];

test("a host finds its most specific name", () => {
  const table = toTable(["example.com", "www.example.com", "*.example.com", "*.www.example.com", "*"]);
  for (const [host, found] of CASES) assert.equal(table.find(host), found, host);
});

test("without the wildcard for all, other hosts find nothing", () => {
  const table = toTable(["example.com", "*.example.com"]);
  assert.equal(table.find("example.org"), undefined);
  assert.equal(table.find(""), undefined);
});

test("the apex is not under its wildcard", () => {
  assert.equal(toTable(["*.example.com"]).find("example.com"), undefined);
});

test("names with one hash are told apart", () => {
  const table = toTable(["*.aA"]);
  assert.equal(table.find("x.aA"), "*.aA");
  assert.equal(table.find("x.BB"), undefined);
});

test("the answer is that of trying every name", () => {
  const labels = fc.array(fc.constantFrom("a", "b", "ab", "c"), { minLength: 1, maxLength: 4 });
  const hosts = labels.map((parts) => parts.join("."));
  const names = fc.oneof(
    hosts,
    hosts.map((host) => `*.${host}`),
    fc.constant("*"),
  );
  fc.assert(
    fc.property(fc.uniqueArray(names, { maxLength: 12 }), hosts, (all, host) => {
      assert.equal(toTable(all).find(host), findByTrying(all, host));
    }),
    { numRuns: 2000 },
  );
});

function findByTrying(names: readonly string[], host: string): string | undefined {
  if (names.includes(host)) return host;
  const wildcards = names.filter((name) => name.startsWith("*.") && host.endsWith(name.slice(1)));
  wildcards.sort((one, other) => other.length - one.length);
  return wildcards.find((name) => host.length > name.length - 1) ?? names.find((name) => name === "*");
}

function toTable(names: readonly string[]): HostTable<string> {
  return new HostTable(new Map(names.map((name) => [name, name])));
}
