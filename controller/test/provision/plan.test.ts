/**
 * Golden folders of provisioning: `golden/<name>/input.yaml` is what a cluster has, `plans.yaml` says which objects there should be
 * for each group of proxies. The name of the folder is the name of the test; `npm test -- --update` rewrites them.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertGolden } from "@sallyport/testkit/golden";
import { planProxies, type PlanFacts, type ProxyPlan } from "../../src/provision/plan.ts";
import { translateWorld } from "../../src/translate/run.ts";
import { sliceSnapshot } from "../../src/translate/slice.ts";
import type { IndexedWorld } from "../../src/world/indexed-world.ts";
import { toCompactYaml } from "../compact-yaml.ts";
import { clusterOptions } from "../golden-world.ts";
import { loadClusterWorld } from "../load-world.ts";

const root = join(import.meta.dirname, "golden");

const facts: PlanFacts = {
  controllerName: clusterOptions.controllerName,
  namespace: "sallyport-system",
  image: "ghcr.io/sallyport/sallyport:test",
  controllerAddress: "sallyport-controller.sallyport-system.svc:15012",
  caCertificate: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
};

function plan(world: IndexedWorld): ProxyPlan[] {
  const { snapshot, groups } = translateWorld(world, clusterOptions);
  return planProxies(world, sliceSnapshot(snapshot, groups), facts);
}

for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  test(name, async () => {
    const world = await loadClusterWorld(readFileSync(join(root, name, "input.yaml"), "utf8"));
    const plans = plan(world).map(({ group, owners, extent, manifests }) => ({
      group,
      extent,
      owners: [...owners],
      manifests,
    }));
    assertGolden(join(root, name, "plans.yaml"), toCompactYaml(plans));
  });
}

const edge = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport, uid: class }
spec: { controllerName: ${facts.controllerName} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop, uid: edge }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`;

function textOf(plans: readonly ProxyPlan[], kind: string): string {
  return JSON.stringify(plans.flatMap(({ manifests }) => manifests).filter((manifest) => manifest.kind === kind));
}

test("a plan whose inputs did not change is the same object in the next world", async () => {
  const world = await loadClusterWorld(edge);
  const [first, second] = [plan(world), plan(world)];
  assert.equal(first.length, 1);
  assert.equal(first[0], second[0]);
});

test("another listener changes the Service and not the pods", async () => {
  const more = edge.replace("listeners: [", "listeners: [{ name: more, port: 8443, protocol: HTTP }, ");
  const [before, after] = [plan(await loadClusterWorld(edge)), plan(await loadClusterWorld(more))];
  assert.notEqual(textOf(before, "Service"), textOf(after, "Service"));
  assert.equal(textOf(before, "Deployment"), textOf(after, "Deployment"));
});

test("names and label values of the longest Gateway fit", async () => {
  const longest = `${"a".repeat(62)}.`.repeat(4).slice(0, 252) + "z";
  const world = await loadClusterWorld(edge.replace("name: edge,", `name: ${longest},`));
  const [{ manifests } = { manifests: [] }] = plan(world);
  assert.deepEqual(
    manifests.map(({ kind }) => kind),
    ["ServiceAccount", "ConfigMap", "Service", "Deployment"],
  );
  for (const { metadata } of manifests) {
    assert.match(metadata.name, /^[a-z]([-a-z0-9]*[a-z0-9])?$/);
    assert.ok(metadata.name.replace(/-ca$/, "").length <= 63);
    for (const value of Object.values(metadata.labels))
      assert.match(value, /^[a-z0-9A-Z]([-_.a-z0-9A-Z]{0,61}[a-z0-9A-Z])?$/);
  }
});
