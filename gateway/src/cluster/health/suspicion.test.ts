import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClusterSetUp, FakeRequest, setUpCluster, toEndpoint } from "../../../test/cluster/fakes.ts";
import { toEndpointSession } from "../../session/endpoint-session.ts";

/** Where a new request goes, on a connection of its own. */
function ask({ acquire, outside }: ClusterSetUp): string {
  const request = acquire(true);
  assert.equal(request.answers, 1, "nobody waits, nobody is refused");
  return outside.opened.at(-1)?.endpoint.label ?? "";
}

function askMany(setUp: ClusterSetUp, count: number): string {
  return [...new Set(Array.from({ length: count }, () => ask(setUp)))].toSorted().join(" ");
}

/** A cluster whose balancer would take the endpoints in turn. */
function open(endpoints: number): ClusterSetUp {
  const all = Array.from({ length: endpoints }, (_, at) => toEndpoint(at + 1));
  return setUpCluster({ balancer: { kind: "round-robin" } }, all);
}

const [ONE, TWO] = ["10.0.0.1:80", "10.0.0.2:80"];

/** The next connection to this endpoint fails. */
function failAt(
  setUp: ClusterSetUp,
  label: string,
  failure: "connect-failure" | "connect-timeout" | "upstream-reset",
): void {
  while (ask(setUp) !== label);
  setUp.outside.opened.at(-1)?.fail(failure);
}

test("requests go elsewhere for a moment when a connection could not be made, and one finds out how things are", () => {
  const setUp = open(2);
  failAt(setUp, ONE, "connect-failure");
  assert.equal(askMany(setUp, 6), TWO);
  setUp.outside.time += 299;
  assert.equal(askMany(setUp, 6), TWO);
  setUp.outside.time += 1;
  assert.equal(askMany(setUp, 3), `${ONE} ${TWO}`);
  assert.equal(askMany(setUp, 6), TWO);
  const probe = setUp.outside.opened.findLast(({ endpoint }) => endpoint.label === ONE);
  probe?.connect();
  assert.equal(askMany(setUp, 2), `${ONE} ${TWO}`);
});

test("the moment is as long as it took to fail, within reason", () => {
  for (const [took, moment] of [
    [2_000, 2_000],
    [60_000, 10_000],
  ] as const) {
    const setUp = open(2);
    while (ask(setUp) !== ONE);
    const slow = setUp.outside.opened.at(-1);
    setUp.outside.time += took;
    slow?.fail("connect-timeout");
    setUp.outside.time += moment - 1;
    assert.equal(askMany(setUp, 4), TWO);
    setUp.outside.time += 1;
    assert.equal(askMany(setUp, 4), `${ONE} ${TWO}`);
  }
});

test("where no endpoint can be connected to, all are asked", () => {
  const setUp = open(2);
  failAt(setUp, ONE, "connect-failure");
  ask(setUp);
  setUp.outside.opened.at(-1)?.fail("connect-failure");
  assert.equal(askMany(setUp, 4), `${ONE} ${TWO}`);
  const alone = open(1);
  failAt(alone, ONE, "connect-failure");
  assert.equal(askMany(alone, 3), ONE);
});

test("only connections that never came up count, and an answer ends it", () => {
  const setUp = open(2);
  failAt(setUp, ONE, "upstream-reset");
  assert.equal(askMany(setUp, 2), `${ONE} ${TWO}`);
  while (ask(setUp) !== ONE);
  const up = setUp.outside.opened.at(-1);
  up?.connect();
  up?.fail("connect-failure");
  assert.equal(askMany(setUp, 2), `${ONE} ${TWO}`);
  failAt(setUp, ONE, "connect-failure");
  up?.endpoint.noteAnswer(500);
  assert.equal(askMany(setUp, 2), `${ONE} ${TWO}`);
});

test("a session leaves an endpoint that cannot be connected to, and comes back when it can", () => {
  const { cluster, outside } = open(2);
  const session = toEndpointSession("ns/web:80", ONE);
  const seek = (): string => {
    cluster.acquire(Object.assign(new FakeRequest("plain"), { session }), true);
    return outside.opened.at(-1)?.endpoint.label ?? "";
  };
  assert.equal(seek(), ONE);
  outside.opened.at(-1)?.fail("connect-timeout");
  for (let i = 0; i < 4; i++) assert.equal(seek(), TWO);
  outside.time += 300;
  assert.equal(seek(), ONE, "one finds out");
  const probe = outside.opened.at(-1);
  assert.equal(seek(), TWO);
  probe?.connect();
  for (let i = 0; i < 4; i++) assert.equal(seek(), ONE);
});
