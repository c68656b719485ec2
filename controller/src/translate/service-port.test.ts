import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadWorld } from "../../test/load-world.ts";
import {
  type BackendUse,
  type ClusterRef,
  parseClusterKey,
  resolveCluster,
  resolveServicePort,
  toClusterKey,
} from "./service-port.ts";
import { CLUSTER_TRUST, FULL_TRUST } from "./service-trust.ts";

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?$/);
const place = { namespace: name, name, port: fc.integer({ min: 1, max: 65_535 }) };
const client = fc.tuple(name, name).map((parts) => parts.join("/"));

const anyRef: fc.Arbitrary<ClusterRef> = fc.oneof(
  fc.record({ ...place, transport: fc.constant("udp" as const) }),
  fc.record({ ...place, transport: fc.constant("tcp" as const), variant: fc.constant("passthrough" as const) }),
  fc.record(
    {
      ...place,
      transport: fc.constant("tcp" as const),
      variant: fc.constant("grpc" as const),
      clientCertificate: client,
      settings: fc.stringMatching(/^[0-9a-f]{12}$/),
    },
    { requiredKeys: ["namespace", "name", "port", "transport"] },
  ),
);

test("a cluster key says again what it was made from", () => {
  fc.assert(fc.property(anyRef, (ref) => assert.deepEqual(parseClusterKey(toClusterKey(ref)), { ...ref })));
});

test("two ways of speaking to a port have two keys", () => {
  fc.assert(
    fc.property(anyRef, anyRef, (left, right) => {
      fc.pre(JSON.stringify(left) !== JSON.stringify(right));
      assert.notEqual(toClusterKey(left), toClusterKey(right));
    }),
  );
});

for (const key of [
  "",
  "shop/web",
  "shop/web:0",
  "shop/web:080",
  "shop/web:80/tcp",
  "shop/web:53/udp~grpc",
  "shop/web:53/udp~client=shop/a",
  "shop/web:80~tls",
  "shop/web:80~passthrough~client=shop/a",
  "shop/web:80~client=shop/a~grpc",
  "shop/web:80~client=a",
  "shop/web:80~client=a/b/c",
  "shop/web:80~traffic=",
  "shop/web:80~traffic=XYZ",
  "shop/web:80~traffic=0a~client=shop/a",
  "shop/web:80~passthrough~traffic=0a",
  "shop/web:53/udp~traffic=0a",
  "a/shop/web:80",
  "shop/web:80\n",
]) {
  test(`${JSON.stringify(key)} is no cluster key`, () => assert.equal(parseClusterKey(key), undefined));
}

const certificate = `-----BEGIN CERTIFICATE-----\\n${btoa("0\u0003abc")}\\n-----END CERTIFICATE-----\\n`;

const { world, problems } = await loadWorld({
  "world.yaml": `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec:
  ports:
    - { name: dns, port: 53 }
    - { name: dns-udp, port: 53, protocol: UDP }
    - { name: plain, port: 80 }
    - { name: grpc, port: 81, appProtocol: grpc }
    - { name: https, port: 443, appProtocol: HTTPS }
    - { name: secured, port: 444 }
    - { name: secured-https, port: 445, appProtocol: https }
    - { name: secured-grpc, port: 446, appProtocol: grpc }
    - { name: broken, port: 447 }
    - { name: syslog, port: 514, protocol: UDP }
    - { name: h2c, port: 82, appProtocol: kubernetes.io/h2c }
    - { name: istio, port: 83, appProtocol: HTTP2 }
    - { name: socket, port: 84, appProtocol: kubernetes.io/ws }
    - { name: secured-socket, port: 448, appProtocol: kubernetes.io/wss }
---
apiVersion: v1
kind: Service
metadata: { name: outside, namespace: shop }
spec: { type: ExternalName, externalName: backend.example }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: ca, namespace: shop }
data: { ca.crt: "${certificate}" }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: sound, namespace: shop }
spec:
  targetRefs:
    - { group: "", kind: Service, name: web, sectionName: secured }
    - { group: "", kind: Service, name: web, sectionName: secured-https }
    - { group: "", kind: Service, name: web, sectionName: secured-grpc }
    - { group: "", kind: Service, name: web, sectionName: secured-socket }
  validation: { hostname: web.example, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: broken, namespace: shop }
spec:
  targetRefs: [{ group: "", kind: Service, name: web, sectionName: broken }]
  validation: { hostname: web.example, caCertificateRefs: [{ group: "", kind: ConfigMap, name: missing }] }
`,
});

