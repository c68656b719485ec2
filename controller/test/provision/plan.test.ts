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
  codeFrom: "gateways",
  caCertificate: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
};

function plan(world: IndexedWorld, more: Partial<PlanFacts> = {}): ProxyPlan[] {
  const { snapshot, groups } = translateWorld(world, clusterOptions);
  return planProxies(world, sliceSnapshot(snapshot, groups), { ...facts, ...more });
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

test("labels and annotations of a user take nothing over that means something to us, nor loosen the pods", async () => {
  const hostile = [
    "app.kubernetes.io/name: victim",
    "app.kubernetes.io/instance: victim",
    "app.kubernetes.io/managed-by: victim",
    "gateway.networking.k8s.io/gateway-name: victim",
    "gateway.networking.k8s.io/gateway-class-name: victim",
  ].join(", ");
  const annotations = [
    "sallyport.io/controller-name: victim",
    "container.apparmor.security.beta.kubernetes.io/sallyport: unconfined",
    "container.seccomp.security.alpha.kubernetes.io/sallyport: unconfined",
    "seccomp.security.alpha.kubernetes.io/pod: unconfined",
  ].join(", ");
  const parameters = `---
apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: edge, namespace: shop }
spec:
  deployment: { podAnnotations: { ${annotations} } }
  service: { labels: { ${hostile} }, annotations: { sallyport.io/controller-name: victim } }
`;
  const ref = "parametersRef: { group: sallyport.io, kind: GatewayParameters, name: edge }";
  const infrastructure = `infrastructure: { ${ref}, labels: { ${hostile} }, annotations: { ${annotations} } }`;
  const world = await loadClusterWorld(edge.replace("listeners:", `${infrastructure}\n  listeners:`) + parameters);
  const manifests = plan(world).flatMap((each) => each.manifests);
  assert.equal(manifests.length, 4);
  for (const { kind, metadata, ...rest } of manifests) {
    assert.doesNotMatch(JSON.stringify(metadata.labels), /victim/, kind);
    assert.equal(metadata.annotations["sallyport.io/controller-name"], facts.controllerName);
    // Of the pods in the Deployment as well; the annotation that tells controllers apart means nothing there.
    assert.doesNotMatch(
      JSON.stringify(rest).replaceAll('"sallyport.io/controller-name":"victim"', ""),
      /victim|unconfined/,
    );
  }
});

test("code by the parameters of a Gateway is refused where it is for classes to say, and what there is stays", async () => {
  const parameters = (name: string, spec: string): string => `---
apiVersion: sallyport.io/v1alpha1
kind: GatewayParameters
metadata: { name: ${name}, namespace: shop }
spec: { deployment: { ${spec} } }
`;
  const ref = (name: string): string =>
    `infrastructure: { parametersRef: { group: sallyport.io, kind: GatewayParameters, name: ${name} } }\n  listeners:`;
  for (const [spec, isCode] of [
    ["image: mine", true],
    ["env: [{ name: NODE_OPTIONS, value: --inspect }]", true],
    ["imagePullSecrets: [{ name: theirs }]", true],
    ["workers: 2", false],
  ] as const) {
    const world = await loadClusterWorld(edge.replace("listeners:", ref("own")) + parameters("own", spec));
    const [free] = plan(world);
    assert.equal(free?.extent, "whole", spec);
    const [bound] = plan(world, { codeFrom: "classes" });
    assert.equal(bound?.extent, isCode ? "untouched" : "whole", spec);
    assert.equal(bound?.obstacle !== undefined, isCode, spec);
  }
  const ofClass = edge.replace(
    "controllerName: ",
    "parametersRef: { group: sallyport.io, kind: GatewayParameters, name: of-class, namespace: shop }, controllerName: ",
  );
  const [byClass] = plan(await loadClusterWorld(ofClass + parameters("of-class", "image: ours")), {
    codeFrom: "classes",
  });
  assert.equal(byClass?.extent, "whole");
  assert.match(textOf(byClass === undefined ? [] : [byClass], "Deployment"), /"image":"ours"/);
});
