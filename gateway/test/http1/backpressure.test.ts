/** Bodies of any size in constant memory: whoever does not read stops whoever sends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import type { LocalReply } from "@sallyport/policies/filter";
import { eventually } from "@sallyport/testkit/eventually";
import { pour, settled } from "../pouring.ts";
import { answer, GET, OK, openPair } from "./pair.ts";
import { openRig, type Rig } from "./rig.ts";

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
  // the sender stands still before the gateway does, which has what is in the kernel's buffers yet to read
  await settled(() => sent + rig.records.length);
  assert.ok(sent < 32 * MEBIBYTE, `${sent} bytes of requests were taken`);
  // and it is not waited for without end
  rig.advance(301_000);
  await eventually(() => rig.bound.connections === 0);
  assert.ok(rig.records.every(({ status }) => status === 404));
});

/** More than the kernel takes of somebody who does not read. */
const LARGE = "x".repeat(32 * MEBIBYTE);

/** A gateway that answers all of a client that does not read yet, which has sent this. */
async function answerLarge(t: TestContext, request: string): Promise<{ rig: Rig; client: Socket }> {
  const reply: LocalReply = { status: 200, headers: [], body: LARGE, flag: "-" };
  const rig = await openRig(t, { rule: { filters: [{ deterministic: true, onRequest: () => reply }] } });
  const client = await openClient(t, rig.port);
  client.pause();
  client.write(request);
  await eventually(() => rig.records.length === 1, { what: "the answer" });
  return { rig, client };
}

/** Lets it read. */
function countReceived(client: Socket): { bytes: number } {
  const received = { bytes: 0 };
  client.on("data", (bytes: Buffer) => (received.bytes += bytes.length));
  client.resume();
  return received;
}

for (const more of ["", GET, "GET / HT"]) {
  test(`a client with unread answers is given up as in an answer, not as between two (${more.length} bytes more)`, async (t) => {
    const { rig } = await answerLarge(t, GET + more);
    rig.advance(299_000);
    assert.equal(rig.bound.connections, 1);
    rig.advance(2_000);
    await eventually(() => rig.bound.connections === 0, { what: "the end" });
    assert.equal(rig.records.length, 1);
  });
}

test("a client that has read its answers late has the time to ask again that others have", async (t) => {
  const { rig, client } = await answerLarge(t, GET);
  rig.advance(200_000);
  const received = countReceived(client);
  await eventually(() => received.bytes > LARGE.length, { what: "the whole answer" });
  rig.advance(3_599_000);
  assert.equal(rig.bound.connections, 1);
  rig.advance(2_000);
  await eventually(() => rig.bound.connections === 0, { what: "the end" });
});

test("a client that reads the last answer of a connection slowly gets all of it", async (t) => {
  const { rig, client } = await answerLarge(t, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  rig.advance(299_000);
  const received = countReceived(client);
  await once(client, "end");
  assert.ok(received.bytes > LARGE.length, `${received.bytes} bytes`);
  // and then it has to end, too
  rig.advance(2_000);
  await eventually(() => rig.bound.connections === 0, { what: "the end" });
});

test("a client that does not read the last answer of a connection is given up", async (t) => {
  const { rig } = await answerLarge(t, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  rig.advance(301_000);
  await eventually(() => rig.bound.connections === 0, { what: "the end" });
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
