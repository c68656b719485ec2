import assert from "node:assert/strict";
import { test } from "node:test";
import { type Hinted, NOWHERE, preferNear } from "./locality.ts";

interface Named extends Hinted {
  readonly name: string;
}

function one(name: string, forZones?: readonly string[], forNodes?: readonly string[]): Named {
  return { name, forZones, forNodes };
}

function choose(endpoints: readonly Named[], zone: string, node = ""): string {
  return preferNear(endpoints, { ...NOWHERE, zone, node })
    .map(({ name }) => name)
    .join("");
}

test("endpoints meant for this zone are used alone", () => {
  const endpoints = [one("a", ["z1"]), one("b", ["z2"]), one("c", ["z1", "z2"])];
  assert.equal(choose(endpoints, "z1"), "ac");
  assert.equal(choose(endpoints, "z2"), "bc");
});

test("all are used where one says nothing, none is meant for this zone, or nobody knows where this is", () => {
  const hinted = [one("a", ["z1"]), one("b", ["z2"])];
  assert.equal(choose([...hinted, one("c")], "z1"), "abc");
  assert.equal(choose([...hinted, one("c", [])], "z1"), "abc");
  assert.equal(choose(hinted, "z3"), "ab");
  assert.equal(preferNear(hinted, NOWHERE), hinted);
});

test("nodes come before zones, under the same rule", () => {
  const endpoints = [one("a", ["z1"], ["n1"]), one("b", ["z1"], ["n2"]), one("c", ["z2"], ["n3"])];
  assert.equal(choose(endpoints, "z1", "n2"), "b");
  assert.equal(choose(endpoints, "z1", "n9"), "ab");
  assert.equal(choose([...endpoints, one("d", ["z1"])], "z1", "n2"), "abd");
});
