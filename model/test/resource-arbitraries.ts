/** Arbitrary resources for property tests. Few keys, so that two snapshots often share some. */
import type { Cluster } from "@sallyport/model/cluster";
import type { EndpointSet } from "@sallyport/model/endpoint";
import { DEFAULT_HTTP_SERVER_OPTIONS, type Listener } from "@sallyport/model/listener";
import type { HttpMatch } from "@sallyport/model/match";
import type { Policy } from "@sallyport/model/policy";
import type { HttpRoute, HttpRule, WeightedBackend } from "@sallyport/model/route";
import type { CertificateSecret } from "@sallyport/model/secret";
import { toSnapshot, type Resource, type Snapshot } from "@sallyport/model/snapshot";
import fc from "fast-check";

const word = fc.constantFrom("a", "b", "web", "api", "x-1");
const key = fc.tuple(word, word).map((parts) => parts.join("/"));
const count = fc.nat(100);
const port = fc.integer({ min: 1, max: 65_535 });
const headerValues = fc.array(fc.record({ name: word, value: fc.string() }), { maxLength: 2 });
const pathEdit = fc.record({ kind: fc.constantFrom("full" as const, "prefix" as const), value: word });

const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("request-headers" as const, "response-headers" as const),
    set: headerValues,
    add: headerValues,
    remove: fc.array(word, { maxLength: 2 }),
  }),
  fc.record(
    {
      kind: fc.constant("redirect" as const),
      scheme: fc.constantFrom("http" as const, "https" as const),
      hostname: word,
      port,
      path: pathEdit,
      status: fc.constantFrom(301 as const, 302 as const, 308 as const),
    },
    { requiredKeys: ["kind", "status"] },
  ),
  fc.record({ kind: fc.constant("rewrite" as const), hostname: word, path: pathEdit }, { requiredKeys: ["kind"] }),
  fc.record({
    kind: fc.constant("mirror" as const),
    cluster: key,
    share: fc.record({ numerator: count, denominator: fc.constant(100) }),
  }),
);

const backend: fc.Arbitrary<WeightedBackend> = fc.oneof(
  fc.record({
    kind: fc.constant("cluster" as const),
    cluster: key,
    weight: count,
    policies: fc.array(policy, { maxLength: 1 }),
  }),
  fc.record({ kind: fc.constant("invalid" as const), reason: word, weight: count }),
);

const valueMatch = fc.record({
  name: word,
  kind: fc.constantFrom("exact" as const, "regex" as const),
  value: fc.string(),
});

const match: fc.Arbitrary<HttpMatch> = fc.record(
  {
    path: fc.record({
      kind: fc.constantFrom("exact" as const, "prefix" as const, "regex" as const),
      value: fc.string(),
    }),
    method: fc.constantFrom("GET", "POST"),
    headers: fc.array(valueMatch, { maxLength: 2 }),
    query: fc.array(valueMatch, { maxLength: 1 }),
  },
  { requiredKeys: ["path", "headers", "query"] },
);

const rule: fc.Arbitrary<HttpRule> = fc.record(
  {
    name: word,
    matches: fc.array(match, { maxLength: 2 }),
    policies: fc.array(policy, { maxLength: 2 }),
    backends: fc.array(backend, { maxLength: 2 }),
    requestTimeout: count,
    backendTimeout: count,
  },
  { requiredKeys: ["matches", "policies", "backends"] },
);

const route: fc.Arbitrary<HttpRoute> = fc.record({
  kind: fc.constant("http-route" as const),
  key,
  age: fc.string(),
  attachments: fc.array(fc.record({ listener: key, hostnames: fc.array(word, { maxLength: 2 }) }), { maxLength: 2 }),
  rules: fc.array(rule, { maxLength: 2 }),
});

const listener: fc.Arbitrary<Listener> = fc.record(
  {
    kind: fc.constant("listener" as const),
    key,
    port,
    bind: fc.record({ address: fc.constantFrom("0.0.0.0", "::1"), port: fc.nat(65_535) }),
    protocol: fc.constantFrom("http" as const, "https" as const),
    hostname: word,
    tls: fc.record({ certificates: fc.array(key, { maxLength: 2 }) }),
    http: fc.constant(DEFAULT_HTTP_SERVER_OPTIONS),
  },
  { requiredKeys: ["kind", "key", "port", "bind", "protocol", "http"] },
);

const cluster: fc.Arbitrary<Cluster> = fc.record({
  kind: fc.constant("cluster" as const),
  key,
  discovery: fc.oneof(
    fc.record({ kind: fc.constant("endpoints" as const) }),
    fc.record({
      kind: fc.constant("dns" as const),
      names: fc.array(fc.record({ hostname: word, port }), { maxLength: 2 }),
    }),
  ),
  protocol: fc.constantFrom("http1" as const, "http2" as const),
  balancer: fc
    .constantFrom("least-request" as const, "round-robin" as const, "random" as const)
    .map((kind) => ({ kind })),
  connectTimeout: count,
  limits: fc.record({ connections: count, pending: count }),
  pool: fc.record({ idleTimeout: count, maxLifetime: count }),
});

const endpoints: fc.Arbitrary<EndpointSet> = fc.record({
  kind: fc.constant("endpoints" as const),
  key,
  endpoints: fc.array(
    fc.record(
      {
        address: fc.ipV4(),
        port,
        weight: count,
        state: fc.constantFrom("ready" as const, "draining" as const),
        locality: fc.record({ region: word, zone: word, subzone: word }),
      },
      { requiredKeys: ["address", "port", "weight", "state"] },
    ),
    { maxLength: 3 },
  ),
});

const secret: fc.Arbitrary<CertificateSecret> = fc.record({
  kind: fc.constant("secret" as const),
  key,
  certificateChain: fc.string(),
  privateKey: fc.string(),
});

/** Any resource. */
export const anyResource: fc.Arbitrary<Resource> = fc.oneof(route, listener, cluster, endpoints, secret);

/** Any small snapshot. */
export const anySnapshot: fc.Arbitrary<Snapshot> = fc.array(anyResource, { maxLength: 12 }).map(toSnapshot);
