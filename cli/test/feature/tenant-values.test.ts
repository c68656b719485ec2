/** Whatever values tenants write into their objects: what translation does not refuse, a gateway takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "@sallyport/gateway/supervisor";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { runs } from "@sallyport/testkit/runs";
import fc from "fast-check";
import { readConfiguration } from "../../src/configuration.ts";

const RUNS = runs(75);
const PORTS = new Map([[80, 0]]);
const OPTIONS = { portMap: PORTS, bindAddress: "127.0.0.1", trustedHops: 0 };
const NAMES = [
  "",
  " ",
  "a b",
  "a;b",
  "é",
  "x:y",
  "x\r\ny",
  "Host",
  "content-length",
  "Transfer-Encoding",
  "__proto__",
  "x-ok",
];
const PATTERNS = [
  "(",
  "[a",
  "(?=a)",
  "\\1",
  "a{1001}",
  "((a{100}){100}){100}",
  "(?P<n>a)",
  "(?<n>a)(?<n>b)",
  "\\pN",
  "\\x{110000}",
  ".*",
  "/ok",
];
const PATHS = ["", "/", "x", "/a b", "/a\r\nb", "/%", "/%zz", "//", "/a/../b", "/é", "/ok?x=1", "*"];
const TYPES = ["", "text", "text/", "text/html", "text/*", "*/*", "a/b;c=d", "a/b\r\nc", "é/é"];
const RANGES = ["200", "299-200", "200-299", "-", "999", "100-", "1-9999", "", "404-404"];
const CIDRS = ["10.0.0.0/8", "10.0.0.0/33", "::/0", "::/129", "x", "", "10.0.0.1", "fe80::1%eth0/64"];

const text = (known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: fc.string({ maxLength: 12 }) });
const name = text(NAMES);
const path = text(PATHS);
const size = fc.constantFrom(-1, 0, 1, 2, 3, 4, 1024, 65_536, 65_537, 5_000_011, 8_388_608, 2 ** 31, 2 ** 32);
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 3 });
const parts = fc.record;

const key = fc.oneof(
  parts({ type: fc.constantFrom("Header", "QueryParameter"), name }),
  parts({
    type: fc.constant("Cookie"),
    name,
    cookie: parts({ path, attributes: few(parts({ name, value: name })) }, { requiredKeys: [] }),
  }),
);
const session = parts({ type: fc.constantFrom("Cookie", "Header"), sessionName: name });
const statuses = few(text(RANGES));

/** One field of a BackendTrafficPolicy each. */
const BACKEND: readonly fc.Arbitrary<object>[] = [
  parts({ sessionPersistence: session }),
  parts({ loadBalancer: toHashing({ algorithm: fc.constant("Maglev"), maglev: parts({ tableSize: size }) }) }),
  parts({
    loadBalancer: toHashing({
      algorithm: fc.constant("RingHash"),
      ringHash: parts({ minimumSize: size, maximumSize: size }, { requiredKeys: [] }),
    }),
  }),
  parts({
    healthCheck: parts({
      active: parts({
        type: fc.constant("HTTP"),
        http: parts({ path, host: name, expectedStatuses: statuses }, { requiredKeys: ["path"] }),
      }),
    }),
  }),
  parts({ healthCheck: parts({ active: parts({ type: fc.constant("GRPC"), grpc: parts({ service: name }) }) }) }),
  parts({
    compression: parts({
      codings: few(parts({ type: fc.constantFrom("Gzip", "Brotli", "Zstd"), level: fc.integer({ min: -1, max: 10 }) })),
      contentTypes: few(text(TYPES)),
    }),
  }),
  parts({
    responseOverride: few(
      parts({
        statuses,
        response: parts({ headers: few(parts({ name, value: name })), contentType: text(TYPES), body: name }),
      }),
    ),
  }),
  parts({ locality: parts({ distribute: few(parts({ from: path, to: fc.dictionary(path, size, { maxKeys: 3 }) })) }) }),
  parts({ locality: parts({ priorities: few(name) }) }),
  parts({ circuitBreaker: parts({ maxConnections: size, maxPendingRequests: size, maxRequestsPerConnection: size }) }),
  parts({ retry: parts({ attempts: size, statuses: few(size) }) }),
  parts({ requestBody: parts({ maxBytes: text(["-1", "0", "1Ki", "1e99", "9Ei", "0.1"]) }) }),
];

