import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applyDelta,
  diffSnapshots,
  EMPTY_SNAPSHOT,
  redactResource,
  resourcesOf,
  toResourceId,
  toSnapshot,
  type Snapshot,
} from "@sallyport/model/snapshot";
import fc from "fast-check";
import { anyResource, anySnapshot } from "./resource-arbitraries.ts";

/** Prototypes, which the generator varies, are no content. */
function contentOf(snapshot: Snapshot): object {
  const sorted = [...snapshot.resources].toSorted(([left], [right]) => (left < right ? -1 : 1));
  return structuredClone(Object.fromEntries(sorted));
}

/** Another object of the same content, as it arrives by wire. */
function copy(snapshot: Snapshot): Snapshot {
  return toSnapshot([...snapshot.resources.values()].map((resource) => structuredClone(resource)));
}

test("the delta from a to b applied to a gives b", () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (before, after) => {
      assert.deepEqual(contentOf(applyDelta(before, diffSnapshots(before, after))), contentOf(after));
    }),
  );
});

test("equal content gives an empty delta, whatever the identity", () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      assert.deepEqual(diffSnapshots(snapshot, copy(snapshot)), { upserted: [], removed: [] });
    }),
  );
});

test("a delta names each resource at most once and only those that differ", () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (before, after) => {
      const { upserted, removed } = diffSnapshots(before, after);
      const ids = [...upserted.map(toResourceId), ...removed];
      assert.equal(new Set(ids).size, ids.length);
      for (const resource of upserted) {
        assert.equal(after.resources.get(toResourceId(resource)), resource);
        assert.notDeepEqual(before.resources.get(toResourceId(resource)), resource);
      }
      for (const id of removed) assert.ok(before.resources.has(id) && !after.resources.has(id));
    }),
  );
});

test("resources a delta does not name keep their identity", () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (before, after) => {
      const delta = diffSnapshots(before, after);
      const named = new Set(delta.upserted.map(toResourceId));
      const applied = applyDelta(before, delta);
      for (const [id, resource] of applied.resources) {
        if (!named.has(id)) assert.equal(resource, before.resources.get(id));
      }
    }),
  );
});

test("applying a delta leaves the snapshot it starts from alone", () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (before, after) => {
      const kept = contentOf(before);
      applyDelta(before, diffSnapshots(before, after));
      assert.deepEqual(contentOf(before), kept);
    }),
  );
});

test("everything is upserted from nothing and removed to nothing", () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      assert.equal(diffSnapshots(EMPTY_SNAPSHOT, snapshot).upserted.length, snapshot.resources.size);
      assert.deepEqual(diffSnapshots(snapshot, EMPTY_SNAPSHOT).removed, [...snapshot.resources.keys()]);
    }),
  );
});

test("of two resources with one id the later wins", () => {
  const older = { kind: "secret", key: "a/b", certificateChain: "old", privateKey: "old" } as const;
  const newer = { ...older, certificateChain: "new" };
  assert.deepEqual([...toSnapshot([older, newer]).resources.values()], [newer]);
});

test("resourcesOf gives the resources of one kind in order", () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const all = [...snapshot.resources.values()];
      const kinds = ["listener", "http-route", "cluster", "endpoints", "secret"] as const;
      for (const kind of kinds) {
        assert.deepEqual(
          resourcesOf(snapshot, kind),
          all.filter((resource) => resource.kind === kind),
        );
      }
    }),
  );
});

test("no private key survives redaction", () => {
  fc.assert(
    fc.property(anyResource, (resource) => {
      const shown = redactResource(resource);
      if (shown.kind === "secret") assert.equal(shown.privateKey, "(redacted)");
      else assert.equal(shown, resource);
    }),
  );
});
