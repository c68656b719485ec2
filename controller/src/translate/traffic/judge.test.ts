/** What fields of policies come to by themselves, and what is left of them where a value cannot be used. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { BackendTrafficPolicySpec } from "../../kube/generated/types/backend-traffic-policy.ts";
import type { WorldObject } from "../../world/world.ts";
import { judgeTraffic } from "./judge.ts";
import { toShare } from "./values.ts";

/** As the API server of a version with other rules might send it: nothing here was checked by ours. */
function judge(spec: object) {
  const policy = {
    kind: "BackendTrafficPolicy",
    namespace: "shop",
    name: "p",
    age: "1",
    object: { metadata: { namespace: "shop", name: "p" }, spec: { targetRefs: [], ...spec } },
  };
  return judgeTraffic(policy as unknown as WorldObject<"BackendTrafficPolicy">);
}

const RETRY = { attempts: 2, nonIdempotent: false, samePlace: false };
const ACTIVE = { type: "HTTP", interval: "10s", timeout: "1s", unhealthyThreshold: 3, healthyThreshold: 1 };
const PASSIVE = {
  consecutive5xxErrors: 5,
  consecutiveGatewayErrors: 0,
  splitExternalLocalOriginErrors: false,
  consecutiveLocalOriginFailures: 5,
  interval: "10s",
  baseEjectionTime: "10m",
  maxEjectionPercent: 10,
};

test("without words and statuses failures without an answer are tried again; statuses alone are only those", () => {
  const plain = judge({ retry: RETRY }).fields.retry?.rule?.retry;
  assert.deepEqual(plain?.on, ["connect-failure", "refused-stream", "reset", "timeout"]);
  const coded = judge({ retry: { ...RETRY, statuses: [503, 503] } }).fields.retry?.rule?.retry;
  assert.deepEqual([coded?.on, coded?.statuses], [[], [503]]);
});

test("an ejection may last as long as its base where the policy names no longest one", () => {
  const { fields } = judge({ healthCheck: { passive: PASSIVE, panicThreshold: 50 } });
  assert.equal(fields.healthCheck?.cluster?.outlierDetection?.maxEjectionTime, 600_000);
});

test("IPv4 before IPv6 is no setting: names are resolved like that anyway", () => {
  const dns = (fields: object) => judge({ dns: fields }).fields.dns?.cluster?.dns;
  assert.deepEqual(dns({ lookupFamily: "IPv4Preferred", refreshInterval: "5s" }), { refresh: 5000 });
  assert.deepEqual(dns({ lookupFamily: "IPv4AndIPv6" }), { family: "both" });
});

test("an absent field says nothing of clusters, so that the Service's stays in force", () => {
  const { fields } = judge({ circuitBreaker: { maxConnections: 3 } });
  assert.deepEqual(fields.circuitBreaker, { cluster: { limits: { connections: 3 } } });
});

type Fields = Omit<BackendTrafficPolicySpec, "targetRefs">;

const hash = (parts: object) => ({
  loadBalancer: { type: "ConsistentHash", consistentHash: { algorithm: "Maglev", keys: [], ...parts } },
});

const NO_WAIT = { base: "25ms", retryAfter: { max: "0s" } };