test("the world of these tests is sound", () => assert.deepEqual(problems, []));

/** The key without `shop/web:`, or the reason there is none. */
function resolve(port: number, use: BackendUse, service = "web", trust = FULL_TRUST): string {
  const resolved = resolveCluster(world, { namespace: "shop", name: service, port }, { ...use, trust });
  return resolved.ok ? resolved.value.replace(/^shop\/[a-z]+:/, "") : resolved.error.reason;
}

const uses: readonly (readonly [traffic: BackendUse["traffic"], expected: Readonly<Record<number, string>>])[] = [
  ["http", { 53: "53", 80: "80", 81: "81", 443: "UnsupportedProtocol", 444: "444", 445: "445", 446: "446" }],
  ["grpc", { 80: "80~grpc", 81: "81", 443: "UnsupportedProtocol", 444: "444~grpc", 445: "445~grpc", 446: "446" }],
  ["stream", { 53: "53", 80: "80", 81: "81", 443: "443", 444: "444", 445: "445", 446: "446" }],
  ["passthrough", { 80: "80", 443: "443", 444: "444~passthrough", 445: "445~passthrough", 447: "447~passthrough" }],
  ["datagram", { 53: "53/udp", 514: "514/udp", 80: "UnsupportedProtocol", 9: "BackendNotFound" }],
];

for (const [traffic, expected] of uses) {
  test(`${traffic} goes to the port of its transport, in its own way where that is not the port's`, () => {
    const found = Object.keys(expected).map((port) => [port, resolve(Number(port), { traffic })]);
    assert.deepEqual(Object.fromEntries(found), expected);
  });
}

for (const traffic of ["http", "grpc", "stream"] as const) {
  test(`${traffic} does not go to a port whose policy is broken`, () => {
    assert.equal(resolve(447, { traffic }), "InvalidCACertificateRef");
  });

  test(`${traffic} shows a client certificate where there is TLS, and nowhere else`, () => {
    const use = { traffic, clientCertificate: "shop/client" };
    const suffix = traffic === "grpc" ? "~grpc" : "";
    assert.equal(resolve(444, use), `444${suffix}~client=shop/client`);
    assert.equal(resolve(80, use), `80${suffix}`);
  });

  test(`${traffic} does not go where TLS should show a client certificate that is broken`, () => {
    const use = { traffic, clientCertificate: "broken" };
    assert.equal(resolve(444, use), "InvalidClientCertificateRef");
    assert.equal(resolve(80, use), traffic === "grpc" ? "80~grpc" : "80");
  });
}

test("what a client encrypted shows no certificate of the Gateway's, whatever becomes of that", () => {
  assert.equal(resolve(444, { traffic: "passthrough", clientCertificate: "broken" }), "444~passthrough");
  assert.equal(resolve(444, { traffic: "passthrough", clientCertificate: "shop/client" }), "444~passthrough");
});

test("a port for datagrams alone takes no connections", () => {
  assert.equal(resolve(514, { traffic: "stream" }), "UnsupportedProtocol");
});

test("an ExternalName Service without ports has them all, for connections and datagrams", () => {
  assert.equal(resolve(53, { traffic: "stream" }, "outside"), "53");
  assert.equal(resolve(53, { traffic: "datagram" }, "outside"), "53/udp");
});

test("an ExternalName Service that is not believed is no backend, whatever is sent there", () => {
  for (const traffic of ["http", "grpc", "stream", "passthrough", "datagram"] as const) {
    assert.equal(resolve(53, { traffic }, "outside", CLUSTER_TRUST), "RefNotPermitted", traffic);
  }
  assert.equal(resolve(80, { traffic: "http" }, "web", CLUSTER_TRUST), "80");
});

test("a port is spoken to as its appProtocol says, else as it chooses in its handshake, and in HTTP/1.1 in the clear", () => {
  const expected = { 80: "http1", 81: "http2", 82: "http2", 83: "http2", 84: "http1" };
  const secured = { 444: "auto", 445: "auto", 446: "http2", 448: "http1" };
  for (const [port, protocol] of Object.entries({ ...expected, ...secured })) {
    const ref = { namespace: "shop", name: "web", port: Number(port) };
    const own = resolveServicePort(world, ref, { traffic: "http", trust: FULL_TRUST });
    assert.ok(own.ok);
    assert.equal(own.value.protocol, protocol, port);
    const called = resolveServicePort(world, ref, { traffic: "grpc", trust: FULL_TRUST });
    assert.ok(called.ok);
    assert.equal(called.value.protocol, "http2", `a call to ${port}`);
  }
});
