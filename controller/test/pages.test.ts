/** Pages of policies: each is there once, only where rules answer with it, and only for the proxies of those. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diffSnapshots, resourcesOf, toResourceId } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import { translateWorld } from "../src/translate/run.ts";
import { sliceSnapshot } from "../src/translate/slice.ts";
import type { WorldTranslation } from "../src/translate/translator.ts";
import { clusterOptions, GATEWAY_CLASS } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const API = "gateway.networking.k8s.io";
const ROUTES = 20;

const toGateway = (name: string): string => `
apiVersion: ${API}/v1
kind: Gateway
metadata: { name: ${name}, namespace: shop }
spec: { gatewayClassName: sallyport, listeners: [{ name: http, port: 80, protocol: HTTP }] }
`;

const toRoute = (name: string, gateway: string): string => `
apiVersion: ${API}/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: ${gateway} }]
  rules:
    - matches: [{ path: { value: /${name}/1 } }]
      backendRefs: [{ name: web, port: 80 }]
    - matches: [{ path: { value: /${name}/2 } }]
      backendRefs: [{ name: web, port: 80 }]
`;

const toPolicy = (name: string, target: string, texts: readonly string[]): string => `
apiVersion: policy.sallyport.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  targetRefs: [{ group: ${API}, kind: ${target} }]
  responseOverride:
${texts.map((text, index) => `    - { statuses: ["${500 + index}"], source: Any, response: { body: ${text} } }`).join("\n")}
`;

async function translate(page: string, before?: WorldTranslation): Promise<WorldTranslation> {
  const objects = [
    GATEWAY_CLASS,
    `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ port: 80 }] }
`,
    toGateway("edge"),
    toGateway("other"),
    ...Array.from({ length: ROUTES }, (_, index) => toRoute(`r${index}`, "edge")),
    toRoute("quiet", "other"),
    toPolicy("pages", "Gateway, name: edge", [page, "second", page]),
    toPolicy("nowhere", "HTTPRoute, name: gone", ["unused"]),
  ];
  return translateWorld(await loadClusterWorld(objects.join("---")), clusterOptions, before);
}

test("a page is there once, however many rules and entries answer with it, and not where nobody does", async () => {
  const { snapshot, groups } = await translate("first");
  assert.deepEqual(
    resourcesOf(snapshot, "page").map(({ key, text }) => [key, text]),
    [
      ["BackendTrafficPolicy/shop/pages/0", "first"],
      ["BackendTrafficPolicy/shop/pages/1", "second"],
    ],
  );
  const routes = JSON.stringify(resourcesOf(snapshot, "http-route"));
  assert.equal(routes.split("BackendTrafficPolicy/shop/pages/0").length - 1, ROUTES * 2 * 2);
  assert.ok(!routes.includes("first"));
  assert.deepEqual(validateSnapshot(snapshot), []);
  const slices = sliceSnapshot(snapshot, groups);
  const countOf = (group: string): number => resourcesOf(slices.get(group) ?? snapshot, "page").length;
  assert.deepEqual([countOf("shop/edge"), countOf("shop/other")], [2, 0]);
});

test("of a page that changes, the page is what proxies are sent", async () => {
  const before = await translate("first");
  const after = await translate("changed", before);
  const { upserted, removed } = diffSnapshots(before.snapshot, after.snapshot);
  assert.deepEqual([upserted.map(toResourceId), removed], [["page|BackendTrafficPolicy/shop/pages/0"], []]);
});
