/**
 * What whoever writes a Service can make proxies of a cluster connect to: names and addresses count where the operator says so, addresses of
 * special use never do, and what is refused is told where it is referred to and takes nothing else with it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "@sallyport/model/problem";
import { findSpecialUse } from "@sallyport/model/special-use";
import { translateWorld } from "../src/translate/run.ts";
import { CLUSTER_TRUST, type ServiceTrust } from "../src/translate/service-trust.ts";
import { clusterOptions, GATEWAY_CLASS, goldenNames, goldenOptions, loadGolden } from "./golden-world.ts";
import { loadClusterWorld } from "./load-world.ts";

const ALLOWING: ServiceTrust = { ...CLUSTER_TRUST, externalNames: "allowed", staticEndpoints: "allowed" };

const GATEWAY = `${GATEWAY_CLASS}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  gatewayClassName: sallyport
  listeners:
    - { name: http, port: 80, protocol: HTTP }
    - { name: tcp, port: 5432, protocol: TCP }
    - { name: udp, port: 53, protocol: UDP }
---
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
  rules:
    - http:
        paths:
          - { path: /named, pathType: Prefix, backend: { service: { name: named, port: { number: 80 } } } }
          - { path: /web, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec:
  parentRefs: [{ name: edge, sectionName: http }]
  rules:
    - matches: [{ path: { value: /named } }]
      backendRefs: [{ name: named, port: 80 }]
    - matches: [{ path: { value: /listed } }]
      backendRefs: [{ name: listed, port: 80 }]
    - matches: [{ path: { value: /mirrored } }]
      filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: named, port: 80 } } }]
      backendRefs: [{ name: web, port: 80 }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: { name: db, namespace: shop }
spec: { parentRefs: [{ name: edge, sectionName: tcp }], rules: [{ backendRefs: [{ name: named, port: 80 }] }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: { name: dns, namespace: shop }
spec: { parentRefs: [{ name: edge, sectionName: udp }], rules: [{ backendRefs: [{ name: open, port: 53 }] }] }
`;

function service(name: string, rest: string): string {
  return `---\napiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: shop }\nspec: ${rest}\n`;
}

function listed(endpoints: string, rest = "{ ports: [{ port: 80 }] }"): string {
  const metadata = `{ name: listed, namespace: shop, annotations: { sallyport.io/endpoints: "${endpoints}" } }`;
  return `---\napiVersion: v1\nkind: Service\nmetadata: ${metadata}\nspec: ${rest}\n`;
}

function slice(addressType: "IPv4" | "IPv6", ...addresses: readonly string[]): string {
  const labels = "{ kubernetes.io/service-name: web }";
  const endpoints = addresses.map((address) => `{ addresses: ["${address}"] }`).join(", ");
  return `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-${addressType.toLowerCase()}, namespace: shop, labels: ${labels} }
addressType: ${addressType}
ports: [{ name: "", port: 8080, protocol: TCP }]
endpoints: [${endpoints}]
`;
}

const WEB = service("web", "{ selector: { app: web }, ports: [{ port: 80, protocol: TCP }] }");
const NAMED = service(
  "named",
  "{ type: ExternalName, externalName: web.other.svc, ports: [{ port: 80, protocol: TCP }] }",
);
const OPEN = service("open", "{ type: ExternalName, externalName: 169.254.169.254 }");
const ALL = GATEWAY + WEB + NAMED + OPEN + listed("10.0.0.1:80") + slice("IPv4", "10.1.0.1");

async function translate(text: string, trust: ServiceTrust) {
  const world = await loadClusterWorld(text);
  const { snapshot, statuses, problems } = translateWorld(world, { ...clusterOptions, trust });
  const resources = [...snapshot.resources.values()];
  return {
    statuses,
    problems: problems.map(formatProblem),
    routes: resources.filter((resource) => resource.kind === "http-route"),
    streams: resources.filter((resource) => resource.kind === "stream-route"),
    clusters: new Map(resources.flatMap((each) => (each.kind === "cluster" ? [[each.key, each]] : []))),
    endpoints: new Map(
      resources.flatMap((each) =>
        each.kind === "endpoints" ? [[each.key, each.endpoints.map(({ address }) => address)]] : [],
      ),
    ),
  };
}

type Translated = Awaited<ReturnType<typeof translate>>;

/** ResolvedRefs of a route. */
function conditionOf({ statuses }: Translated, kind: string) {
  const { status } = statuses.find(({ object }) => object.kind === kind) ?? assert.fail(kind);
  const { parents } = status as {
    readonly parents: readonly {
      readonly conditions: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason: string;
        readonly message: string;
      }[];
    }[];
  };
  return parents[0]?.conditions.find(({ type }) => type === "ResolvedRefs") ?? assert.fail(kind);
}

