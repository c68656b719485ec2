/** Clusters by name: requests that wait for DNS, addresses that change, names that cannot be resolved. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { eventually } from "@sallyport/testkit/eventually";
import { DnsServer } from "@sallyport/testkit/dns-server";
import { FakeOutside, FakeRequest, toConfig } from "../../test/cluster/fakes.ts";
import type { ClusterTable, ManagedCluster } from "./contract.ts";
import { openResolver } from "./dns/resolver.ts";
import { openClusterTable } from "./table.ts";

/** Milliseconds in which a server that answers has done so, on any machine. */
const TIMEOUT = 3000;

interface SetUp {
  readonly server: DnsServer;
  readonly table: ClusterTable;
  readonly states: string[];
  /** Names, and which of their addresses are left out and why. */
  readonly leftOut: string[];
  /** Lets the time to the next question be over. */
  readonly outside: FakeOutside;
  readonly askAgain: () => void;
  readonly create: (...hostnames: string[]) => ManagedCluster;
  /** Resolves at the next change of a name's state. */
  readonly changed: () => Promise<void>;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const server = await DnsServer.open();
  const outside = new FakeOutside();
  const states: string[] = [];
  const leftOut: string[] = [];
  const scheduled: (() => void)[] = [];
  let wake: (() => void) | undefined;
  const table = openClusterTable({
    ...outside.options,
    resolver: openResolver({ servers: [server.address], timeout: TIMEOUT, tries: 1, resolvConfPath: "/nonexistent" }),
    schedule: (_milliseconds, run) => {
      scheduled.push(run);
      return () => undefined;
    },
    onLeftOut: (_key, hostname, addresses) =>
      void leftOut.push(`${hostname} ${addresses.map(({ address, use }) => `${address} ${use}`).join(", ")}`),
    onNameState: (key, hostname, state) => {
      states.push(`${key} ${hostname} ${state === "resolved" ? state : state.detail}`);
      wake?.();
    },
  });
  t.after(async () => {
    table.close();
    await server.close();
  });
  const create = (...hostnames: string[]): ManagedCluster => {
    const names = hostnames.map((hostname) => ({ hostname, port: 80 }));
    return table.create(toConfig({ discovery: { kind: "dns", names } }), undefined, undefined);
  };
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const askAgain = (): void => {
    for (const run of scheduled.splice(0)) run();
  };
  return { server, table, states, leftOut, askAgain, create, changed, outside };
}

function acquire(cluster: ManagedCluster): FakeRequest {
  const request = new FakeRequest();
  cluster.acquire(request, false);
  return request;
}

test("requests wait until the name is resolved", async (t) => {
  const { server, create, changed } = await setUp(t);
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 30 });
  const cluster = create("web.example");
  const request = acquire(cluster);
  assert.equal(request.answers, 0);
  await changed();
  assert.equal(request.connection?.endpoint.label, "192.0.2.1:80");
});

test("requests are refused once it is known that the name cannot be resolved", async (t) => {
  const { server, states, create, changed } = await setUp(t);
  server.answers.set("web.example", { kind: "servfail" });
  const cluster = create("web.example");
  const waiting = acquire(cluster);
  await changed();
  assert.equal(waiting.refusal, "dns-failure");
  assert.equal(acquire(cluster).refusal, "dns-failure");
  assert.deepEqual(states, ["ns/web:80 web.example ESERVFAIL"]);
});

test("an address that changes is used from the next answer on, and kept through failures", async (t) => {
  const { server, states, create, changed, askAgain } = await setUp(t);
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 1 });
  const cluster = create("web.example");
  await changed();
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.2"], ttl: 1 });
  const moved = changed();
  await new Promise(setImmediate);
  askAgain();
  await moved;
  assert.equal(acquire(cluster).connection?.endpoint.label, "192.0.2.2:80");
  server.answers.set("web.example", { kind: "silent" });
  const lost = changed();
  await new Promise(setImmediate);
  askAgain();
  await lost;
  assert.equal(acquire(cluster).connection?.endpoint.label, "192.0.2.2:80");
  assert.equal(states.at(-1), "ns/web:80 web.example ETIMEOUT");
});

