import assert from "node:assert/strict";
import { test } from "node:test";
import { goldenOptions } from "../../../test/golden-world.ts";
import { loadWorld } from "../../../test/load-world.ts";
import { translateWorld } from "../run.ts";

const common = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: sallyport }
spec: { controllerName: sallyport.io/gateway-controller }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ port: 443 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: web, namespace: shop }
spec:
  targetRefs: [{ group: "", kind: Service, name: web }]
  validation: { wellKnownCACertificates: System, hostname: web.example }
`;

/** So many Gateways, all of which have one route to the Service. */
function toGateways(count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `gateway-${String(index).padStart(2, "0")}`);
  const gateways = names.map(
    (name, index) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: shop }
spec: { gatewayClassName: sallyport, listeners: [{ name: http, port: ${1000 + index}, protocol: HTTP }] }
`,
  );
  const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: all, namespace: shop }
spec:
  parentRefs: [${names.map((name) => `{ name: ${name} }`).join(", ")}]
  rules: [{ backendRefs: [{ name: web, port: 443 }] }]
`;
  return [...gateways, route];
}

async function translate(count: number) {
  const { world, problems: broken } = await loadWorld({ "world.yaml": [common, ...toGateways(count)].join("---\n") });
  assert.deepEqual(broken, []);
  const { statuses, problems } = translateWorld(world, goldenOptions);
  const found = statuses.find(({ object }) => object.kind === "BackendTLSPolicy");
  const status = found?.status as {
    readonly ancestors: readonly { readonly ancestorRef: { readonly name: string } }[];
  };
  return { names: status.ancestors.map(({ ancestorRef }) => ancestorRef.name), problems };
}

test("a status has room for sixteen Gateways", async () => {
  const { names, problems } = await translate(16);
  assert.deepEqual([names.length, problems], [16, []]);
});

test("more Gateways than a status has room for are told, and always the same are left out", async () => {
  const { names, problems } = await translate(18);
  assert.deepEqual([names.length, names[0], names.at(-1)], [16, "gateway-00", "gateway-15"]);
  assert.deepEqual(
    problems.map(({ code, message }) => [code, message]),
    [["limit-exceeded", "18 Gateways use its targets, and its status has room for 16"]],
  );
});
