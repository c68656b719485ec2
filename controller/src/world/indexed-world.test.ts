import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { processorTime } from "@sallyport/testkit/processor-time";
import { changeWorld, indexWorld } from "./indexed-world.ts";
import type { AnyWorldObject, IndexedWorld, ObjectChange } from "./indexed-world.ts";
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

test("a world after changes is the world of what is left, and the one before stays as it was", () => {
  const place = fc.record({
    namespace: fc.constantFrom("x", "y", "z"),
    name: fc.constantFrom("a", "b", "c", "d", "e"),
  });
  const change = fc.record({ place, isGone: fc.boolean(), kind: fc.constantFrom("ConfigMap", "Namespace") });
  fc.assert(
    fc.property(fc.array(fc.record({ changes: fc.array(change), isRead: fc.boolean() })), (rounds) => {
      let world = indexWorld([]);
      const wanted = new Map<string, AnyWorldObject>();
      for (const { changes, isRead } of rounds) {
        const before = show(indexWorld(wanted.values()));
        // What was read has sorted lists that can be patched, what was not has none.
        if (isRead) show(world);
        const own = new Map<string, ObjectChange>();
        for (const { place: where, isGone, kind } of changes) {
          const object = kind === "Namespace" ? namespace(where.name) : configMap(where.namespace, where.name);
          const key = { kind: object.kind, namespace: object.namespace, name: object.name };
          own.set(`${kind}/${key.namespace}/${key.name}`, isGone ? key : { ...key, object });
        }
        const next = changeWorld(world, [...own.values()]);
        for (const [key, { object }] of own) {
          if (object === undefined) wanted.delete(key);
          else wanted.set(key, object);
        }
        assert.deepEqual(show(world), before);
        assert.deepEqual(show(next), show(indexWorld(wanted.values())));
        world = next;
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});

function show(world: IndexedWorld): unknown {
  const kinds = ["ConfigMap", "Namespace"] as const;
  return kinds.map((kind) => ["x", "y", "z", "", undefined].map((name) => world.list(kind, name)));
}

test("a change of one object shares all other kinds, and leaves their lists the same", () => {
  const first = indexWorld([a, b, namespace("x")]);
  const list = first.list("Namespace");
  const second = changeWorld(first, [{ kind: "ConfigMap", namespace: "x", name: "a", object: c }]);
  assert.equal(second.list("Namespace"), list);
  assert.deepEqual(second.list("ConfigMap"), [c, b, a]);
  assert.equal(second.list("ConfigMap", "y"), first.list("ConfigMap", "y"));
});

test("one change among 10 000 objects costs far less than an index of them all", () => {
  const all = Array.from({ length: 10_000 }, (_, index) => configMap(`n${index % 100}`, `o${index}`));
  let world = indexWorld([]);
  const whole = processorTime(() => {
    world = indexWorld(all);
    world.list("ConfigMap");
  });
  const hundred = processorTime(() => {
    for (let index = 0; index < 100; index++) {
      world = changeWorld(world, [{ kind: "ConfigMap", namespace: "n1", name: "o1", object: configMap("n1", "o1") }]);
      world.list("ConfigMap");
    }
  });
  const each = hundred / 100;
  assert.ok(each < whole / 4, `${each} ms each, ${whole} ms for all`);
});
