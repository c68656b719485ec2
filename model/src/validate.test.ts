import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_CLUSTER } from "./cluster.ts";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "./listener.ts";
import { type Resource, toResourceId, toSnapshot } from "./snapshot.ts";
import { clustersOf, validateSnapshot } from "./validate.ts";

const route = {
  kind: "http-route",
  key: "shop/all",
  age: "",
  attachments: [{ listener: "shop/edge/https", hostnames: ["*"] }],
  rules: [
    {
      matches: [],
      policies: [
        { kind: "mirror", cluster: "shop/mirror:80", share: { numerator: 1, denominator: 1 } },
        { kind: "response-override", overrides: [{ statuses: [], source: "any", headers: [], page: "P/shop/p/0" }] },
      ],
      backends: [
        {
          kind: "cluster",
          cluster: "shop/web:80",
          weight: 1,
          policies: [
            { kind: "mirror", cluster: "shop/copy:80", share: { numerator: 1, denominator: 1 } },
            {
              kind: "response-override",
              overrides: [{ statuses: [], source: "any", headers: [], page: "P/shop/q/1" }],
            },
          ],
        },
        { kind: "invalid", reason: "BackendNotFound", weight: 1 },
      ],
    },
  ],
} as const satisfies Resource;

const whole: readonly Resource[] = [
  {
    kind: "listener",
    key: "shop/edge/https",
    port: 443,
    bind: { address: "0.0.0.0", port: 8443 },
    protocol: "https",
    tls: { certificates: ["shop/certificate"] },
    http: DEFAULT_HTTP_SERVER_OPTIONS,
  },
  { kind: "secret", key: "shop/certificate", certificateChain: "", privateKey: "" },
  route,
  ...["P/shop/p/0", "P/shop/q/1"].map((key): Resource => ({ kind: "page", key, contentType: "text/plain", text: key })),
  ...["shop/web:80", "shop/mirror:80", "shop/copy:80"].flatMap((key): Resource[] => [
    { kind: "cluster", key, discovery: { kind: "endpoints" }, protocol: "http1", ...DEFAULT_CLUSTER },
    { kind: "endpoints", key, endpoints: [] },
  ]),
];

test("a snapshot that holds all it refers to has no flaw", () => {
  assert.deepEqual(validateSnapshot(toSnapshot(whole)), []);
});

test("each resource that others refer to is missed when it is taken away", () => {
  for (const missing of whole) {
    if (missing === route) continue;
    const problems = validateSnapshot(toSnapshot(whole.filter((resource) => resource !== missing)));
    assert.equal(problems.length, 1, toResourceId(missing));
    assert.match(problems[0]?.message ?? "", new RegExp(`refers to ${missing.kind}\\|${missing.key},`));
  }
});

test("a route sends to the clusters of its backends and of the mirrors of rules and backends", () => {
  assert.deepEqual([...clustersOf(route)].toSorted(), ["shop/copy:80", "shop/mirror:80", "shop/web:80"]);
});

test("peers that a listener trusts are addresses or blocks", () => {
  const problemsOf = (...trusted: string[]): number =>
    validateSnapshot(
      toSnapshot([
        {
          kind: "listener",
          key: "shop/edge/http",
          port: 80,
          bind: { address: "0.0.0.0", port: 8080 },
          protocol: "http",
          http: DEFAULT_HTTP_SERVER_OPTIONS,
          proxyProtocol: { trusted, required: true },
        },
      ]),
    ).length;
  assert.equal(problemsOf("10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "0.0.0.0/0", "::ffff:192.0.2.1/128"), 0);
  const bad = ["", "10.0.0.0/33", "10.0.0/8", "256.0.0.1", "10.0.0.0/8/8", "10.0.0.0/", "::/129", "host", "1.2.3.4/-1"];
  assert.equal(problemsOf(...bad), bad.length);
});
