/** Finding an endpoint, and what becomes of connections that find none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { seeded } from "@sallyport/testkit/random";
import { LeasingCluster } from "./leasing-cluster.ts";
import { endOf, openStreamRig, readAll, recordOf, refusingPort, serve } from "./rig.ts";

test("an endpoint that refuses is passed over, and no byte is lost", async (t) => {
  const port = await serve(t, (socket) => {
    void readAll(socket).then((bytes) => socket.end(bytes));
  });
  const cluster = new LeasingCluster("ns/s:1", await refusingPort(), await refusingPort(), port);
  const rig = await openStreamRig(t, { cluster, source: { head: Buffer.from("first ") } });
  const client = await rig.client();
  client.end("second");
  assert.equal((await readAll(client)).toString(), "first second");
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.upstreamHost], ["-", `127.0.0.1:${port}`]);
  assert.deepEqual(rig.connects, { success: 1, failure: 2, timeout: 0, closed: 1 });
  const [first, second] = cluster.endpoints;
  assert.deepEqual(cluster.avoided, [undefined, first?.label, second?.label]);
  const failed = [first, second].map((one) => [one?.port, "connect-failure"]);
  assert.deepEqual(cluster.notes, [...failed, [port, 200]], "each is told how it went");
});

test("three endpoints are tried and not more", async (t) => {
  const ports = await Promise.all([refusingPort(), refusingPort(), refusingPort()]);
  const good = await serve(t, (socket) => void socket.end("never"));
  const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", ...ports, good) });
  const client = await rig.client();
  assert.equal(await endOf(client), "fin");
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["UF", "connect-failure"]);
  assert.equal(rig.connects.failure, 3);
});

test("the only endpoint is tried once", async (t) => {
  const cluster = new LeasingCluster("ns/s:1", await refusingPort());
  const rig = await openStreamRig(t, { cluster });
  await endOf(await rig.client());
  assert.equal((await recordOf(rig)).flag, "UF");
  assert.equal(rig.connects.failure, 1);
});

test("an endpoint that does not answer in time is passed over", async (t) => {
  const port = await serve(t, (socket) => void socket.end("here"));
  const cluster = new LeasingCluster("ns/s:1", port, port);
  cluster.terms = { connectTimeout: 2_000 };
  const rig = await openStreamRig(t, { cluster });
  // in the same turn, so that the connection cannot be up
  cluster.onDialled = () => {
    cluster.onDialled = undefined;
    queueMicrotask(() => rig.advance(2_500));
  };
  const client = await rig.client();
  assert.equal((await readAll(client)).toString(), "here");
  assert.equal(rig.connects.success, 1);
  assert.equal(rig.connects.timeout, 1);
  assert.deepEqual(cluster.notes, [
    [port, "connect-timeout"],
    [port, 200],
  ]);
});

for (const [what, flag, details] of [
  ["no route", "NR", "no-route"],
  ["no backend", "NR", "no-route"],
  ["an invalid backend", "NC", "invalid-backend"],
  ["no endpoints", "UH", "no-endpoints"],
  ["too many connections", "UO", "connection-overflow"],
] as const) {
  test(`a connection that meets ${what} is closed at once, without a byte, and recorded`, async (t) => {
    const cluster = new LeasingCluster("ns/s:1");
    if (what === "too many connections") cluster.refuseWith = "connection-overflow";
    const routes = {
      "no route": { route: null },
      "no backend": { route: { key: "r", pick: () => undefined } },
      "an invalid backend": { route: { key: "r", pick: () => ({ cluster: undefined, invalid: "gone" }) } },
      "no endpoints": { cluster },
      "too many connections": { cluster },
    };
    const rig = await openStreamRig(t, routes[what]);
    const client = await rig.client();
    let received = 0;
    client.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    assert.equal(await endOf(client), "fin");
    const record = await recordOf(rig);
    assert.deepEqual([record.flag, record.details, record.upstreamHost], [flag, details, ""]);
    assert.equal(received, 0);
    assert.equal(record.listenerKey, "test/gw/tcp");
    assert.equal(record.listenerMetrics, 7);
  });
}

test("a client that goes while names resolve is forgotten", async (t) => {
  const cluster = new LeasingCluster("ns/s:1", 1);
  cluster.hold = true;
  const rig = await openStreamRig(t, { cluster, sockets: "documented" });
  const client = await rig.client();
  await eventually(() => rig.open.size === 1);
  for (const socket of rig.open) socket.destroy();
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, cluster.cancelled], ["DC", 1]);
  client.destroy();
  cluster.serve();
  assert.equal(cluster.leased.length, 0);
});

test("what a client sends and ends while names resolve arrives", async (t) => {
  const port = await serve(t, (socket) => {
    void readAll(socket).then((bytes) => socket.end(bytes));
  });
  for (const sockets of ["tuned", "documented"] as const) {
    const cluster = new LeasingCluster("ns/s:1", port);
    cluster.hold = true;
    const rig = await openStreamRig(t, { cluster, sockets });
    const client = await rig.client();
    client.end("x".repeat(300_000));
    await eventually(() => rig.open.size === 1);
    cluster.serve();
    assert.equal((await readAll(client)).length, 300_000);
  }
});

test("the end of a client that came while names resolve is passed on", async (t) => {
  const port = await serve(t, (socket) => {
    void readAll(socket).then(() => socket.end("heard it"));
  });
  const cluster = new LeasingCluster("ns/s:1", port);
  cluster.hold = true;
  const rig = await openStreamRig(t, { cluster, sockets: "documented" });
  const client = await rig.client();
  const answer = readAll(client);
  client.end();
  await eventually(() => [...rig.open].some((socket) => socket.readableEnded));
  cluster.serve();
  assert.equal((await answer).toString(), "heard it");
});

test("connections follow the weights", async (t) => {
  const ports = [await serve(t, (socket) => void socket.end("a")), await serve(t, (socket) => void socket.end("b"))];
  const [a, b] = ports.map((port, i) => new LeasingCluster(`ns/${i}:1`, port));
  const random = seeded(11);
  const rig = await openStreamRig(t, {
    route: { key: "r", pick: () => ({ cluster: random() < 0.7 ? a : b, invalid: "" }) },
  });
  const answers: string[] = [];
  for (let i = 0; i < 200; i++) {
    const client = await rig.client();
    answers.push((await readAll(client)).toString());
    client.end();
  }
  const share = answers.filter((answer) => answer === "a").length;
  assert.ok(share > 120 && share < 160, `${share} of 200`);
});