test("a cluster of several names has the addresses of all", async (t) => {
  const { server, create, changed } = await setUp(t);
  server.answers.set("a.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 30 });
  server.answers.set("b.example", { kind: "addresses", addresses: ["192.0.2.2"], ttl: 30 });
  const cluster = create("a.example", "b.example");
  while (cluster.summary().endpoints.length < 2) await changed();
  assert.deepEqual(
    // Whichever name is answered first comes first.
    cluster
      .summary()
      .endpoints.map(({ label }) => label)
      .toSorted(),
    ["192.0.2.1:80", "192.0.2.2:80"],
  );
});

test("hundreds of addresses are as many endpoints, and idle connections to those that vanish close at once", async (t) => {
  const { server, create, changed, askAgain, outside } = await setUp(t);
  const addresses = Array.from({ length: 300 }, (_, n) => `192.0.${n >> 8}.${n & 255}`);
  server.answers.set("web.example", { kind: "truncated", addresses: [...addresses, ...addresses], ttl: 30 });
  const cluster = create("web.example");
  await changed();
  assert.equal(cluster.summary().endpoints.length, 300);
  const requests = Array.from({ length: 200 }, () => acquire(cluster));
  for (const { connection } of requests.slice(1)) connection?.finish();
  server.answers.set("web.example", { kind: "addresses", addresses: ["192.0.2.1"], ttl: 30 });
  const moved = changed();
  await new Promise(setImmediate);
  askAgain();
  await moved;
  assert.equal(outside.opened.filter(({ isClosed }) => !isClosed).length, 1, "what is answered just now goes on");
  assert.deepEqual(
    cluster.summary().endpoints.map(({ state }) => state),
    ["removed", "ready"],
  );
  requests[0]?.connection?.finish();
  assert.equal(cluster.summary().connections, 0);
});

test("where only routable addresses count, a name leads to no other, whatever it is answered and when", async (t) => {
  const { server, states, table, changed, askAgain } = await setUp(t);
  const create = (hostname: string): ManagedCluster => {
    const names = [{ hostname, port: 80 }];
    return table.create(toConfig({ discovery: { kind: "dns", names, addresses: "routable" } }), undefined, undefined);
  };
  const answer = async (...addresses: string[]): Promise<void> => {
    server.answers.set("web.example", { kind: "addresses", addresses, ttl: 0 });
    const news = changed();
    await new Promise(setImmediate);
    askAgain();
    await news;
  };
  server.answers.set("web.example", { kind: "addresses", addresses: ["169.254.169.254", "192.0.2.1"], ttl: 0 });
  const cluster = create("web.example");
  await changed();
  assert.deepEqual(
    cluster.summary().endpoints.map(({ label }) => label),
    ["192.0.2.1:80"],
  );
  await answer("127.0.0.1", "169.254.169.254");
  assert.equal(acquire(cluster).connection?.endpoint.label, "192.0.2.1:80", "the last good one");
  assert.match(states.at(-1) ?? "", /web\.example 127\.0\.0\.1 is no address for a backend in a cluster \(loopback\)/);
  await answer("192.0.2.2");
  assert.equal(acquire(cluster).connection?.endpoint.label, "192.0.2.2:80");

  for (const name of ["localhost", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
    const waiting = acquire(create(name));
    await changed();
    assert.equal(waiting.refusal, "dns-failure", name);
  }
});

test("addresses that are left out are told once a change, and counted in each answer", async (t) => {
  const { server, table, changed, askAgain, leftOut, outside } = await setUp(t);
  const names = [{ hostname: "web.example", port: 80 }];
  const answer = (...addresses: string[]): void =>
    void server.answers.set("web.example", { kind: "addresses", addresses, ttl: 0 });
  const again = async (questions: number): Promise<void> => {
    await new Promise(setImmediate);
    askAgain();
    await eventually(() => outside.leftOut === questions, { what: `${questions} addresses left out` });
  };
  answer("192.0.2.1", "169.254.169.254", "127.0.0.1");
  table.create(toConfig({ discovery: { kind: "dns", names, addresses: "routable" } }), undefined, undefined);
  await changed();
  const both = "web.example 127.0.0.1 loopback, 169.254.169.254 link-local";
  assert.deepEqual([leftOut, outside.leftOut], [[both], 2]);
  await again(4);
  answer("127.0.0.1");
  await again(5);
  assert.deepEqual(leftOut, [both], "where nothing is left, that is what is told");
  answer("169.254.169.254", "192.0.2.2");
  await again(6);
  answer("192.0.2.3");
  const news = changed();
  await new Promise(setImmediate);
  askAgain();
  await news;
  assert.deepEqual(leftOut, [both, "web.example 169.254.169.254 link-local", "web.example "]);
  assert.equal(outside.leftOut, 6);
});

test("a retired cluster does not leave requests waiting for a name", async (t) => {
  const { server, table, create } = await setUp(t);
  server.answers.set("web.example", { kind: "silent" });
  const waiting = acquire(create("web.example"));
  table.disposeUnused(new Set());
  assert.equal(waiting.refusal, "dns-failure");
  assert.deepEqual(table.summaries(), []);
});
