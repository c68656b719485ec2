/** The snapshot of every golden world, cut up for groups of proxies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Resource } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import { translateWorld } from "../src/translate/run.ts";
import { sliceSnapshot } from "../src/translate/slice.ts";
import { indexWorld } from "../src/world/indexed-world.ts";
import { clusterOptions, goldenNames, loadGolden, objectsOf } from "./golden-world.ts";

test("slices hold everything and nothing of another group's, in every golden world and all of them together", async () => {
  const worlds = await Promise.all(goldenNames.map(async (name) => (await loadGolden(name)).world));
  const unique = new Map(
    worlds.flatMap(objectsOf).map((object) => [`${object.kind} ${object.namespace} ${object.name}`, object]),
  );
  let shared = 0;
  for (const world of [...worlds, indexWorld(unique.values())]) {
    const { snapshot, groups } = translateWorld(world, clusterOptions);
    const slices = sliceSnapshot(snapshot, groups);
    const covered = new Set([...slices.values()].flatMap(({ resources }) => [...resources.keys()]));
    // A certificate for backends that no route has goes nowhere.
    const left = [...snapshot.resources.keys()].filter((id) => !covered.has(id) && !id.startsWith("secret|"));
    assert.deepEqual(left, []);
    for (const [group, slice] of slices) {
      assert.deepEqual(validateSnapshot(slice), []);
      const resources = [...slice.resources.values()];
      const named = new Set(resources.flatMap(namesOf));
      for (const resource of resources) {
        const whole = snapshot.resources.get(`${resource.kind}|${resource.key}`);
        assertPart(resource, { group, whole, named });
        if (resource !== whole) shared += 1;
      }
    }
    const again = sliceSnapshot(snapshot, groups);
    for (const [group, { resources }] of slices)
      for (const [id, resource] of resources) assert.equal(again.get(group)?.resources.get(id), resource);
  }
  assert.ok(shared > 0, "some route hangs on several Gateways");
});

interface Slicing {
  readonly group: string;
  /** What the resource is a part of, in the snapshot. */
  readonly whole: Resource | undefined;
  /** Ids that resources of the slice name. */
  readonly named: ReadonlySet<string>;
}

/** A listener is the group's own, a route hangs on nothing but that, and the rest is there because it is named. */
function assertPart(resource: Resource, { group, whole, named }: Slicing): void {
  if (resource.kind === "listener") {
    assert.ok(`${resource.key}/`.startsWith(`${group}/`));
  } else if (resource.kind === "http-route" || resource.kind === "stream-route") {
    assert.ok(resource.attachments.length > 0);
    for (const { listener } of resource.attachments) assert.ok(listener.startsWith(`${group}/`));
    return;
  } else assert.ok(named.has(`${resource.kind}|${resource.key}`), `${group} ${resource.kind} ${resource.key}`);
  assert.equal(resource, whole);
}

/** What a resource names, written down once more, for this test alone. */
function namesOf(resource: Resource): string[] {
  const text = JSON.stringify(resource);
  const clusters = [...text.matchAll(/"cluster":"([^"]+)"/g)].map(([, key]) => `cluster|${key}`);
  if (resource.kind === "listener") {
    const { certificates = [], clientValidation } = resource.tls ?? {};
    return [
      ...certificates.map((key) => `secret|${key}`),
      ...(clientValidation?.authorities ?? []).map((key) => `authorities|${key}`),
    ];
  }
  const pages = [...text.matchAll(/"page":"([^"]+)"/g)].map(([, key]) => `page|${key}`);
  if (resource.kind !== "cluster") return [...clusters, ...pages];
  const { trust = [], clientCertificate } = resource.tls ?? {};
  return [
    `endpoints|${resource.key}`,
    ...(trust === "system" ? [] : trust.map((key) => `authorities|${key}`)),
    ...(clientCertificate === undefined ? [] : [`secret|${clientCertificate}`]),
  ];
}
