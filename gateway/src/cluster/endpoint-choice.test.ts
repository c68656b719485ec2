/** Which endpoint a request goes to: not where it failed, where its session is, where its hash says, and near before far. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Balancer, HashKey } from "@sallyport/model/traffic";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { type ClusterSetUp, FakeOutside, FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import { toEndpointSession } from "../session/endpoint-session.ts";
import type { UpstreamEndpoint } from "./contract.ts";
import { EndpointChoice } from "./endpoint-choice.ts";
import type { EndpointHost } from "./endpoint-host.ts";
import { EndpointHosts } from "./endpoint-hosts.ts";
import { NOWHERE } from "./locality.ts";

class RetriedRequest extends FakeRequest {
  readonly tried: UpstreamEndpoint[] = [];
}

test("a retry goes to an endpoint it did not fail on, and to any once it failed on all", () => {
  for (const balancer of ["least-request", "round-robin", "random"] as const) {
    const { cluster } = setUpCluster({ balancer: { kind: balancer } }, [toEndpoint(1), toEndpoint(2), toEndpoint(3)]);
    const tried: UpstreamEndpoint[] = [];
    for (let i = 0; i < 6; i++) {
      const request = new RetriedRequest("plain");
      request.tried.push(...tried);
      cluster.acquire(request, false);
      const endpoint = request.connection?.endpoint;
      assert.ok(endpoint !== undefined);
      if (i < 3) assert.ok(!tried.includes(endpoint), `${balancer}: ${endpoint.label} again`);
      if (!tried.includes(endpoint)) tried.push(endpoint);
    }
    assert.equal(tried.length, 3);
  }
});

test("a cluster that moves prefers what is meant for its place, and goes back", () => {
  const { cluster } = setUpCluster({ balancer: { kind: "round-robin" } }, [
    { ...toEndpoint(1), forZones: ["z1"] },
    { ...toEndpoint(2), forZones: ["z2"] },
  ]);
  const reach = (): number => {
    const labels = new Set<string | undefined>();
    for (let i = 0; i < 4; i++) {
      const request = new FakeRequest("plain");
      cluster.acquire(request, true);
      labels.add(request.connection?.endpoint.label);
    }
    return labels.size;
  };
  assert.equal(reach(), 2);
  cluster.moveTo({ ...NOWHERE, zone: "z1" });
  assert.equal(reach(), 1);
  cluster.moveTo({ ...NOWHERE, zone: "z3" });
  assert.equal(reach(), 2);
});

test("retries of a cluster end with its budget, and places come free", () => {
  const { cluster } = setUpCluster({ retryBudget: { kind: "concurrent", percent: 50, minimum: 1 } });
  assert.ok(cluster.retries.begin());
  assert.ok(!cluster.retries.begin());
  for (let i = 0; i < 4; i++) cluster.acquire(new FakeRequest("plain"), false);
  assert.ok(cluster.retries.begin(), "half of four");
  assert.ok(!cluster.retries.begin());
  cluster.retries.end();
  assert.ok(cluster.retries.begin());
});

class SessionRequest extends FakeRequest {
  readonly session: string;
  avoids: UpstreamEndpoint | undefined = undefined;
  tried: readonly UpstreamEndpoint[] | undefined = undefined;

  constructor(session: string) {
    super("plain");
    this.session = session;
  }
}

class HashedRequest extends FakeRequest {
  readonly #hash: number | undefined;
  readonly asked: (readonly HashKey[])[] = [];

  constructor(hash?: number) {
    super("plain");
    this.#hash = hash;
  }

  hashOf(keys: readonly HashKey[]): number | undefined {
    this.asked.push(keys);
    return this.#hash;
  }
}

function toSession(n: number): string {
  return toEndpointSession("ns/web:80", `10.0.0.${n}:80`);
}

/** Where a request of this session ends up. */
function follow({ cluster }: ClusterSetUp, session: string, changes: Partial<SessionRequest> = {}): string | undefined {
  const request = Object.assign(new SessionRequest(session), changes);
  cluster.acquire(request, false);
  request.connection?.finish();
  return request.connection?.endpoint.label;
}

test("a session goes to its endpoint whatever the balancer says, also while that drains", () => {
  const endpoints = [1, 2, 3, 4].map((n) => toEndpoint(n));
  const setUp = setUpCluster({ balancer: { kind: "random" } }, endpoints);
  setUp.outside.draw = seeded(2);
  for (let i = 0; i < 20; i++) assert.equal(follow(setUp, toSession(3)), "10.0.0.3:80");
  const { cluster, config } = setUp;
  const draining = endpoints.map((one, at) => (at === 2 ? { ...one, state: "draining" as const } : one));
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: draining }, undefined);
  const opened = setUp.outside.opened.length;
  for (let i = 0; i < 20; i++) assert.equal(follow(setUp, toSession(3)), "10.0.0.3:80");
  assert.ok(setUp.outside.opened.length <= opened + 1, "on one connection, which is kept");
  const removed = endpoints.filter((_, at) => at !== 2);
  cluster.update(config, { kind: "endpoints", key: config.key, endpoints: removed }, undefined);
  for (let i = 0; i < 20; i++) assert.notEqual(follow(setUp, toSession(3)), "10.0.0.3:80");
});

