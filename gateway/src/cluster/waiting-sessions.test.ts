/** Sessions at the limit of connections: they wait for their endpoint, hold nobody up and are not forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "@sallyport/testkit/random";
import { FakeOutside, FakeRequest, setUpCluster, toEndpoint } from "../../test/cluster/fakes.ts";
import type { UpstreamEndpoint } from "./contract.ts";
import { toEndpointSession } from "../session/endpoint-session.ts";

class SessionRequest extends FakeRequest {
  readonly session: string;
  tried: readonly UpstreamEndpoint[] | undefined = undefined;

  constructor(n: number) {
    super("plain");
    this.session = toEndpointSession("ns/web:80", `10.0.0.${n}:80`);
  }
}

const ENDPOINTS = [1, 2, 3].map((n) => toEndpoint(n));
const LIMITS = { connections: 2, pending: 1000 };

function setUp(limits: { connections: number; pending: number; connectionsPerEndpoint?: number } = LIMITS) {
  const { cluster, outside } = setUpCluster(
    { limits, balancer: { kind: "round-robin" } },
    ENDPOINTS,
    new FakeOutside(),
  );
  outside.draw = seeded(4);
  const acquire = (n?: number): FakeRequest => {
    const request = n === undefined ? new FakeRequest("plain") : new SessionRequest(n);
    cluster.acquire(request, false);
    return request;
  };
  return { cluster, outside, acquire };
}

function placeOf({ connection }: FakeRequest): string | undefined {
  return connection?.endpoint.label;
}

test("a session waits for a connection of its endpoint, and others who wait go before it with those of others", () => {
  const { acquire } = setUp();
  const [one, two] = [acquire(1), acquire(2)];
  const [session, plain] = [acquire(1), acquire()];
  two.connection?.finish();
  assert.equal(session.answers, 0);
  assert.equal(placeOf(plain), "10.0.0.2:80");
  one.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.1:80");
});

test("a session whose endpoint has no connection has one that comes free closed for it", () => {
  const { acquire, outside } = setUp();
  const [one] = [acquire(1), acquire(2)];
  const [session, plain] = [acquire(3), acquire()];
  one.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.3:80");
  assert.equal(plain.answers, 0);
  assert.equal(outside.opened.filter(({ isClosed }) => !isClosed).length, 2);
});

test("a connection that nobody else waits for makes room on the endpoint of a session", () => {
  const { acquire } = setUp();
  const two = [acquire(1), acquire(2)][1];
  const session = acquire(1);
  two?.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.1:80");
});

test("where its endpoint may have no more, nothing is closed for a session", () => {
  const { acquire, outside } = setUp({ ...LIMITS, connectionsPerEndpoint: 1 });
  const [one, two] = [acquire(1), acquire(2)];
  const session = acquire(1);
  two.connection?.finish();
  assert.equal(session.answers, 0);
  assert.equal(two.connection?.isClosed, false);
  one.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.1:80");
  assert.equal(outside.opened.length, 2);
});

test("an idle connection elsewhere makes room for a session that comes", () => {
  const { acquire } = setUp();
  const [, two] = [acquire(1), acquire(2)];
  two?.connection?.finish();
  assert.equal(placeOf(acquire(3)), "10.0.0.3:80");
});

test("a retry of a session does not take an idle connection elsewhere", () => {
  const { cluster, acquire, outside } = setUp({ ...LIMITS, connectionsPerEndpoint: 1 });
  const [, two] = [acquire(1), acquire(2)];
  two?.connection?.finish();
  const session = new SessionRequest(1);
  session.tried = two?.connection === undefined ? [] : [two.connection.endpoint];
  cluster.acquire(session, false);
  assert.equal(session.answers, 0);
  assert.equal(outside.opened.length, 2);
});

test("a session whose endpoint is ejected while it waits goes elsewhere", () => {
  const { acquire, cluster } = setUp();
  const two = [acquire(1), acquire(2)][1];
  const session = acquire(1);
  cluster.setEndpoints(ENDPOINTS.slice(1), "no-endpoints");
  two?.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.2:80");
});

test("a retry of a session that failed elsewhere waits for its endpoint as well", () => {
  const { acquire, cluster } = setUp();
  const [one, two] = [acquire(1), acquire(2)];
  const session = new SessionRequest(1);
  session.tried = two.connection === undefined ? [] : [two.connection.endpoint];
  const opened = acquire();
  cluster.acquire(session, false);
  two.connection?.finish();
  assert.equal(placeOf(opened), "10.0.0.2:80");
  opened.connection?.finish();
  assert.equal(placeOf(session), "10.0.0.1:80");
  assert.equal(one.answers, 1);
});

test("with room on others, sessions that wait for their endpoint do not hold up who needs no certain one", () => {
  const { acquire } = setUp({ ...LIMITS, connectionsPerEndpoint: 1 });
  const two = [acquire(1), acquire(2)][1];
  const [session, other, plain] = [acquire(1), acquire(1), acquire()];
  two?.connection?.fail();
  assert.equal(session.answers + other.answers, 0);
  assert.notEqual(placeOf(plain), undefined);
  assert.notEqual(placeOf(plain), "10.0.0.1:80");
});

test("in any order of events sessions are served where they are at home, and everybody is served in the end", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = seeded(seed);
    const perEndpoint = seed % 3 === 0 ? { connectionsPerEndpoint: 1 } : {};
    const { acquire } = setUp({ connections: 1 + (seed % 4), pending: 1000, ...perEndpoint });
    const homes = new Map<FakeRequest, number | undefined>();
    const running = new Set<FakeRequest>();
    const check = (): void => {
      for (const [request, home] of homes) {
        assert.equal(request.refusal, undefined);
        if (request.connection === undefined) continue;
        if (home !== undefined) assert.equal(placeOf(request), `10.0.0.${home}:80`, `seed ${seed}`);
        homes.delete(request);
        running.add(request);
      }
    };
    const finish = (): void => {
      const [first] = running;
      if (first === undefined) return;
      running.delete(first);
      first.connection?.finish();
    };
    for (let step = 0; step < 300; step++) {
      if (random() < 0.5) {
        const home = random() < 0.5 ? 1 + Math.floor(random() * 3) : undefined;
        homes.set(acquire(home), home);
      } else finish();
      check();
    }
    for (let left = 2000; left > 0 && running.size > 0; left--) {
      finish();
      check();
    }
    assert.equal(homes.size, 0, `seed ${seed}: ${homes.size} wait for ever`);
  }
});
