// What the controller writes into objects must not make it translate them anew: for every kind whose status is its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isKindName, type KindName } from "../../src/kube/kinds.ts";
import { STATUS_KINDS } from "../../src/status/merge-status.ts";
import { isAsBefore } from "../../src/translate/recollection.ts";

/** An object of the world with this status; what else is in it does not matter. */
function objectOf(kind: KindName, status: string): object {
  const object = { metadata: { name: "a", namespace: "default" }, spec: {}, status: { said: status } };
  return { kind, namespace: "default", name: "a", object, age: "2026-01-01T00:00:00Z" };
}

for (const kind of STATUS_KINDS.filter(isKindName)) {
  test(`a ${kind} whose status alone is another is as it was`, () => {
    assert.equal(isAsBefore(objectOf(kind, "once"), objectOf(kind, "now")), true);
  });
}
