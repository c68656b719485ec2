import assert from "node:assert/strict";
import { test } from "node:test";
import { loadClusterWorld } from "../../test/load-world.ts";
import type { World } from "../world/world.ts";
import { isAsBefore, Recollection } from "./recollection.ts";

function objects(value: string, status = "{}"): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: shop }
data: { value: "${value}" }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: edge, resourceVersion: "${status.length}" }
spec: { controllerName: example.com/x }
status: ${status}
`;
}

const valueOf = (world: World): string | undefined => world.get("ConfigMap", "shop", "a")?.object.data?.["value"];

test("what was made of an object is made again only where something that was read is another object", async () => {
  const recollection = new Recollection<object, string>();
  const subject = {};
  let made = 0;
  const make = (world: World): string => `${valueOf(world)} ${world.list("Secret").length} ${(made += 1)}`;
  const [one, two] = await Promise.all([loadClusterWorld(objects("x")), loadClusterWorld(objects("y"))]);
  assert.equal(recollection.recall(subject, { world: one }, make), "x 0 1");
  assert.equal(recollection.recall(subject, { world: one }, make), "x 0 1");
  assert.equal(recollection.recall(subject, { world: two }, make), "y 0 2");
  assert.equal(recollection.recall({}, { world: two }, make), "y 0 3");
});

test("other inputs count as well", async () => {
  const recollection = new Recollection<object, number>();
  const [subject, world] = [{}, await loadClusterWorld(objects("x"))];
  let made = 0;
  const recall = (...inputs: unknown[]): number =>
    recollection.recall(subject, { world, inputs: () => inputs }, () => (made += 1));
  assert.deepEqual([recall(1), recall(1), recall(2), recall(2, 3), recall(2, 3)], [1, 1, 2, 3, 3]);
});

test("what is read for something remembered counts for what that is used in", async () => {
  const [inner, outer] = [new Recollection<object, string>(), new Recollection<object, string>()];
  const [innerSubject, outerSubject] = [{}, {}];
  const recall = (world: World): string =>
    outer.recall(outerSubject, { world }, (reader) =>
      inner.recall(innerSubject, { world: reader }, (deeper) => valueOf(deeper) ?? ""),
    );
  const [one, two] = await Promise.all([loadClusterWorld(objects("x")), loadClusterWorld(objects("y"))]);
  inner.recall(innerSubject, { world: one }, (reader) => valueOf(reader) ?? "");
  assert.deepEqual([recall(one), recall(two), recall(one)], ["x", "y", "x"]);
});

test("an object is as before where only its status is another, and only if nobody reads that", async () => {
  const [before, written, changed] = await Promise.all([
    loadClusterWorld(objects("x")),
    loadClusterWorld(objects("x", "{ conditions: [] }")),
    loadClusterWorld(objects("x").replace("example.com/x", "example.com/y")),
  ]);
  const classOf = (world: World): unknown => world.get("GatewayClass", "", "edge");
  assert.equal(isAsBefore(classOf(before), classOf(written)), true);
  assert.equal(isAsBefore(classOf(before), classOf(changed)), false);
  const mapOf = (world: World): unknown => world.get("ConfigMap", "shop", "a");
  assert.equal(isAsBefore(mapOf(before), mapOf(written)), false);
});
