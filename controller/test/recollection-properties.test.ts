/** A translation that remembers what it made of earlier worlds says the same as one that sees its world for the first time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "@sallyport/model/snapshot";
import { runs } from "@sallyport/testkit/runs";
import fc from "fast-check";
import { translateGatewayApi } from "../src/translate/gateway-api/translate.ts";
import { translateIngresses } from "../src/translate/ingress/translate.ts";
import { translateWorld } from "../src/translate/run.ts";
import { sliceSnapshot } from "../src/translate/slice.ts";
import type { TranslateOptions, WorldTranslation } from "../src/translate/translator.ts";
import { type AnyWorldObject, indexWorld, type IndexedWorld } from "../src/world/indexed-world.ts";
import { TrackedWorld } from "../src/world/tracked-world.ts";
import { clusterOptions, goldenNames, goldenOptions, loadGolden, objectsOf } from "./golden-world.ts";

const worlds = await Promise.all(goldenNames.map(async (name) => objectsOf((await loadGolden(name)).world)));

/** A step from one world to the next: the objects of a kind that a number picks go, come back, or have a new status. */
const step = fc.record({ kind: fc.constantFrom("gone", "back", "status", "generation"), pick: fc.nat() });

test("whatever came before, a world is translated as if it were the first", () => {
  const walk = fc.record({
    objects: fc.constantFrom(...worlds),
    options: fc.constantFrom(goldenOptions, clusterOptions),
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(walk, ({ objects, options, steps }) => {
      let current = [...objects];
      let world = indexWorld(current);
      let last = look(world, options);
      for (const { kind, pick } of steps) {
        const target = objects[pick % objects.length]!;
        current = change(current, target, kind);
        world = indexWorld(current, world);
        last = look(world, options, last);
        assert.equal(tell(last), tell(look(forget(current), options)));
      }
    }),
    { numRuns: runs(60) },
  );
});

test("families do not ask where endpoints are: nothing of theirs is made anew when that changes", () => {
  for (const objects of worlds) {
    const tracked = new TrackedWorld(indexWorld(objects));
    for (const translate of [translateGatewayApi, translateIngresses]) translate(tracked, clusterOptions);
    assert.deepEqual(
      [...tracked.reads].filter((key) => key.startsWith("EndpointSlice/")),
      [],
    );
  }
});

test("a route that did not change stays the same resource, also where a status of its Gateway did", async () => {
  const before = objectsOf((await loadGolden("simple-same-namespace")).world);
  const world = indexWorld(before);
  const after = before.map((object) => (object.kind === "Gateway" ? withStatus(object) : object));
  const [first, second] = [world, indexWorld(after, world)].map(
    (each) => translateWorld(each, clusterOptions).snapshot,
  );
  const routes = [...first!.resources.values()].filter(({ kind }) => kind === "http-route");
  assert.ok(routes.length > 0);
  for (const route of routes) assert.equal(second!.resources.get(`http-route|${route.key}`), route);
});

const isSame = (left: AnyWorldObject, right: AnyWorldObject): boolean =>
  left.kind === right.kind && left.namespace === right.namespace && left.name === right.name;

function change(current: readonly AnyWorldObject[], target: AnyWorldObject, kind: string): AnyWorldObject[] {
  const without = current.filter((object) => !isSame(object, target));
  const now = current.find((object) => isSame(object, target)) ?? target;
  if (kind === "gone") return without;
  if (kind === "back") return [...without, target];
  return [...without, kind === "status" ? withStatus(now) : withGeneration(now)];
}

function withStatus(target: AnyWorldObject): AnyWorldObject {
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } };
  return { ...target, object: { ...target.object, status } } as unknown as AnyWorldObject;
}

function withGeneration(target: AnyWorldObject): AnyWorldObject {
  const { metadata } = target.object;
  const renewed = { ...metadata, generation: (metadata.generation ?? 0) + 1 };
  return { ...target, object: { ...target.object, metadata: renewed } } as AnyWorldObject;
}

/** The same objects, and nothing that is known of them. */
function forget(objects: readonly AnyWorldObject[]): IndexedWorld {
  return indexWorld(objects.map((object) => ({ ...object })));
}

interface Look {
  readonly translation: WorldTranslation;
  readonly slices: ReadonlyMap<string, Snapshot>;
}

function look(world: IndexedWorld, options: TranslateOptions, last?: Look): Look {
  const translation = translateWorld(world, options, last?.translation);
  return { translation, slices: sliceSnapshot(translation.snapshot, translation.groups, last?.slices) };
}

function tell({ translation: { snapshot, statuses, problems }, slices }: Look): string {
  const parts = [...slices].map(([group, { resources }]) => [group, [...resources]]);
  return JSON.stringify({ resources: [...snapshot.resources], parts, statuses, problems });
}
