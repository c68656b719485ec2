/** Bodies of any size in constant memory: whoever does not read stops whoever sends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { pour, settled } from "../pouring.ts";
import { answer, GET, OK, openPair } from "./pair.ts";
import { openRig } from "./rig.ts";

const MEBIBYTE = 1 << 20;

async function listen(t: TestContext, accept: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function openClient(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

test("a client that stops reading stops its upstream, and gets the rest when it goes on", async (t) => {
  const total = 64 * MEBIBYTE;
  let poured = { sent: 0 };
  const port = await listen(t, (socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      poured = pour(socket, total);
    });
  });
  const rig = await openRig(t, { upstream: port });
  const client = await openClient(t, rig.port);
  client.pause();
  client.write(GET);
  const stopped = await settled(() => poured.sent);
  // what the kernel's buffers on both connections hold
  assert.ok(stopped > 0 && stopped < 40 * MEBIBYTE, `${stopped} bytes were taken`);
  let received = 0;
  client.on("data", (bytes: Buffer) => {
    received += bytes.length;
  });
  client.resume();
  await eventually(() => received > total, { within: 30_000, what: "the whole answer" });
  client.destroy();
});

for (const framing of ["length", "chunked"] as const) {
  test(`an upstream that stops reading stops its client (${framing})`, async (t) => {
    const total = 64 * MEBIBYTE;
    const { rig, upstream } = await openPair(t, () => ({
      when: "head",
      steps: [{ do: "stop-reading" }],
    }));
    const client = await openClient(t, rig.port);
    const head = "POST / HTTP/1.1\r\nHost: x\r\n";
    if (framing === "length") client.write(`${head}Content-Length: ${total}\r\n\r\n`);
    else client.write(`${head}Transfer-Encoding: chunked\r\n\r\n${total.toString(16)}\r\n`);
    const poured = pour(client, total);
    const stopped = await settled(() => poured.sent);
    assert.ok(stopped < 40 * MEBIBYTE, `${stopped} bytes were taken`);
    assert.equal(upstream.requests.length, 1);
    client.destroy();
    // a connection that is not read does not show that its peer has gone: the idle time ends it
    rig.advance(301_000);
    await eventually(() => rig.bound.connections === 0);
  });
}

test("a client that never reads its answers cannot pile them up", async (t) => {
  const rig = await openRig(t, { route: () => undefined });
  const client = await openClient(t, rig.port);
  client.pause();
  const request = Buffer.from("GET /none HTTP/1.1\r\nHost: other\r\n\r\n".repeat(1000));
  let sent = 0;
  const flood = (): void => {
    while (!client.destroyed && sent < 64 * MEBIBYTE) {
      sent += request.length;
      if (!client.write(request)) return;
    }
  };
  client.on("drain", flood);
  flood();
  const stopped = await settled(() => sent);
  assert.ok(stopped < 32 * MEBIBYTE, `${stopped} bytes of requests were taken`);
  // and it is not waited for without end, which begins when the last that it did read has left
  await eventually(() => {
    rig.advance(301_000);
    return rig.bound.connections === 0;
  });
});

test("many large answers at once hold no more than their windows", async (t) => {
  const port = await listen(t, (socket) => {
    socket.on("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${16 * MEBIBYTE}\r\n\r\n`);
      pour(socket, 16 * MEBIBYTE);
    });
  });
  const rig = await openRig(t, { upstream: port });
  const before = process.memoryUsage().arrayBuffers;
  const clients = await Promise.all(Array.from({ length: 20 }, () => openClient(t, rig.port)));
  for (const client of clients) {
    client.pause();
    client.write(GET);
  }
  await settled(() => process.memoryUsage().arrayBuffers);
  const held = process.memoryUsage().arrayBuffers - before;
  // per client one read buffer here, and what this test's own upstream queues
  assert.ok(held < 20 * 2 * MEBIBYTE, `${held} bytes are held`);
  for (const client of clients) client.destroy();
  await eventually(() => rig.bound.connections === 0);
});

test("a tunnel passes backpressure on in both directions", async (t) => {
  let poured = { sent: 0 };
  const port = await listen(t, (socket) => {
    socket.once("data", () => {
      socket.pause();
      socket.write("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n");
      poured = pour(socket, 64 * MEBIBYTE);
    });
  });
  const rig = await openRig(t, { upstream: port });
  const client = await openClient(t, rig.port);
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n");
  await once(client, "data");
  client.pause();
  const up = pour(client, 64 * MEBIBYTE);
  assert.ok((await settled(() => poured.sent)) < 40 * MEBIBYTE);
  assert.ok((await settled(() => up.sent)) < 40 * MEBIBYTE);
  client.destroy();
  await eventually(() => rig.bound.connections === 0);
});

test("no connection is left when its client goes", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const clients = await Promise.all(Array.from({ length: 50 }, () => openClient(t, rig.port)));
  for (const [i, client] of clients.entries()) {
    if (i % 3 === 0) client.write(GET);
    if (i % 3 === 1) client.write("GET / HT");
    if (i % 2 === 0) client.resetAndDestroy();
    else client.destroy();
  }
  await eventually(() => rig.bound.connections === 0);
});
