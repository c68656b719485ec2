import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteAttachment } from "@sallyport/model/route";
import { EMPTY_SNAPSHOT, toSnapshot } from "@sallyport/model/snapshot";
import { toCluster, toListener, toRoute, toStreamRoute } from "../../test/compile/resources.ts";
import type { WorkerView } from "./source.ts";
import { toClusters, toListeners } from "./views.ts";

/** As people get it. */
function toShown(view: unknown): unknown {
  return JSON.parse(JSON.stringify(view));
}

/** As every worker tells them: counted over all of them. */
const LIMITS = {
  connections: { now: 6, most: 10, isReached: true },
  pending: { now: 4, most: 20, isReached: false },
  requests: { now: 0, most: undefined, isReached: false },
  retries: { now: 1, most: 3, isReached: false },
  connectionsPerEndpoint: 5,
};

test("shares of workers are added up, but what they share is not", () => {
  const pool = { idle: 1, draining: 1, streams: 4 };
  const endpoint = {
    label: "10.0.0.1:80",
    weight: 1,
    warmWeight: 0.25,
    health: "ejected",
    ejectedFor: 1500,
    state: "ready",
    active: 5,
    connections: 3,
    ...pool,
  } as const;
  const kinds = { protocol: "auto", balancer: "least-request" } as const;
  const cluster = { key: "a/b:80", ...kinds, limits: LIMITS, connections: 3, pending: 2, endpoints: [endpoint] };
  const listener = { bind: "0.0.0.0:80", port: 80, connections: 4, draining: false };
  const engine = { epoch: 3, clusters: [cluster], listeners: [listener] };
  const workers: readonly WorkerView[] = [0, 1].map((worker) => ({ worker, state: "serving", engine }));
  assert.deepEqual(toShown(toClusters(EMPTY_SNAPSHOT, workers)), [
    {
      key: "a/b:80",
      protocol: "auto",
      tls: null,
      balancer: "least-request",
      connections: 6,
      pending: 4,
      limits: {
        connections: { limit: 10, now: 6, reached: true },
        pending: { limit: 20, now: 4, reached: false },
        requests: { limit: null, now: null, reached: false },
        retries: { limit: 3, now: 1, reached: false },
        connectionsPerEndpoint: { limit: 5 },
      },
      endpoints: [
        {
          address: "10.0.0.1:80",
          weight: 1,
          warmWeight: 0.25,
          state: "ready",
          health: "ejected",
          ejectedForMs: 1500,
          active: 5,
          connections: 6,
          idle: 2,
          draining: 2,
          streams: 8,
        },
      ],
    },
  ]);
  assert.deepEqual(toShown(toListeners(EMPTY_SNAPSHOT, workers)), [
    { bind: "0.0.0.0:80", port: 80, transport: null, chains: 0, draining: false, connections: 8, listeners: [] },
  ]);
});

test("ports show what they speak and how many ways there are, clusters whether they are spoken to with TLS", () => {
  const tls = { serverName: "b.test", identities: [], trust: "system" as const, clientCertificate: "a/client" };
  const on = (...names: string[]): RouteAttachment[] =>
    names.map((name) => ({ listener: `ns/gateway/${name}`, hostnames: ["*"] }));
  const bind = { address: "0.0.0.0", port: 8443 };
  const snapshot = toSnapshot([
    toCluster("a/b:443", { tls }),
    toListener("web", { bind, protocol: "https", hostname: "web.test", tls: { certificates: ["a/web"] } }),
    toListener("raw", { bind, protocol: "tls-passthrough" }),
    toListener("dns", { bind, protocol: "udp" }),
    toRoute("web", [], { attachments: on("web") }),
    toStreamRoute("one", [], { attachments: on("raw", "dns") }),
    toStreamRoute("two", [], { attachments: on("raw") }),
  ]);
  const kinds = { protocol: "http1", balancer: "least-request" } as const;
  const cluster = { key: "a/b:443", ...kinds, limits: LIMITS, connections: 0, pending: 0, endpoints: [] };
  const listeners = ["0.0.0.0:8443", "udp/0.0.0.0:8443"].map((key) => {
    return { bind: key, port: 8443, draining: false, connections: 0 };
  });
  const workers: readonly WorkerView[] = [
    { worker: 0, state: "serving", engine: { epoch: 3, clusters: [cluster], listeners } },
  ];
  const shownClusters = toShown(toClusters(snapshot, workers)) as { tls: unknown }[];
  const shown = toShown(toListeners(snapshot, workers)) as Record<string, unknown>[];
  assert.deepEqual(shownClusters[0]?.tls, { serverName: "b.test", trust: "system", clientCertificate: "a/client" });
  assert.deepEqual(
    shown.map(({ transport, chains }) => [transport, chains]),
    [
      ["tls", 3],
      ["udp", 0],
    ],
  );
  const web = { key: "ns/gateway/web", port: 80, protocol: "https", hostname: "web.test", routes: 1 };
  assert.deepEqual(shown[0]?.["listeners"], [
    { ...web, certificates: ["a/web"], clientValidation: null },
    { key: "ns/gateway/raw", port: 80, protocol: "tls-passthrough", hostname: "*", routes: 2 },
  ]);
});
