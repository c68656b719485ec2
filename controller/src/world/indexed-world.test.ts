import assert from "node:assert/strict";
import { test } from "node:test";
import { indexWorld } from "./indexed-world.ts";
import type { AnyWorldObject } from "./indexed-world.ts";
import { TrackedWorld } from "./tracked-world.ts";

function configMap(namespace: string, name: string): AnyWorldObject {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name } } as const;
  return { kind: "ConfigMap", namespace, name, object, age: name };
}

function namespace(name: string): AnyWorldObject {
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { namespace: "", name } } as const;
  return { kind: "Namespace", namespace: "", name, object, age: name };
}

const b = configMap("x", "b");
const a = configMap("y", "a");
const c = configMap("x", "a");

test("objects are found by kind, namespace and name", () => {
  const world = indexWorld([a, b, namespace("x")]);
  assert.equal(world.get("ConfigMap", "x", "b"), b);
  assert.equal(world.get("ConfigMap", "x", "a"), undefined);
  assert.equal(world.get("ConfigMap", "z", "a"), undefined);
  assert.equal(world.get("Namespace", "", "x")?.name, "x");
  assert.equal(world.get("Service", "x", "b"), undefined);
});

test("lists are sorted by namespace and name, whatever the order of files", () => {
  for (const objects of [
    [a, b, c],
    [c, b, a],
  ]) {
    const world = indexWorld(objects);
    assert.deepEqual(world.list("ConfigMap"), [c, b, a]);
    assert.deepEqual(world.list("ConfigMap", "x"), [c, b]);
    assert.deepEqual(world.list("ConfigMap", "nowhere"), []);
    assert.deepEqual(world.list("Gateway"), []);
  }
});

test("a list that did not change is the same list in the next world", () => {
  const first = indexWorld([a, b, namespace("x")]);
  const second = indexWorld([a, b, namespace("y")], first);
  assert.equal(second.list("ConfigMap"), first.list("ConfigMap"));
  assert.deepEqual(
    second.list("Namespace").map(({ name }) => name),
    ["y"],
  );
  const third = indexWorld([a, c], second);
  assert.deepEqual(third.list("ConfigMap"), [c, a]);
  assert.deepEqual(first.list("ConfigMap"), [b, a]);
});

test("a tracked world notes what is asked for, found or not", () => {
  const world = new TrackedWorld(indexWorld([a, b, c]));
  assert.equal(world.get("ConfigMap", "x", "b"), b);
  assert.equal(world.get("Secret", "x", "none"), undefined);
  assert.deepEqual(world.list("ConfigMap", "y"), [a]);
  assert.deepEqual(world.list("Namespace"), []);
  assert.deepEqual([...world.reads].toSorted(), ["ConfigMap/x/b", "ConfigMap/y/*", "Namespace/*", "Secret/x/none"]);
});
