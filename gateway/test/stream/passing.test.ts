/** What one side does the other sees: bytes, FIN, reset. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { LeasingCluster } from "./leasing-cluster.ts";
import { endOf, openStreamRig, readAll, recordOf, serve } from "./rig.ts";

for (const sockets of ["tuned", "documented"] as const) {
  test(`a server that speaks first is heard (${sockets})`, async (t) => {
    const port = await serve(t, (socket) => void socket.write("220 ready\r\n"));
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/smtp:25", port), sockets });
    const client = await rig.client();
    const greeting: unknown[] = await once(client, "data");
    assert.equal(String(greeting[0]), "220 ready\r\n");
  });

  test(`the client may end first, and is answered (${sockets})`, async (t) => {
    const port = await serve(t, (socket) => {
      void readAll(socket).then((request) => socket.end(`got ${request.toString()}`));
    });
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port), sockets });
    const client = await rig.client();
    client.end("question");
    assert.equal((await readAll(client)).toString(), "got question");
    const record = await recordOf(rig);
    assert.equal(record.flag, "-");
    assert.equal(record.bytesReceived, 8);
    assert.equal(record.bytesSent, 12);
  });

  test(`the server may end first, and hears the rest (${sockets})`, async (t) => {
    const heard = Promise.withResolvers<Buffer>();
    const port = await serve(t, (socket) => {
      socket.end("goodbye");
      void readAll(socket).then(heard.resolve, heard.reject);
    });
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port), sockets });
    const client = await rig.client();
    assert.equal((await readAll(client)).toString(), "goodbye");
    client.write("one ");
    client.end("two");
    assert.equal((await heard.promise).toString(), "one two");
    assert.equal((await recordOf(rig)).flag, "-");
  });

  test(`a reset of the client reaches the server (${sockets})`, async (t) => {
    const accepted = Promise.withResolvers<Socket>();
    const port = await serve(t, accepted.resolve);
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port), sockets });
    const client = await rig.client();
    client.write("half of");
    const server = await accepted.promise;
    await once(server, "data");
    const end = endOf(server);
    client.resetAndDestroy();
    assert.equal(await end, "reset");
    const record = await recordOf(rig);
    assert.deepEqual([record.flag, record.details], ["DC", "downstream-closed"]);
  });

  test(`a reset of the server reaches the client (${sockets})`, async (t) => {
    const port = await serve(t, (socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port), sockets });
    const client = await rig.client();
    client.write("x");
    assert.equal(await endOf(client), "reset");
    const record = await recordOf(rig);
    assert.deepEqual([record.flag, record.details], ["UR", "upstream-reset"]);
  });
}

test("what was read before goes first, and counts", async (t) => {
  const heard = Promise.withResolvers<Buffer>();
  const port = await serve(t, (socket) => {
    void readAll(socket).then(heard.resolve, heard.reject);
    socket.end();
  });
  const rig = await openStreamRig(t, {
    cluster: new LeasingCluster("ns/s:1", port),
    source: { head: Buffer.from("hello "), protocol: "TLS", serverName: "a.example" },
  });
  const client = await rig.client();
  client.end("world");
  assert.equal((await heard.promise).toString(), "hello world");
  const record = await recordOf(rig);
  assert.equal(record.bytesReceived, 11);
  assert.equal(record.protocol, "TLS");
  assert.equal(record.serverName, "a.example");
});

test("a server that closes at once is a client's end of stream", async (t) => {
  const port = await serve(t, (socket) => void socket.end());
  const rig = await openStreamRig(t, { cluster: new LeasingCluster("ns/s:1", port) });
  const client = await rig.client();
  assert.equal((await readAll(client)).length, 0);
  client.end();
  assert.equal((await recordOf(rig)).flag, "-");
  await eventually(() => rig.open.size === 0);
});