test("neither external names nor listed endpoints are backends unless it is said, and whoever refers to them is told", async () => {
  const seen = await translate(ALL, CLUSTER_TRUST);
  assert.deepEqual([...seen.clusters.keys()], ["shop/web:80"]);
  for (const kind of ["HTTPRoute", "TCPRoute", "UDPRoute"]) {
    const { status, reason } = conditionOf(seen, kind);
    assert.deepEqual([status, reason], ["False", "RefNotPermitted"], kind);
  }
  const { message } = conditionOf(seen, "HTTPRoute");
  assert.match(message, /spec\.rules\[0\]\.backendRefs\[0\]\.name: the Service shop\/named .*--allow-external-names/);
  assert.match(
    message,
    /spec\.rules\[1\]\.backendRefs\[0\]\.name: the Service shop\/listed .*--allow-static-endpoints/,
  );
  assert.match(message, /spec\.rules\[2\].*requestMirror\.backendRef\.name/);
  const ingress = seen.problems.filter((problem) => problem.includes("Ingress shop/web"));
  assert.match(ingress.join("\n"), /shop\/named .*--allow-external-names.*paths\[0\]\.backend\.service\.name/);
  assert.equal(ingress.length, 1);
});

test("what is refused answers as any broken reference does, and the other rules go on", async () => {
  const { routes, streams } = await translate(ALL, CLUSTER_TRUST);
  const invalid = { kind: "invalid", reason: "RefNotPermitted", weight: 1 };
  const web = { kind: "cluster", cluster: "shop/web:80", weight: 1, policies: [] };
  const [ofIngress, ofGateway] = routes.toSorted(({ key }) => (key.startsWith("Ingress") ? -1 : 1));
  assert.deepEqual(
    ofGateway?.rules.map(({ backends }) => backends),
    [[invalid], [invalid], [web]],
  );
  assert.deepEqual(ofGateway?.rules[2]?.policies, [], "no mirror, and the request itself does not suffer");
  assert.deepEqual(
    ofIngress?.rules.map(({ backends }) => backends),
    [[invalid], [web]],
  );
  assert.deepEqual(
    streams.map(({ backends }) => backends),
    [[invalid], [invalid]],
  );
});

test("each of the two can be allowed without the other", async () => {
  const names = await translate(ALL, { ...CLUSTER_TRUST, externalNames: "allowed" });
  assert.deepEqual([...names.clusters.keys()], ["shop/named:80", "shop/open:53/udp", "shop/web:80"]);
  const lists = await translate(ALL, { ...CLUSTER_TRUST, staticEndpoints: "allowed" });
  assert.deepEqual([...lists.clusters.keys()], ["shop/listed:80", "shop/web:80"]);
});

