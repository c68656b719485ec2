/** What holds for the translation of any world, tried on the worlds of the golden folders. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diffSnapshots, toResourceId } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import fc from "fast-check";
import { translateWorld } from "../src/translate/run.ts";
import type { WorldTranslation } from "../src/translate/translator.ts";
import { type AnyWorldObject, indexWorld } from "../src/world/indexed-world.ts";
import { type ReadKey, TrackedWorld } from "../src/world/tracked-world.ts";
import type { World } from "../src/world/world.ts";
import { goldenNames, goldenOptions, loadGolden, objectsOf } from "./golden-world.ts";

const worlds = await Promise.all(goldenNames.map(async (name) => objectsOf((await loadGolden(name)).world)));

/** Everything a translation gives, as the text that deltas compare. */
function toText({ snapshot, statuses, problems }: WorldTranslation): string {
  return JSON.stringify([[...snapshot.resources], statuses, problems]);
}

function translate(world: World): string {
  return toText(translateWorld(world, goldenOptions));
}

test("the order in which objects come changes nothing", () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...worlds)
        .chain((objects) =>
          fc.tuple(fc.constant(objects), fc.shuffledSubarray([...objects], { minLength: objects.length })),
        ),
      ([objects, shuffled]) => assert.equal(translate(indexWorld(shuffled)), translate(indexWorld(objects))),
    ),
  );
});

test("the order of fields in objects changes nothing, so that a resource differs only where its content does", () => {
  for (const objects of worlds) {
    const turned = objects.map((object) => ({ ...object, object: turnFields(object.object) }) as AnyWorldObject);
    assert.equal(translate(indexWorld(turned)), translate(indexWorld(objects)));
  }
});

test("any part of a world is translated, to a snapshot whose references all lead somewhere", () => {
  const anyPart = fc.constantFrom(...worlds).chain((objects) => fc.subarray([...objects]));
  fc.assert(
    fc.property(anyPart, (part) => {
      assert.deepEqual(validateSnapshot(translateWorld(indexWorld(part), goldenOptions).snapshot), []);
    }),
    { numRuns: 300 },
  );
});

test("worlds thrown together are translated, and again to sound snapshots", () => {
  const anyMixture = fc.array(fc.constantFrom(...worlds.flat()), { maxLength: 60 });
  fc.assert(
    fc.property(anyMixture, (mixture) => {
      const unique = new Map(mixture.map((object) => [`${object.kind}/${object.namespace}/${object.name}`, object]));
      assert.deepEqual(validateSnapshot(translateWorld(indexWorld(unique.values()), goldenOptions).snapshot), []);
    }),
    { numRuns: 300 },
  );
});

test("an object that was not read does not matter: without it the translation is the same", () => {
  let spared = 0;
  for (const [index, objects] of worlds.entries()) {
    // Objects of another case's world beside one's own, most of which nothing of this one asks for.
    const others = worlds[(index + 1) % worlds.length] ?? [];
    const all = [...new Map([...others, ...objects].map((object) => [keyOf(object), object])).values()];
    const tracked = new TrackedWorld(indexWorld(all));
    const expected = translate(tracked);
    for (const object of all.filter((candidate) => !isRead(tracked.reads, candidate))) {
      spared += 1;
      assert.equal(translate(indexWorld(all.filter((other) => other !== object))), expected, keyOf(object));
    }
  }
  assert.ok(spared > 50, `only ${spared} objects were not read: the test proves nothing`);
});

test("a Service that no route uses is not read, nor are its endpoints and other namespaces' grants", async () => {
  const tracked = new TrackedWorld((await loadGolden("simple-same-namespace")).world);
  translate(tracked);
  assert.deepEqual([...tracked.reads].toSorted(), [
    "BackendTLSPolicy/*",
    "BackendTLSPolicy/shop/*",
    "BackendTrafficPolicy/*",
    "ClientTrafficPolicy/*",
    "EndpointSlice/shop/*",
    "GRPCRoute/*",
    "Gateway/*",
    "GatewayClass/*",
    "GatewayClass//sallyport",
    "HTTPRoute/*",
    "Ingress/*",
    "IngressClass/*",
    "ListenerSet/*",
    "Service/shop/web",
    "TCPRoute/*",
    "TLSRoute/*",
    "UDPRoute/*",
    "XBackendTrafficPolicy/*",
    "XMesh/*",
  ]);
});

test("one edited route is one changed resource", async () => {
  const objects = objectsOf((await loadGolden("hostname-intersection")).world);
  const edited = objects.map((object) => (object.name === "any" ? rename(object) : object));
  const [before, after] = [objects, edited].map((all) => translateWorld(indexWorld(all), goldenOptions).snapshot);
  assert.ok(before !== undefined && after !== undefined);
  const { upserted, removed } = diffSnapshots(before, after);
  assert.deepEqual([upserted.map(toResourceId), removed], [["http-route|shop/any"], []]);
});

/** The route with another rule name. */
function rename(object: AnyWorldObject): AnyWorldObject {
  if (object.kind !== "HTTPRoute") return object;
  const { spec } = object.object;
  const rules = spec.rules.map((rule) => ({ ...rule, name: "renamed" }));
  return { ...object, object: { ...object.object, spec: { ...spec, rules } } };
}

function keyOf({ kind, namespace, name }: AnyWorldObject): string {
  return `${kind}/${namespace}/${name}`;
}

function isRead(reads: ReadonlySet<ReadKey>, { kind, namespace, name }: AnyWorldObject): boolean {
  return reads.has(`${kind}/*`) || reads.has(`${kind}/${namespace}/*`) || reads.has(`${kind}/${namespace}/${name}`);
}

/** A copy with the fields of all plain objects in the opposite order. */
function turnFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnFields);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, field]) => [name, turnFields(field)]),
  );
}