/** What is wrong, and what is left of the field. */
const REFUSED: readonly (readonly [path: string, spec: { readonly [F in keyof Fields]?: object }, left: unknown])[] = [
  [
    "spec.loadBalancer.consistentHash.maglev.tableSize",
    hash({ maglev: { tableSize: 65_536 } }),
    { cluster: { balancer: { kind: "maglev", keys: [], tableSize: 65_537 } } },
  ],
  [
    "spec.loadBalancer.leastRequest.slowStart.window",
    loadBalancer({ window: "0s", aggression: 1, minimumPercent: 1 }),
    { cluster: { balancer: { kind: "least-request", choices: 2 } } },
  ],
  [
    "spec.locality.distribute[0].to",
    { locality: { distribute: [{ from: "a", to: { b: 0 } }], overprovisioningPercent: 140 } },
    { cluster: { locality: { distribute: [], failover: [], priorities: [], overprovisioning: 140 } } },
  ],
  ["spec.retry.retryOn", { retry: { ...RETRY, retryOn: ["sometimes"] } }, retried({ attempts: 0, on: [] })],
  ["spec.retry.backoff.retryAfter.max", { retry: { ...RETRY, backoff: NO_WAIT } }, retried({})],
  ["spec.retry.perTryTimeout", { retry: { ...RETRY, perTryTimeout: "1d" } }, retried({})],
  [
    "spec.timeout.connect",
    { timeout: { connect: "0s", request: "9s" } },
    { rule: { requestTimeout: 9000 }, cluster: {} },
  ],
  [
    "spec.healthCheck.active.http.expectedStatuses[1]",
    { healthCheck: { active: { ...ACTIVE, http: probe([200, "399-300"]) }, panicThreshold: 50 } },
    { cluster: { panicThreshold: 50 } },
  ],
  [
    "spec.sessionPersistence.sessionName",
    { sessionPersistence: { type: "Header", sessionName: "Content-Length" } },
    { rule: { session: { carrier: { kind: "header", name: undefined } } } },
  ],
  [
    "spec.sessionPersistence.sessionName",
    { sessionPersistence: { type: "Cookie", sessionName: "a;b" } },
    { rule: { session: { carrier: { kind: "cookie", name: undefined, lifetime: "session" } } } },
  ],
  [
    "spec.sessionPersistence.absoluteTimeout",
    { sessionPersistence: { type: "Cookie", cookieConfig: { lifetimeType: "Permanent" } } },
    { rule: { session: { carrier: { kind: "cookie", name: undefined, lifetime: "session" } } } },
  ],
  [
    "spec.responseOverride[0].statuses[1]",
    override({ statuses: [404, "599-500"], response: { status: 200 } }),
    overridden([{ statuses: [{ from: 404, to: 404 }], source: "any", status: 200, headers: [] }]),
  ],
  ["spec.responseOverride[0].statuses[0]", override({ statuses: ["599-500"], response: {} }), {}],
  [
    "spec.responseOverride[0].response.headers[0].value",
    override({ statuses: [404], response: { headers: [{ name: "A", value: "x\r\ny: z" }] } }),
    {},
  ],
  ["spec.requestBody.maxBytes", { requestBody: { maxBytes: "1Zi", buffer: false } }, {}],
  [
    "spec.compression.minimumLength",
    { compression: { codings: [], contentTypes: [], minimumLength: "1Zi" } },
    { rule: { contents: [{ kind: "compression", codings: [], minimumLength: 1024, contentTypes: [] }] } },
  ],
  ["spec.http2.streamWindow", { http2: { streamWindow: "3Gi", maxConcurrentStreams: 7 } }, http2({})],
  ["spec.http2.connectionWindow", { http2: { connectionWindow: 0, maxConcurrentStreams: 7 } }, http2({})],
];

function retried(changes: object) {
  const on = ["connect-failure", "refused-stream", "reset", "timeout"];
  return { rule: { retry: { attempts: 2, on, statuses: [], backoff: { least: 0, base: 25, max: 250 }, ...changes } } };
}

function probe(expectedStatuses: readonly unknown[]) {
  return { method: "GET", path: "/", expectedStatuses };
}

function overridden(overrides: readonly object[]) {
  return { rule: { contents: [{ kind: "response-override", overrides }] } };
}

function http2(changes: object) {
  return { cluster: { http2: { ...DEFAULT_HTTP2_CLIENT_OPTIONS, maxConcurrentStreams: 7, ...changes } } };
}

function loadBalancer(slowStart: object) {
  return { loadBalancer: { type: "LeastRequest", leastRequest: { choices: 2, slowStart } } };
}

function override(entry: object) {
  return { responseOverride: [{ source: "Any", ...entry }] };
}

for (const [path, spec, left] of REFUSED) {
  test(`of a policy whose ${path} cannot be used the rest is in force: ${JSON.stringify(spec)}`, () => {
    const { fields, flaws } = judge({ ...spec, circuitBreaker: { maxConnections: 3 } });
    assert.deepEqual(
      flaws.map((flaw) => [flaw.path, flaw.reason]),
      [[path, "Invalid"]],
    );
    const said = Object.entries(fields).filter(([, settings]) => settings !== undefined);
    const circuitBreaker = { cluster: { limits: { connections: 3 } } };
    assert.deepEqual(Object.fromEntries(said), { [Object.keys(spec)[0] ?? ""]: left, circuitBreaker });
  });
}

test("percents keep four decimals", () => {
  assert.deepEqual(
    [0.0001, 12.5, 100].map((percent) => toShare(percent).numerator),
    [1, 125_000, 1_000_000],
  );
});
