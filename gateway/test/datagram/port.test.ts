/** Datagrams of clients and their sessions. */
import assert from "node:assert/strict";
import { Socket } from "node:dgram";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { seeded } from "@sallyport/testkit/random";
import { LeasingCluster } from "../stream/leasing-cluster.ts";
import { openDatagramRig, openEcho, routeTo } from "./rig.ts";
import { UNHEARD } from "../unheard.ts";

for (const address of ["127.0.0.1", "::1"]) {
  test(`two clients are kept apart on ${address}`, async (t) => {
    const echo = await openEcho(t, "e", address);
    const cluster = new LeasingCluster("ns/dns:53");
    cluster.add(echo.port, address);
    const rig = await openDatagramRig(t, { clusters: [cluster], address });
    const [one, two] = [await rig.client(), await rig.client()];
    one.say("1");
    two.say("2");
    one.say("3");
    assert.deepEqual(await one.hear(2), ["e:1", "e:3"]);
    assert.deepEqual(await two.hear(1), ["e:2"]);
    assert.equal(rig.bound.connections, 2);
    assert.equal(new Set(echo.from.map(({ port }) => port)).size, 2);
    assert.ok(one.from.every(({ port }) => port === rig.port));
  });
}

test("a session ends after its silence, is recorded once, and the next datagram begins another", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/dns:53", echo.port)] });
  const client = await rig.client();
  client.say("abc");
  await client.hear(1);
  rig.advance(59_000);
  client.say("d");
  await client.hear(2);
  rig.advance(59_000);
  assert.equal(rig.records.length, 0);
  rig.advance(2_000);
  assert.equal(rig.bound.connections, 0);
  const [record] = rig.records;
  assert.ok(record !== undefined);
  const { protocol, flag, listenerKey, listenerMetrics, routeName, upstreamCluster } = record;
  assert.deepEqual(
    { protocol, flag, listenerKey, listenerMetrics, routeName, upstreamCluster },
    {
      protocol: "UDP",
      flag: "-",
      listenerKey: "test/gw/udp",
      listenerMetrics: 3,
      routeName: "udproute/test/main",
      upstreamCluster: "ns/dns:53",
    },
  );
  assert.deepEqual([record.datagramsReceived, record.bytesReceived], [2, 4]);
  assert.deepEqual([record.datagramsSent, record.bytesSent], [2, 8]);
  assert.equal(record.clientAddress, "127.0.0.1");
  assert.equal(record.downstreamRemote, `127.0.0.1:${client.port}`);
  assert.equal(record.downstreamLocal, `127.0.0.1:${rig.port}`);
  assert.equal(record.upstreamHost, `127.0.0.1:${echo.port}`);
  client.say("e");
  await client.hear(3);
  assert.equal(rig.counts.connects, 2);
});

test("a session ends when its life is over, however busy it is", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, {
    clusters: [new LeasingCluster("ns/dns:53", echo.port)],
    stream: { maxLifetime: 10_000 },
  });
  const client = await rig.client();
  for (let i = 1; i <= 3; i++) {
    client.say("x");
    await client.hear(i);
    rig.advance(4_000);
  }
  assert.deepEqual([rig.records[0]?.flag, rig.records[0]?.details], ["DT", "lifetime-exceeded"]);
});

test("sessions follow the weights", async (t) => {
  const [a, b] = [await openEcho(t, "a"), await openEcho(t, "b")];
  const clusters = [new LeasingCluster("ns/a:1", a.port), new LeasingCluster("ns/b:1", b.port)] as const;
  const random = seeded(7);
  const rig = await openDatagramRig(t, {
    clusters,
    route: { key: "r", pick: () => ({ cluster: clusters[random() < 0.8 ? 0 : 1], invalid: "" }) },
  });
  const clients = await Promise.all(Array.from({ length: 100 }, () => rig.client()));
  for (const client of clients) {
    client.say("1");
    client.say("2");
  }
  const heard = await Promise.all(clients.map((client) => client.hear(2)));
  for (const [first = "", second = ""] of heard) assert.equal(first[0], second[0]);
  const share = heard.filter(([first]) => first === "a:1").length;
  assert.ok(share > 70 && share < 90, `${share} of 100`);
});

test("a refused datagram ends the session, and the next one finds another endpoint", async (t) => {
  const gone = await openEcho(t, "gone");
  const cluster = new LeasingCluster("ns/dns:53", gone.port);
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  gone.close();
  const client = await rig.client();
  client.say("1");
  await eventually(() => rig.records.length === 1);
  assert.deepEqual([rig.records[0]?.flag, rig.records[0]?.details], ["UF", "connect-failure"]);
  const echo = await openEcho(t, "e");
  cluster.add(echo.port);
  client.say("2");
  assert.deepEqual(await client.hear(1), ["e:2"]);
});

test("what comes while names resolve waits, up to a bound", async (t) => {
  const echo = await openEcho(t, "e");
  const cluster = new LeasingCluster("ns/dns:53", echo.port);
  cluster.hold = true;
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  const client = await rig.client();
  const other = await rig.client();
  for (let i = 0; i < 30; i++) client.say(String(i));
  for (let i = 0; i < 8; i++) other.say("x".repeat(20_000));
  await eventually(() => rig.bound.connections === 2);
  // datagrams of one socket arrive in order: once this one is in, all are
  const last = await rig.client();
  last.say("last");
  await eventually(() => rig.bound.connections === 3);
  cluster.serve();
  assert.deepEqual(
    await client.hear(16),
    Array.from({ length: 16 }, (_, i) => `e:${i}`),
  );
  await last.hear(1);
  assert.equal((await other.hear(3)).length, 3);
  client.say("now");
  assert.equal((await client.hear(17)).at(-1), "e:now");
});