test("the annotation of an external name is what counts, and what must be allowed", async () => {
  const text = GATEWAY + listed("10.0.0.1:80", "{ type: ExternalName, externalName: web.other.svc }");
  for (const [trust, keys] of [
    [{ ...CLUSTER_TRUST, externalNames: "allowed" }, []],
    [{ ...CLUSTER_TRUST, staticEndpoints: "allowed" }, ["shop/listed:80"]],
  ] as const)
    assert.deepEqual([...(await translate(text, trust)).clusters.keys()], keys);
});

test("names are resolved for routable addresses only, where they are allowed", async () => {
  const { clusters } = await translate(GATEWAY + WEB + NAMED + listed("10.0.0.1:80,127.0.0.1:80,x.test:80"), ALLOWING);
  const named = [{ hostname: "web.other.svc", port: 80 }];
  assert.deepEqual(clusters.get("shop/named:80")?.discovery, { kind: "dns", names: named, addresses: "routable" });
  const names = ["10.0.0.1", "x.test"].map((hostname) => ({ hostname, port: 80 }));
  assert.deepEqual(clusters.get("shop/listed:80")?.discovery, { kind: "dns", names, addresses: "routable" });
});

test("written addresses of special use are left out wherever they are written, and it is told", async () => {
  const bad = [
    "127.0.0.1",
    "[::1]",
    "169.254.169.254",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "224.0.0.1",
  ];
  const slices = slice("IPv4", "127.0.0.1", "10.1.0.1") + slice("IPv6", "fe80::1", "::ffff:a9fe:a9fe", "2001:db8::1");
  const text = GATEWAY + WEB + OPEN + listed([...bad, "10.0.0.1"].map((host) => `${host}:80`).join(",")) + slices;
  const { endpoints, problems } = await translate(text, ALLOWING);
  assert.deepEqual(endpoints.get("shop/listed:80"), ["10.0.0.1"]);
  assert.deepEqual(endpoints.get("shop/open:53/udp"), []);
  assert.deepEqual(endpoints.get("shop/web:80"), ["10.1.0.1", "2001:db8::1"]);
  const told = problems.filter((problem) => problem.includes("special use"));
  assert.equal(told.length, 3, problems.join("\n"));
  assert.match(
    told.join("\n"),
    /169\.254\.169\.254 \(link-local\) is left out \(Service shop\/open, spec\.externalName\)/,
  );
  assert.match(
    told.join("\n"),
    /127\.0\.0\.1 \(loopback\), .* and 3 more is left out \(Service shop\/listed, metadata/,
  );
});

test("EndpointSlices are believed less than the API server believes them, even where nothing else is allowed", async () => {
  const { endpoints } = await translate(
    GATEWAY + WEB + slice("IPv6", "64:ff9b::7f00:1", "ff0e::1", "fd00::7"),
    CLUSTER_TRUST,
  );
  assert.deepEqual(endpoints.get("shop/web:80"), ["fd00::7"]);
});

test("no Service of the golden worlds leads proxies of a cluster to a name, or to an address of special use", async () => {
  for (const name of goldenNames.filter((each) => each.startsWith("service-"))) {
    const { world } = await loadGolden(name);
    for (const resource of translateWorld(world, clusterOptions).snapshot.resources.values()) {
      if (resource.kind === "cluster") assert.equal(resource.discovery.kind, "endpoints", `${name}: ${resource.key}`);
      if (resource.kind !== "endpoints") continue;
      for (const { address } of resource.endpoints)
        assert.equal(findSpecialUse(address), undefined, `${name}: ${address}`);
    }
  }
});

test("the same world is made again where the operator thinks better of it", async () => {
  const world = await loadClusterWorld(ALL);
  const options = [clusterOptions, { ...clusterOptions, trust: ALLOWING }, goldenOptions, clusterOptions];
  let last = translateWorld(world, options[0] ?? clusterOptions);
  const counts = options.map((each) => {
    last = translateWorld(world, each, last);
    return [...last.snapshot.resources.keys()].filter((id) => id.startsWith("cluster|")).length;
  });
  assert.deepEqual(counts, [1, 4, 4, 1]);
});
