/** Requests that are taken back before anything of them was written: they cost an endpoint of HTTP/1.1 neither a request nor a connection. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamStream } from "../../src/exchange/contract.ts";
import { RequestHead } from "../../src/head/request-head.ts";
import { openHttp1 } from "../../src/http1/client.ts";
import { toOpening, toUpstreamDependencies } from "../codec/opening.ts";
import { Receiver } from "../codec/receiver.ts";
import { FrameClient } from "../http2/frame-client.ts";
import { type Backend, openBackend, say, SILENCE } from "./backends.ts";
import { RetryRig } from "./rig.ts";

const FLOOD = Array.from({ length: 40 }, (_, index) => 2 * index + 1);

async function openClient(t: TestContext, rig: RetryRig): Promise<FrameClient> {
  const client = await FrameClient.open(rig.port);
  t.after(() => client.close());
  await client.settle();
  return client;
}

/** Sends what `run` sends at once. */
function inOnePiece({ socket }: FrameClient, run: () => void): void {
  socket.cork();
  run();
  socket.uncork();
}

/** One more request is answered; how many requests and connections the backend saw by then. */
async function countAfter(client: FrameClient, backend: Backend): Promise<readonly [number, number]> {
  const last = 1001;
  client.request(last);
  await eventually(() => client.ended(last));
  return [backend.count, backend.upstream.connections.length];
}

for (const method of ["GET", "POST"]) {
  test(`HTTP/2: ${method}s that are reset as they come reach nobody, and one connection serves on`, async (t) => {
    await using backend = await openBackend(say(200));
    await using rig = await RetryRig.start({ backends: [backend.port] });
    const client = await openClient(t, rig);
    inOnePiece(client, () => {
      for (const id of FLOOD) {
        client.request(id, method);
        if (method === "POST") client.data(id, "some of it");
        client.reset(id);
      }
    });
    assert.deepEqual(await countAfter(client, backend), [1, 1]);
  });
}

test("HTTP/2: a kept connection is not lost to a request that is reset as it comes", async (t) => {
  await using backend = await openBackend(say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const client = await openClient(t, rig);
  client.request(1);
  await eventually(() => client.ended(1));
  inOnePiece(client, () => {
    client.request(3);
    client.reset(3);
  });
  assert.deepEqual(await countAfter(client, backend), [2, 1]);
});

test("HTTP/2: a request that was written costs its connection", async (t) => {
  await using backend = await openBackend(SILENCE, say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const client = await openClient(t, rig);
  client.request(1);
  await eventually(() => backend.count === 1);
  client.reset(1);
  await eventually(() => backend.upstream.connections[0]?.ended === true || backend.upstream.connections[0]?.reset);
  assert.deepEqual(await countAfter(client, backend), [2, 2]);
});

test("HTTP/2: requests that come together are all written", async (t) => {
  await using backend = await openBackend(say(200));
  await using rig = await RetryRig.start({ backends: [backend.port] });
  const client = await openClient(t, rig);
  inOnePiece(client, () => FLOOD.forEach((id) => client.request(id)));
  await eventually(() => FLOOD.every((id) => client.ended(id)));
  assert.equal(backend.count, FLOOD.length);
});

interface Opening {
  readonly told: { connected: number; idle: number; closed: number };
  readonly begin: () => UpstreamStream;
  readonly receiver: Receiver;
}

/** A connection of the codec that is not up yet. */
async function openUnconnected(t: TestContext): Promise<Opening> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const told = { connected: 0, idle: 0, closed: 0 };
  const opening = toOpening(typeof address === "object" && address !== null ? address.port : 0, told);
  const connection = openHttp1({ ...opening, tls: undefined }, toUpstreamDependencies());
  t.after(() => {
    connection.close();
    server.close();
  });
  const receiver = new Receiver();
  const begin = (): UpstreamStream => {
    const stream = connection.open(receiver);
    const head = new RequestHead();
    head.text = "GET / HTTP/1.1\r\nHost: x\r\n";
    head.fieldsAt = 16;
    stream.sendHead(head, "none", "content");
    stream.endBody("");
    stream.flush();
    return stream;
  };
  return { told, begin, receiver };
}

test("a connection that is not up yet serves who comes after a request that was taken back", async (t) => {
  const { told, begin, receiver } = await openUnconnected(t);
  begin().cancel();
  assert.deepEqual(told, { connected: 0, idle: 1, closed: 0 });
  begin();
  await eventually(() => receiver.ends === 1 && receiver.body === "ok");
  assert.deepEqual(told, { connected: 1, idle: 2, closed: 0 });
});

test("a connection that is not up when a try is late is given up", async (t) => {
  const { told, begin } = await openUnconnected(t);
  begin().cancel(true);
  assert.deepEqual(told, { connected: 0, idle: 0, closed: 1 });
});
