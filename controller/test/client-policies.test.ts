/** ClientTrafficPolicies where goldens do not reach: in a cluster, between Gateways, and by age. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listener } from "@sallyport/model/listener";
import { resourcesOf } from "@sallyport/model/snapshot";
import { translateWorld } from "../src/translate/run.ts";
import type { TranslateOptions } from "../src/translate/translator.ts";
import { clusterOptions, GATEWAY_CLASS, goldenOptions } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const CLASS = GATEWAY_CLASS;

function gatewayText(namespace: string, year: number, rest = ""): string {
  return `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: ${namespace}, generation: 1, creationTimestamp: "${year}-01-01T00:00:00Z"${rest} }
spec:
  gatewayClassName: sallyport
  listeners: [{ name: http, port: 80, protocol: HTTP, hostname: ${namespace}.example.com }]
`;
}

interface PolicyText {
  readonly namespace: string;
  readonly name?: string;
  readonly year?: number;
  readonly spec: string;
}

function policyText({ namespace, name = "clients", year = 2020, spec }: PolicyText): string {
  return `---
apiVersion: policy.sallyport.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: ${name}, namespace: ${namespace}, generation: 4, creationTimestamp: "${year}-01-01T00:00:00Z" }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }]
  ${spec}
`;
}

interface Told {
  readonly listeners: ReadonlyMap<string, Listener>;
  /** Reasons of conditions by policy. */
  readonly reasons: Readonly<Record<string, readonly string[]>>;
}

async function translate(options: TranslateOptions, ...texts: readonly string[]): Promise<Told> {
  const { snapshot, statuses } = translateWorld(await loadClusterWorld(`${CLASS}${texts.join("")}`), options);
  const policies = statuses.filter(({ object }) => object.kind === "ClientTrafficPolicy");
  const reasons = policies.map(({ object, status }) => {
    const { ancestors } = status as { ancestors: readonly { conditions: readonly { reason: string }[] }[] };
    return [
      `${object.namespace}/${object.name}`,
      ancestors.flatMap((one) => one.conditions.map(({ reason }) => reason)),
    ];
  });
  return {
    listeners: new Map(resourcesOf(snapshot, "listener").map((listener) => [listener.key, listener])),
    reasons: Object.fromEntries(reasons) as Told["reasons"],
  };
}

const TENANTS = [
  gatewayText("old", 2020),
  gatewayText("young", 2024),
  policyText({ namespace: "old", spec: "connection: { maxConnections: 7 }" }),
  policyText({
    namespace: "young",
    spec: "connection: { maxConnections: 1 }\n  proxyProtocol: { trustedCIDRs: [10.0.0.0/8] }",
  }),
];

test("in a cluster Gateways have proxies of their own, and policies of one mean nothing to another", async () => {
  const { listeners, reasons } = await translate(clusterOptions, ...TENANTS);
  assert.deepEqual(listeners.get("old/edge/http")?.connections, { maxConnections: 7 });
  assert.deepEqual(listeners.get("young/edge/http")?.connections, { maxConnections: 1 });
  assert.deepEqual(listeners.get("young/edge/http")?.proxyProtocol, { trusted: ["10.0.0.0/8"], required: true });
  assert.deepEqual(reasons, { "old/clients": ["Accepted"], "young/clients": ["Accepted"] });
});

test("where Gateways share a port the older one's policy has it, and the other is told", async () => {
  const { listeners, reasons } = await translate(goldenOptions, ...TENANTS);
  for (const key of ["old/edge/http", "young/edge/http"]) {
    assert.deepEqual(listeners.get(key)?.connections, { maxConnections: 7 }, key);
    assert.equal(listeners.get(key)?.proxyProtocol, undefined, key);
  }
  assert.deepEqual(reasons, { "old/clients": ["Accepted"], "young/clients": ["Accepted", "Overridden"] });
});

test("of two policies of one Gateway the older one counts, whatever its name", async () => {
  const { listeners, reasons } = await translate(
    clusterOptions,
    gatewayText("shop", 2020),
    policyText({ namespace: "shop", name: "a", year: 2024, spec: "headers: { maxFields: 11 }" }),
    policyText({ namespace: "shop", name: "b", year: 2022, spec: "connection: { maxRequests: 22 }" }),
  );
  const http = listeners.get("shop/edge/http")?.http;
  assert.equal(http?.maxHeaderFields, 100);
  assert.equal(http?.maxRequests, 22);
  assert.deepEqual(reasons, { "shop/a": ["Conflicted"], "shop/b": ["Accepted"] });
});

test("what the Gateway says itself goes before its policy", async () => {
  const { listeners, reasons } = await translate(
    clusterOptions,
    gatewayText("shop", 2020, ", annotations: { sallyport.io/proxy-protocol: 192.0.2.1 }"),
    policyText({ namespace: "shop", spec: "proxyProtocol: { trustedCIDRs: [10.0.0.0/8] }" }),
  );
  assert.deepEqual(listeners.get("shop/edge/http")?.proxyProtocol, { trusted: ["192.0.2.1"], required: true });
  assert.deepEqual(reasons, { "shop/clients": ["Accepted", "Overridden"] });
});

test("a policy of a Gateway that is not served is accepted, and waits", async () => {
  const { listeners, reasons } = await translate(
    clusterOptions,
    gatewayText("shop", 2020, ", annotations: { sallyport.io/proxy-protocol: nonsense }"),
    policyText({ namespace: "shop", spec: "headers: { maxFields: 11 }" }),
  );
  assert.equal(listeners.size, 0);
  assert.deepEqual(reasons, { "shop/clients": ["Accepted"] });
});
