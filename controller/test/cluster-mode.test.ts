/** What is different where every Gateway has proxies of its own: ports, addresses, Programmed, and slices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toServiceName } from "../src/translate/proxy-names.ts";
import { translateWorld } from "../src/translate/run.ts";
import { sliceSnapshot } from "../src/translate/slice.ts";
import type { ProxyFacts, ProxyObstacle } from "../src/translate/translator.ts";
import { clusterOptions, GATEWAY_CLASS } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const CLASS = GATEWAY_CLASS;

interface GatewayText {
  readonly name?: string;
  readonly addresses?: string;
  readonly port?: number;
}

function gatewayText({ name = "edge", addresses = "[]", port = 80 }: GatewayText = {}): string {
  return `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: shop, generation: 3 }
spec:
  gatewayClassName: sallyport
  addresses: ${addresses}
  listeners: [{ name: http, port: ${port}, protocol: HTTP }]
`;
}

function serviceText(name: string, rest: string, namespace = "shop"): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
${rest}
`;
}

const loadBalancer = (ingress: string): string =>
  `spec: { type: LoadBalancer, ports: [{ port: 80 }] }\nstatus: { loadBalancer: { ingress: ${ingress} } }`;

interface Seen {
  readonly addresses?: unknown;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
    readonly observedGeneration?: number;
  }[];
  readonly listeners: readonly Seen[];
}

async function translate(text: string, obstacles: readonly ProxyObstacle[] = []) {
  const world = await loadClusterWorld(`${CLASS}${text}`);
  const proxies: ProxyFacts = { ...clusterOptions.proxies!, obstaclesOf: () => obstacles };
  return translateWorld(world, { ...clusterOptions, proxies });
}

async function gatewayStatus(text: string, obstacles: readonly ProxyObstacle[] = []): Promise<Seen> {
  const { statuses } = await translate(text, obstacles);
  const found = statuses.find(({ object }) => object.kind === "Gateway");
  return found?.status as Seen;
}

function tell({ conditions }: Seen, type: string): string {
  const { status, reason } = conditions.find((condition) => condition.type === type)!;
  return `${status} ${reason}`;
}

test("the addresses of a Gateway are those that its Service was given", async () => {
  const text =
    gatewayText() + serviceText("edge-sallyport", loadBalancer("[{ ip: 192.0.2.1 }, { hostname: lb.example }]"));
  const status = await gatewayStatus(text);
  assert.deepEqual(status.addresses, [
    { type: "IPAddress", value: "192.0.2.1" },
    { type: "Hostname", value: "lb.example" },
  ]);
  assert.equal(tell(status, "Programmed"), "True Programmed");
});

test("a Service within the cluster gives its own addresses", async () => {
  const spec =
    "spec: { type: ClusterIP, clusterIP: 10.0.0.7, clusterIPs: [10.0.0.7, 'fd00::7'], ports: [{ port: 80 }] }";
  const status = await gatewayStatus(gatewayText() + serviceText("edge-sallyport", spec));
  assert.deepEqual(status.addresses, [
    { type: "IPAddress", value: "10.0.0.7" },
    { type: "IPAddress", value: "fd00::7" },
  ]);
});

test("a Gateway without an address is accepted and not programmed, with or without its Service", async () => {
  for (const service of ["", serviceText("edge-sallyport", loadBalancer("[]"))]) {
    const status = await gatewayStatus(gatewayText() + service);
    assert.equal(tell(status, "Accepted"), "True Accepted");
    assert.equal(tell(status, "Programmed"), "False AddressNotAssigned");
    assert.equal(status.addresses, undefined);
  }
});

test("an address without a value is whatever the load balancer gives", async () => {
  const text =
    gatewayText({ addresses: "[{ type: IPAddress }]" }) +
    serviceText("edge-sallyport", loadBalancer("[{ ip: 192.0.2.1 }]"));
  assert.deepEqual((await gatewayStatus(text)).addresses, [{ type: "IPAddress", value: "192.0.2.1" }]);
});

test("addresses that are asked for are given, or cannot be used, or cannot even be asked for", async () => {
  const [bad, good] = ["192.0.2.99", "192.0.2.1"];
  const services =
    serviceText(toServiceName({ name: "edge" }, "sallyport", bad), loadBalancer("[]")) +
    serviceText(toServiceName({ name: "edge" }, "sallyport", good), loadBalancer(`[{ ip: ${good} }]`));
  const step = (addresses: string): Promise<Seen> => gatewayStatus(gatewayText({ addresses }) + services);

  const first = await step(`[{ type: test/unheard-of, value: x }, { value: ${bad} }, { value: ${good} }]`);
  assert.equal(tell(first, "Accepted"), "False UnsupportedAddress");
  assert.equal(tell(first, "Programmed"), "False Invalid");
  assert.equal(first.addresses, undefined);

  const second = await step(`[{ value: ${bad} }, { value: ${good} }]`);
  assert.equal(tell(second, "Accepted"), "True Accepted");
  assert.equal(tell(second, "Programmed"), "False AddressNotUsable");
  assert.equal(tell(second.listeners[0]!, "Programmed"), "True Programmed");
  assert.deepEqual(second.addresses, [{ type: "IPAddress", value: good }]);

  const third = await step(`[{ value: ${good} }]`);
  assert.equal(tell(third, "Programmed"), "True Programmed");
  assert.deepEqual(third.addresses, [{ type: "IPAddress", value: good }]);
});

test("a Service that was given another address than it asks for gives its Gateway none", async () => {
  const name = toServiceName({ name: "edge" }, "sallyport", "192.0.2.1");
  const text =
    gatewayText({ addresses: "[{ value: 192.0.2.1 }]" }) + serviceText(name, loadBalancer("[{ ip: 192.0.2.2 }]"));
  const status = await gatewayStatus(text);
  assert.equal(tell(status, "Programmed"), "False AddressNotUsable");
  assert.equal(status.addresses, undefined);
});

test("an IPv6 address is the same however it is written, and is told as it was asked for", async () => {
  const asked = "2001:DB8:0::1";
  const text =
    gatewayText({ addresses: `[{ value: "${asked}" }]` }) +
    serviceText(toServiceName({ name: "edge" }, "sallyport", asked), loadBalancer("[{ ip: '2001:db8::1' }]"));
  assert.deepEqual((await gatewayStatus(text)).addresses, [{ type: "IPAddress", value: asked }]);
});

test("what keeps proxies from serving is told by the Gateway and its listeners, and an unusable address before it", async () => {
  const ready = serviceText("edge-sallyport", loadBalancer("[{ ip: 192.0.2.1 }]"));
  const refused = await gatewayStatus(gatewayText() + ready, [{ reason: "Invalid", message: "no" }]);
  assert.equal(tell(refused, "Programmed"), "False Invalid");
  assert.equal(tell(refused.listeners[0]!, "Programmed"), "False Invalid");
  const unmade = await gatewayStatus(gatewayText(), [{ reason: "NoResources", message: "quota" }]);
  assert.equal(tell(unmade, "Programmed"), "False NoResources");
  assert.equal(tell(unmade.listeners[0]!, "Programmed"), "False Pending");
  const name = toServiceName({ name: "edge" }, "sallyport", "192.0.2.9");
  const unusable = gatewayText({ addresses: "[{ value: 192.0.2.9 }]" }) + serviceText(name, loadBalancer("[]"));
  const both = await gatewayStatus(unusable, [{ reason: "Pending", message: "not yet" }]);
  assert.equal(tell(both, "Programmed"), "False AddressNotUsable");
});

test("every condition of a Gateway and its listeners carries the generation", async () => {
  const status = await gatewayStatus(gatewayText(), [{ reason: "Pending", message: "not yet" }]);
  const all = [status, ...status.listeners].flatMap(({ conditions }) => conditions);
  assert.deepEqual(new Set(all.map(({ observedGeneration }) => observedGeneration)), new Set([3]));
  assert.deepEqual(
    status.conditions.map(({ type }) => type),
    ["Accepted", "Programmed", "ResolvedRefs"],
  );
});

test("Gateways of the same port are in nobody's way, and bind where they need no privilege", async () => {
  const { snapshot, statuses } = await translate(gatewayText() + gatewayText({ name: "other" }));
  const listeners = [...snapshot.resources.values()].filter((resource) => resource.kind === "listener");
  assert.deepEqual(
    listeners.map(({ key, bind }) => [key, bind.port]),
    [
      ["shop/edge/http", 10_080],
      ["shop/other/http", 10_080],
    ],
  );
  for (const { object, status } of statuses)
    if (object.kind === "Gateway") assert.equal(tell(status as Seen, "Accepted"), "True Accepted");
});

test("a listener whose port cannot be bound is not accepted", async () => {
  const status = await gatewayStatus(gatewayText({ port: 60_443 }));
  assert.equal(tell(status.listeners[0]!, "Accepted"), "False PortUnavailable");
  assert.equal(tell(status, "Accepted"), "False ListenersNotValid");
});

const INGRESS = `---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: sallyport }
spec: { controller: sallyport.io/ingress-controller }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec:
  ingressClassName: sallyport
  defaultBackend: { service: { name: web, port: { number: 80 } } }
`;

test("Ingresses have the addresses of their proxies' Service", async () => {
  const text =
    INGRESS +
    serviceText("sallyport-ingress", loadBalancer("[{ ip: 192.0.2.5 }, { hostname: lb.example }]"), "sallyport-system");
  const { statuses } = await translate(text);
  const { status } = statuses.find(({ object }) => object.kind === "Ingress")!;
  assert.deepEqual(status, { loadBalancer: { ingress: [{ ip: "192.0.2.5" }, { hostname: "lb.example" }] } });
});

test("Ingresses and Gateways do not settle ports between them, and each group has its slice", async () => {
  const text = gatewayText() + gatewayText({ name: "closed", port: 60_443 }) + INGRESS;
  const { snapshot, groups } = await translate(text);
  const slices = sliceSnapshot(snapshot, groups);
  const ids = (group: string): string[] => [...(slices.get(group)?.resources.keys() ?? [])];
  assert.deepEqual(new Set(slices.keys()), new Set(["shop/edge", "shop/closed", "Ingress"]));
  assert.deepEqual(ids("shop/edge"), ["listener|shop/edge/http"]);
  assert.deepEqual(ids("shop/closed"), []);
  assert.deepEqual(ids("Ingress"), ["listener|Ingress/80/*", "http-route|Ingress/shop/web/(default)"]);
});