/** One field of a ClientTrafficPolicy each. */
const CLIENT: readonly fc.Arbitrary<object>[] = [
  parts({ clientIPDetection: parts({ xForwardedFor: parts({ trustedCIDRs: few(text(CIDRS)) }) }) }),
  parts({ proxyProtocol: parts({ trustedCIDRs: few(text(CIDRS)) }) }),
  parts({ headers: parts({ maxBytes: text(["-1", "0", "1Ki", "1e99", "2Mi"]), maxFields: size }) }),
  parts({ http2: parts({ maxConcurrentStreams: size, streamWindow: text(["0", "64Ki", "2Gi", "9Ei"]) }) }),
  parts({ healthCheck: parts({ path }) }),
  parts({ connection: parts({ maxConnections: size, maxRequests: size }) }),
  parts({
    tls: parts({
      ciphers: few(text(["ECDHE-RSA-AES128-GCM-SHA256", "x", "", "ALL:!aNULL", "TLS_AES_128_GCM_SHA256"])),
    }),
  }),
];

/** One field of a rule of an HTTPRoute each. */
const RULE: readonly fc.Arbitrary<object>[] = [
  parts({ sessionPersistence: session }),
  parts({ matches: few(parts({ path: parts({ type: fc.constant("RegularExpression"), value: text(PATTERNS) }) })) }),
  parts({ matches: few(parts({ path: parts({ type: fc.constantFrom("Exact", "PathPrefix"), value: path }) })) }),
  parts({
    matches: few(
      parts({ headers: few(parts({ type: fc.constant("RegularExpression"), name, value: text(PATTERNS) })) }),
    ),
  }),
  parts({
    filters: fc.tuple(
      parts({
        type: fc.constant("ResponseHeaderModifier"),
        responseHeaderModifier: parts({ set: few(parts({ name, value: name })) }),
      }),
    ),
  }),
];

function toHashing(algorithm: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  return parts({ type: fc.constant("ConsistentHash"), consistentHash: parts({ ...algorithm, keys: few(key) }) });
}

const PLAIN = `
{ apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: { name: c }, spec: { controllerName: sallyport.io/gateway-controller } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec: { gatewayClassName: c, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: shop }, spec: { ports: [{ port: 80 }] } }
---
`;

function toRoute(rule: object): object {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "route", namespace: "shop" },
    spec: { parentRefs: [{ name: "edge" }], rules: [{ ...rule, backendRefs: [{ name: "web", port: 80 }] }] },
  };
}

function toPolicy(kind: string, spec: object): object {
  return {
    apiVersion: "policy.sallyport.io/v1alpha1",
    kind,
    metadata: { name: "policy", namespace: "shop" },
    spec: { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }], ...spec },
  };
}

const objects: fc.Arbitrary<readonly object[]> = fc.oneof(
  ...BACKEND.map((spec) => spec.map((value) => [toRoute({}), toPolicy("BackendTrafficPolicy", value)])),
  ...CLIENT.map((spec) => spec.map((value) => [toRoute({}), toPolicy("ClientTrafficPolicy", value)])),
  ...RULE.map((rule) => rule.map((value) => [toRoute(value)])),
);

test("no value of a tenant makes a gateway refuse a configuration", async (t) => {
  const directory = openTemporaryDirectory();
  const gateway = await startGateway({
    workers: 1,
    accessLog: { to: "off" },
    log: { level: "off", format: "text" },
  });
  t.after(async () => {
    await gateway.close();
    directory.close();
  });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(objects, async (given) => {
      directory.write("case.yaml", PLAIN + given.map((object) => JSON.stringify(object)).join("\n---\n"));
      const { translation } = await readConfiguration(directory.file("case.yaml"), OPTIONS);
      // what schemas and rules of CRDs refuse does not come into a cluster
      fc.pre(translation !== undefined);
      const result = await gateway.apply(translation.snapshot);
      assert.deepEqual(result.problems, []);
      assert.ok(result.applied);
      taken++;
    }),
    { numRuns: RUNS, maxSkipsPerRun: 100 },
  );
  assert.equal(taken, RUNS);
});