test("a session leaves an endpoint that is ejected or unhealthy, and comes back to it", () => {
  const outside = new FakeOutside();
  const hosts = new EndpointHosts("ns/web:80", outside.counts);
  const choice = new EndpointChoice(hosts, { balancer: { kind: "round-robin" } }, outside.options);
  choice.update([1, 2, 3, 4].map((n) => toEndpoint(n)));
  const [home] = hosts;
  assert.ok(home !== undefined);
  const request = new SessionRequest(home.session);
  for (const [fitness, isKept] of [
    ["ejected", false],
    ["unhealthy", false],
    ["unchecked", true],
    ["fit", true],
  ] as const) {
    // prettier-ignore
    home.fitness = fitness;
    choice.refresh();
    for (let i = 0; i < 8; i++) assert.equal(choice.choose(request) === home, isKept, fitness);
  }
});

test("a session that nobody knows, or whose endpoint failed the request, goes where the balancer says", () => {
  const setUp = setUpCluster({ balancer: { kind: "round-robin" } }, [toEndpoint(1), toEndpoint(2)]);
  const reached = new Set([follow(setUp, "0123456789abcdef"), follow(setUp, "0123456789abcdef")]);
  assert.equal(reached.size, 2);
  const [avoids] = setUp.outside.opened.map(({ endpoint }) => endpoint).filter(({ label }) => label === "10.0.0.1:80");
  assert.ok(avoids !== undefined);
  assert.equal(follow(setUp, toSession(1), { avoids }), "10.0.0.2:80");
  assert.equal(follow(setUp, toSession(1), { tried: [avoids] }), "10.0.0.2:80");
});

const HASHED = { kind: "maglev", keys: [{ kind: "source-address" }], tableSize: 251 } satisfies Balancer;

test("requests with one hash go to one endpoint; a retry to the next one, and always the same", () => {
  const { cluster, outside } = setUpCluster(
    { balancer: HASHED },
    [1, 2, 3].map((n) => toEndpoint(n)),
  );
  outside.draw = seeded(4);
  const reach = (hash: number, tried?: readonly UpstreamEndpoint[]): UpstreamEndpoint => {
    const request = Object.assign(new HashedRequest(hash), tried && { tried });
    cluster.acquire(request, false);
    assert.deepEqual(request.asked, [HASHED.keys], "asked once");
    const endpoint = request.connection?.endpoint;
    request.connection?.finish();
    assert.ok(endpoint !== undefined);
    return endpoint;
  };
  for (let hash = 0; hash < 50; hash++) {
    const home = reach(hash);
    const second = reach(hash, [home]);
    assert.notEqual(second, home);
    for (let i = 0; i < 3; i++) assert.equal(reach(hash), home);
    for (let i = 0; i < 3; i++) assert.equal(reach(hash, [home]), second);
    assert.ok(![home, second].includes(reach(hash, [home, second])));
  }
});

test("nobody is asked for a hash where nothing is hashed", () => {
  for (const kind of ["least-request", "round-robin", "random"] as const) {
    const { cluster } = setUpCluster({ balancer: { kind } }, [toEndpoint(1), toEndpoint(2)]);
    const request = new HashedRequest(1);
    cluster.acquire(request, false);
    assert.deepEqual(request.asked, []);
  }
});

const NEAR_AND_FAR = [
  ...[1, 2].map((n) => toEndpoint(n, { locality: { region: "eu", zone: "eu-a", subzone: "" } })),
  ...[3, 4].map((n) => toEndpoint(n, { locality: { region: "us", zone: "us-a", subzone: "" } })),
];
const FITNESS = ["fit", "ejected", "unhealthy", "unchecked"] as const;
const LOCALITY = { distribute: [], failover: [], priorities: [], overprovisioning: 140 };

/** How many of so many requests go to each endpoint, by number. */
function count({ cluster }: ClusterSetUp, requests: number, toRequest: (n: number) => FakeRequest): number[] {
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < requests; n++) {
    const request = toRequest(n);
    cluster.acquire(request, false);
    const [, , , digit] = request.connection?.endpoint.address.split(".") ?? [];
    counts[Number(digit) - 1]!++;
    request.connection?.finish();
  }
  return counts;
}

