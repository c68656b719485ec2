import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { Ports } from "./ports.ts";

test("ports are different, free and below those of outgoing connections", async (t) => {
  const ports = new Ports(() => 0.999_99);
  const taken = [await ports.take(), await ports.take(), await ports.take()];
  assert.equal(new Set(taken).size, 3);
  assert.ok(taken.every((port) => port >= 20_000 && port < 32_768));
  const server = createServer().listen(taken[0], "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
});

test("a port that somebody listens on is passed over", async (t) => {
  const first = await new Ports(() => 0.5).take();
  const server = createServer().listen(first, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  assert.notEqual(await new Ports(() => 0.5).take(), first);
});

test("a port that somebody takes datagrams on is passed over too", async (t) => {
  const first = await new Ports(() => 0.25).take();
  const socket = createSocket("udp4").bind(first, "127.0.0.1");
  t.after(() => socket.close());
  await once(socket, "listening");
  assert.notEqual(await new Ports(() => 0.25).take(), first);
});
