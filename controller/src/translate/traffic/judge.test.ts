/** What fields of policies come to by themselves, and which values make a policy do nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
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

test("an absent field says nothing of clusters, so that the Service's stays in force", () => {
  const { fields } = judge({ circuitBreaker: { maxConnections: 3 } });
  assert.deepEqual(fields.circuitBreaker, { cluster: { limits: { connections: 3 } } });
});

type Fields = Omit<BackendTrafficPolicySpec, "targetRefs">;

const hash = (parts: object) => ({
  loadBalancer: { type: "ConsistentHash", consistentHash: { algorithm: "Maglev", keys: [], ...parts } },
});

const REFUSED: readonly (readonly [path: string, spec: { readonly [F in keyof Fields]?: object }])[] = [
  ["spec.loadBalancer.consistentHash.maglev.tableSize", hash({ maglev: { tableSize: 65_536 } })],
  ["spec.loadBalancer.leastRequest.slowStart.window", loadBalancer({ window: "0s", aggression: 1, minimumPercent: 1 })],
  [
    "spec.locality.distribute[0].to",
    { locality: { distribute: [{ from: "a", to: { b: 0 } }], overprovisioningPercent: 140 } },
  ],
  ["spec.retry.retryOn", { retry: { ...RETRY, retryOn: ["sometimes"] } }],
  ["spec.retry.perTryTimeout", { retry: { ...RETRY, perTryTimeout: "1d" } }],
  ["spec.timeout.connect", { timeout: { connect: "0s" } }],
  ["spec.sessionPersistence.sessionName", { sessionPersistence: { type: "Header", sessionName: "Content-Length" } }],
  ["spec.sessionPersistence.sessionName", { sessionPersistence: { type: "Cookie", sessionName: "a;b" } }],
  [
    "spec.sessionPersistence.absoluteTimeout",
    { sessionPersistence: { type: "Cookie", cookieConfig: { lifetimeType: "Permanent" } } },
  ],
  ["spec.responseOverride[0].statuses[1]", override({ statuses: [404, "599-500"], response: {} })],
  [
    "spec.responseOverride[0].response.headers[0].value",
    override({ statuses: [404], response: { headers: [{ name: "A", value: "x\r\ny: z" }] } }),
  ],
  ["spec.requestBody.maxBytes", { requestBody: { maxBytes: "1Zi", buffer: false } }],
  ["spec.http2.streamWindow", { http2: { streamWindow: "3Gi" } }],
  ["spec.http2.connectionWindow", { http2: { connectionWindow: 0 } }],
];

function loadBalancer(slowStart: object) {
  return { loadBalancer: { type: "LeastRequest", leastRequest: { choices: 2, slowStart } } };
}

function override(entry: object) {
  return { responseOverride: [{ source: "Any", ...entry }] };
}

for (const [path, spec] of REFUSED) {
  test(`a policy whose ${path} cannot be carried out does nothing and says why: ${JSON.stringify(spec)}`, () => {
    const { fields, flaws } = judge({ ...spec, connection: { tcpKeepAlive: "1s" } });
    assert.deepEqual(
      flaws.map((flaw) => [flaw.path, flaw.reason]),
      [[path, "Invalid"]],
    );
    assert.deepEqual(fields, {});
  });
}

test("percents keep four decimals", () => {
  assert.deepEqual(
    [0.0001, 12.5, 100].map((percent) => toShare(percent).numerator),
    [1, 125_000, 1_000_000],
  );
});