test("places share the requests by weight, and each balances its own", () => {
  for (const kind of ["least-request", "round-robin", "random"] as const) {
    const distribute = [{ from: "*", to: [{ locality: "eu/*", weight: 80 }, { locality: "us/*", weight: 20 }] }]; // prettier-ignore
    const setUp = setUpCluster({ balancer: { kind }, locality: { ...LOCALITY, distribute } }, NEAR_AND_FAR);
    setUp.outside.draw = seeded(6);
    const expected = [4000, 4000, 1000, 1000];
    for (const [at, counted] of count(setUp, 10_000, () => new FakeRequest()).entries())
      assert.ok(Math.abs(counted - expected[at]!) < 3 * Math.sqrt(expected[at]!) + 40, `${kind}: ${counted}`);
  }
});

test("a hash has its place, too: a key stays in it", () => {
  const distribute = [{ from: "*", to: [{ locality: "eu/*", weight: 50 }, { locality: "us/*", weight: 50 }] }]; // prettier-ignore
  const setUp = setUpCluster({ balancer: HASHED, locality: { ...LOCALITY, distribute } }, NEAR_AND_FAR);
  setUp.outside.draw = seeded(7);
  for (let hash = 0; hash < 40; hash++)
    assert.deepEqual(count(setUp, 10, () => new HashedRequest(hash)).filter(Boolean), [10]);
  for (const counted of count(setUp, 4000, (n) => new HashedRequest(n))) assert.ok(Math.abs(counted - 1000) < 150);
});

test("a retry goes further away rather than to where it failed; other requests do not", () => {
  const setUp = setUpCluster({ balancer: { kind: "round-robin" }, locality: LOCALITY }, NEAR_AND_FAR);
  setUp.cluster.moveTo({ ...NOWHERE, region: "eu", zone: "eu-a" });
  assert.deepEqual(
    count(setUp, 100, () => new FakeRequest()),
    [50, 50, 0, 0],
  );
  const near = setUp.outside.opened.map(({ endpoint }) => endpoint);
  const retry = new RetriedRequest("plain");
  retry.tried.push(...near);
  setUp.cluster.acquire(retry, false);
  assert.match(retry.connection?.endpoint.label ?? "", /10\.0\.0\.[34]:80/);
});

test("an endpoint that says its zone alone is in the region that others know of it", () => {
  const endpoints = [
    toEndpoint(1, { locality: { region: "", zone: "eu-b", subzone: "" } }),
    toEndpoint(2, { locality: { region: "", zone: "us-a", subzone: "" } }),
  ];
  const setUp = setUpCluster({ balancer: { kind: "round-robin" }, locality: LOCALITY }, endpoints);
  const here = { ...NOWHERE, region: "eu", zone: "eu-a" };
  setUp.cluster.moveTo(here);
  assert.deepEqual(
    count(setUp, 10, () => new FakeRequest()),
    [5, 5, 0, 0],
  );
  setUp.cluster.moveTo({ ...here, regions: new Map([["eu-a", "eu"], ["eu-b", "eu"], ["us-a", "us"]]) }); // prettier-ignore
  assert.deepEqual(
    count(setUp, 10, () => new FakeRequest()),
    [10, 0, 0, 0],
  );
});

test("whatever comes, goes, falls ill and gets well: a request is refused only where no endpoint is left", () => {
  const kinds: readonly Balancer[] = [
    { kind: "least-request" },
    { kind: "round-robin", slowStart: { window: 500, aggression: 1, minimumPercent: 0 } },
    { kind: "random" },
    HASHED,
  ];
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const outside = new FakeOutside();
    outside.draw = random;
    const hosts = new EndpointHosts("ns/web:80", outside.counts);
    const balancer = kinds[seed % kinds.length]!;
    const choice = new EndpointChoice(hosts, { balancer, locality: LOCALITY }, outside.options);
    choice.moveTo({ ...NOWHERE, region: "eu", zone: "eu-a" });
    for (let step = 0; step < 200; step++) {
      outside.time += 50;
      if (random() < 0.2) choice.update(NEAR_AND_FAR.filter(() => random() < 0.6));
      for (const host of hosts) if (random() < 0.3) host.fitness = pick(random, FITNESS);
      choice.refresh();
      for (const run of outside.scheduled.keys()) if (random() < 0.5 && outside.scheduled.delete(run)) run();
      const request = Object.assign(new HashedRequest(below(random, 100)), {
        tried: [...hosts].slice(below(random, 4)),
      });
      const host = choice.choose(request);
      const left = [...hosts].filter(({ state }) => state !== "removed");
      assert.equal(host === undefined, left.length === 0, `seed ${seed}, step ${step}`);
      if (host !== undefined) assert.ok(left.includes(host));
      const seen = new Set<EndpointHost>();
      for (let next = choice.first(request); next !== undefined; next = choice.next()) {
        assert.ok(left.includes(next) && !seen.has(next), `seed ${seed}, step ${step}`);
        seen.add(next);
      }
    }
  }
});
