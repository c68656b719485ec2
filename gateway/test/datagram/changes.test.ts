/** Sessions while the configuration changes, and when their port goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { LeasingCluster } from "../stream/leasing-cluster.ts";
import { openDatagramRig, openEcho, routeTo } from "./rig.ts";

test("new clients follow a changed route, sessions keep their endpoint while its cluster is there", async (t) => {
  const [a, b] = [await openEcho(t, "a"), await openEcho(t, "b")];
  const clusters = [new LeasingCluster("ns/a:1", a.port), new LeasingCluster("ns/b:1", b.port)] as const;
  const rig = await openDatagramRig(t, { clusters });
  const [one, two] = [await rig.client(), await rig.client()];
  one.say("1");
  await one.hear(1);
  rig.change({ clusters, route: routeTo(clusters[1]) });
  one.say("2");
  two.say("1");
  assert.deepEqual(await one.hear(2), ["a:1", "a:2"]);
  assert.deepEqual(await two.hear(1), ["b:1"]);
  rig.change({ clusters: [clusters[1]] });
  one.say("3");
  assert.equal((await one.hear(3))[2], "b:3");
  assert.equal(clusters[0].open, 0);
});

test("a session whose endpoint was removed begins anew with its next datagram", async (t) => {
  const [a, b] = [await openEcho(t, "a"), await openEcho(t, "b")];
  const cluster = new LeasingCluster("ns/s:1", a.port, b.port);
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  const client = await rig.client();
  client.say("1");
  await client.hear(1);
  cluster.remove(a.port);
  client.say("2");
  assert.deepEqual(await client.hear(2), ["a:1", "b:2"]);
  assert.equal(rig.records.length, 1);
});

test("a session whose endpoint was removed ends by itself where only the endpoint speaks", async (t) => {
  const echo = await openEcho(t, "a");
  const cluster = new LeasingCluster("ns/s:1", echo.port);
  const rig = await openDatagramRig(t, { clusters: [cluster] });
  const client = await rig.client();
  client.say("1");
  await client.hear(1);
  cluster.remove(echo.port);
  rig.advance(20_000);
  assert.equal(rig.bound.connections, 0);
});

test("a port that goes takes no new clients, lets answers arrive and then closes", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/s:1", echo.port)] });
  const [one, two] = [await rig.client(), await rig.client()];
  one.say("1");
  await one.hear(1);
  const gone = rig.bound.retire();
  two.say("1");
  one.say("2");
  await one.hear(2);
  assert.equal(two.received.length, 0);
  assert.equal(rig.bound.connections, 1);
  rig.advance(1_500);
  await gone;
  assert.deepEqual([rig.records.length, rig.records[0]?.details], [1, "draining"]);
});

test("a port without sessions goes at once", async (t) => {
  const rig = await openDatagramRig(t, { clusters: [] });
  await rig.bound.retire();
});

test("a drain lets sessions and new clients be", async (t) => {
  const echo = await openEcho(t, "e");
  const rig = await openDatagramRig(t, { clusters: [new LeasingCluster("ns/s:1", echo.port)] });
  rig.bound.drain();
  const client = await rig.client();
  client.say("1");
  await client.hear(1);
  await eventually(() => rig.bound.connections === 1);
});

test("a port that is taken is the error of who asked", async (t) => {
  const echo = await openEcho(t, "e");
  await assert.rejects(openDatagramRig(t, { clusters: [], port: echo.port }), { code: "EADDRINUSE" });
});
