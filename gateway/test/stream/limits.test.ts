/** Time limits, and what a stalled reader may hold. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { pour, settled } from "../pouring.ts";
import { LeasingCluster } from "./leasing-cluster.ts";
import { endOf, openStreamRig, recordOf, serve } from "./rig.ts";

const MEBIBYTE = 1 << 20;

test("silence in both directions ends a connection, a byte in either moves its end", async (t) => {
  const servers: Socket[] = [];
  const port = await serve(t, (socket) => void servers.push(socket));
  const rig = await openStreamRig(t, {
    cluster: new LeasingCluster("ns/s:1", port),
    stream: { idleTimeout: 10_000 },
  });
  const client = await rig.client();
  const server = await eventually(() => servers[0]);
  client.write("a");
  await once(server, "data");
  rig.advance(8_000);
  server.write("b");
  await once(client, "data");
  rig.advance(8_000);
  client.write("c");
  await once(server, "data");
  rig.advance(8_000);
  assert.equal(rig.records.length, 0);
  const ends = [endOf(client), endOf(server)];
  rig.advance(3_000);
  assert.deepEqual(await Promise.all(ends), ["fin", "fin"]);
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["SI", "stream-idle-timeout"]);
});

test("a connection that is half closed is ended by silence, too", async (t) => {
  const port = await serve(t, (socket) => void socket.end());
  const rig = await openStreamRig(t, {
    cluster: new LeasingCluster("ns/s:1", port),
    stream: { idleTimeout: 10_000 },
  });
  const client = await rig.client();
  await once(client.resume(), "end");
  rig.advance(11_000);
  assert.equal((await recordOf(rig)).flag, "SI");
});

test("a connection ends when its life is over, however busy it is, and seen to be cut", async (t) => {
  const port = await serve(t, (socket) => void socket.pipe(socket));
  const rig = await openStreamRig(t, {
    cluster: new LeasingCluster("ns/s:1", port),
    stream: { maxLifetime: 10_000 },
  });
  const client = await rig.client();
  for (let i = 0; i < 3; i++) {
    client.write("x");
    await once(client, "data");
    rig.advance(3_000);
  }
  const end = endOf(client);
  rig.advance(2_000);
  assert.equal(await end, "reset");
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["DT", "lifetime-exceeded"]);
});

test("a server that stops reading stops its client, and gets the rest when it goes on", async (t) => {
  const total = 64 * MEBIBYTE;
  const accepted = Promise.withResolvers<Socket>();
  const port = await serve(t, (socket) => {
    socket.pause();
    accepted.resolve(socket);
  });
  const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port) });
  const client = await rig.client();
  const poured = pour(client, total);
  const server = await accepted.promise;
  const stopped = await settled(() => poured.sent);
  // what the kernel's buffers on both connections hold
  assert.ok(stopped > 0 && stopped < 40 * MEBIBYTE, `${stopped} bytes were taken`);
  let received = 0;
  server.on("data", (bytes: Buffer) => {
    received += bytes.length;
  });
  server.resume();
  await eventually(() => received === total, { within: 60_000, what: "the rest" });
  client.destroy();
});

test("a client that stops reading stops its server, and is cut when nothing moves", async (t) => {
  let poured = { sent: 0 };
  const port = await serve(t, (socket) => {
    poured = pour(socket, 64 * MEBIBYTE);
  });
  const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port) });
  const client = await rig.client();
  client.pause();
  const stopped = await settled(() => poured.sent);
  assert.ok(stopped > 0 && stopped < 40 * MEBIBYTE, `${stopped} bytes were taken`);
  rig.advance(3_601_000);
  assert.equal((await recordOf(rig)).flag, "SI");
  assert.equal(await endOf(client), "reset");
});

test("many stalled connections hold no more than their windows", async (t) => {
  const port = await serve(t, (socket) => void pour(socket, 16 * MEBIBYTE));
  const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port) });
  const before = process.memoryUsage().arrayBuffers;
  const clients = await Promise.all(Array.from({ length: 20 }, () => rig.client()));
  for (const client of clients) client.pause();
  await eventually(() => rig.connects.success === 20);
  await settled(() => process.memoryUsage().arrayBuffers);
  const held = process.memoryUsage().arrayBuffers - before;
  // a read buffer each here, and what the servers of this test queue
  assert.ok(held < 20 * MEBIBYTE, `${held} bytes are held`);
});