test("a client that gives up while names resolve leaves nothing behind", async (t) => {
  const cluster = new LeasingCluster("ns/dns:53", 1);
  cluster.hold = true;
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  const client = await rig.client();
  client.say("x");
  await eventually(() => rig.bound.connections === 1);
  rig.advance(61_000);
  assert.equal(rig.bound.connections, 0);
  assert.equal(cluster.cancelled, 1);
});

for (const [what, flag, details] of [
  ["no route", "NR", "no-route"],
  ["no backend", "NR", "no-route"],
  ["an invalid backend", "NC", "invalid-backend"],
  ["no endpoints", "UH", "no-endpoints"],
  ["no socket to be had", "OM", "overloaded"],
] as const) {
  test(`a flood of datagrams that meets ${what} is one record a second`, async (t) => {
    const echo = await openEcho(t, "e");
    const cluster = new LeasingCluster("ns/dns:53", echo.port);
    if (what === "no endpoints") cluster.refuseWith = "no-endpoints";
    const routes = {
      "no route": null,
      "no backend": { key: "r", pick: () => undefined },
      "an invalid backend": routeTo(undefined),
      "no endpoints": routeTo(cluster),
      "no socket to be had": routeTo(cluster),
    };
    const sockets = what === "no socket to be had" ? 0 : 10;
    const rig = await openDatagramRig(t, { clusters: [cluster], route: routes[what], sockets });
    const client = await rig.client();
    for (let i = 0; i < 20; i++) client.say("x");
    await eventually(() => rig.bound.connections === 1);
    const other = await rig.client();
    other.say("x");
    await eventually(() => rig.bound.connections === 2);
    rig.advance(1_500);
    assert.equal(rig.bound.connections, 0);
    assert.equal(rig.records.length, 2);
    const datagrams = rig.records.map(({ datagramsReceived }) => datagramsReceived);
    assert.deepEqual(new Set(datagrams), new Set([1, 20]));
    assert.deepEqual([rig.records[0]?.flag, rig.records[0]?.details], [flag, details]);
  });
}

test("clients beyond the limit are dropped and told of in the log; sessions there are go on", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/dns:53", echo.port)], maxSessions: 2 });
  const [one, two, three] = [await rig.client(), await rig.client(), await rig.client()];
  for (const client of [one, two]) {
    client.say("1");
    await client.hear(1);
  }
  three.say("1");
  three.say("2");
  await eventually(() => rig.warnings.length > 0);
  one.say("2");
  await one.hear(2);
  assert.deepEqual(rig.warnings, ["a datagram of a new client was dropped: too many sessions"]);
  assert.equal(three.received.length, 0);
  rig.advance(61_000);
  three.say("3");
  assert.deepEqual(await three.hear(1), ["e:3"]);
});

test("answers of others than the endpoint are not passed on", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/dns:53", echo.port)] });
  const client = await rig.client();
  client.say("1");
  await client.hear(1);
  const stranger = await openEcho(t, "stranger");
  const session = echo.from[0];
  assert.ok(session !== undefined);
  stranger.socket.send("forged", session.port, session.address);
  client.say("2");
  assert.deepEqual(await client.hear(2), ["e:1", "e:2"]);
});

test("the largest datagram passes, and one that cannot be sent on harms nobody", async (t) => {
  const echo = await openEcho(t, "");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/dns:53", echo.port)] });
  const client = await rig.client();
  client.say("x".repeat(65_506));
  assert.equal((await client.hear(1))[0]?.length, 65_507);
  client.say("x".repeat(65_507));
  await echo.hear(2);
  client.say("");
  assert.equal((await client.hear(2))[1], ":");
});

test("an endpoint that cannot be connected to ends the session and harms nobody", async (t) => {
  const echo = await openEcho(t, "e");
  const cluster = new LeasingCluster("ns/dns:53");
  cluster.add(53, "255.255.255.255");
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  const client = await rig.client();
  client.say("1");
  await eventually(() => rig.records.length === 1);
  assert.equal(rig.records[0]?.flag, "UF");
  cluster.endpoints[0] = { address: "127.0.0.1", port: echo.port, label: "echo", active: () => 0, ...UNHEARD };
  client.say("2");
  assert.deepEqual(await client.hear(1), ["e:2"]);
});

test("who sends from port 0 is served, and the answer dropped", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/s:1", echo.port)] });
  const [forger, client] = [await rig.client(), await rig.client()];
  const original: unknown = Reflect.get(Socket.prototype, "emit");
  assert.ok(typeof original === "function");
  t.mock.method(Socket.prototype, "emit", function forge(this: Socket, ...event: readonly unknown[]) {
    const [, , from] = event;
    // what a raw socket can do, and the kernel delivers
    if (typeof from === "object" && from !== null && Reflect.get(from, "port") === forger.port)
      Reflect.set(from, "port", 0);
    const heard: unknown = Reflect.apply(original, this, event);
    return heard;
  });
  forger.say("1");
  await eventually(() => echo.received.length === 1);
  client.say("2");
  assert.deepEqual(await client.hear(1), ["e:2"]);
  assert.equal(rig.bound.connections, 2);
});
