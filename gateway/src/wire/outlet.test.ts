import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { Outlet } from "./outlet.ts";
import { ReadBuffer } from "./read-buffer.ts";

/** A real connection: kernel buffers decide what is taken. */
async function openPair(t: TestContext): Promise<{ near: Socket; far: Socket; writes: string[] }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const near = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  const up = once(near, "connect");
  const [far] = (await once(server, "connection")) as [Socket];
  await up;
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  far.pause();
  const writes: string[] = [];
  const write = near.write.bind(near) as (...parameters: unknown[]) => boolean;
  near.write = (...parameters: unknown[]): boolean => {
    writes.push(String(parameters[0]));
    return write(...parameters);
  };
  return { near, far, writes };
}

async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  socket.resume();
  while (length < count) {
    const [part] = (await once(socket, "data")) as [Buffer];
    parts.push(part);
    length += part.length;
  }
  socket.pause();
  return Buffer.concat(parts);
}

test("text and small pieces of a turn are one write", async (t) => {
  const { near, far, writes } = await openPair(t);
  const outlet = new Outlet(near, "documented", () => undefined);
  outlet.text("HEAD\r\n\r\n");
  assert.equal(outlet.send(Buffer.from("..bo.."), 2, 4, undefined), "taken");
  assert.equal(outlet.send(Buffer.from("dy"), 0, 2, undefined), "taken");
  assert.deepEqual(writes, []);
  assert.equal(outlet.flush(), "taken");
  assert.deepEqual(writes, ["HEAD\r\n\r\nbody"]);
  assert.equal((await readBytes(far, 12)).toString(), "HEAD\r\n\r\nbody");
});

test("a large piece takes what was gathered along, from a copy", async (t) => {
  const { near, far, writes } = await openPair(t);
  const outlet = new Outlet(near, "documented", () => undefined);
  const bytes = Buffer.alloc(20_000, "x");
  outlet.text("HEAD");
  outlet.send(bytes, 0, bytes.length, undefined);
  bytes.fill("y");
  assert.equal(writes.length, 1);
  assert.equal((await readBytes(far, 20_004)).toString(), `HEAD${"x".repeat(20_000)}`);
});

test("a leased piece is written from its own memory, and given back", async (t) => {
  const { near, far } = await openPair(t);
  const outlet = new Outlet(near, "documented", () => undefined);
  const lease = ReadBuffer.take("normal");
  lease.bytes.fill("z");
  let outcome = outlet.send(lease.bytes, 0, lease.bytes.length, lease);
  assert.equal(outcome, "taken");
  let sent = lease.bytes.length;
  // until the kernel takes no more
  for (let i = 0; i < 1000 && outcome === "taken"; i++) {
    outcome = outlet.send(lease.bytes, 0, lease.bytes.length, lease);
    sent += lease.bytes.length;
  }
  assert.notEqual(outcome, "taken");
  const received = await readBytes(far, sent);
  assert.ok(received.equals(Buffer.alloc(sent, "z")));
  lease.release();
});

test("chunks are framed, and none is empty", async (t) => {
  const { near, far } = await openPair(t);
  const outlet = new Outlet(near, "documented", () => undefined);
  outlet.sendChunk(Buffer.from("hello world"), 0, 5);
  outlet.sendChunk(Buffer.from(""), 0, 0);
  outlet.sendChunk(Buffer.alloc(17, "x"), 0, 17);
  outlet.endChunks("X-T: 1\r\n");
  outlet.flush();
  const expected = `5\r\nhello\r\n11\r\n${"x".repeat(17)}\r\n0\r\nX-T: 1\r\n\r\n`;
  assert.equal((await readBytes(far, expected.length)).toString(), expected);
});

test("what is written directly comes in order with what the socket writes, and drains", async (t) => {
  const { near, far, writes } = await openPair(t);
  let drains = 0;
  const outlet = new Outlet(near, "tuned", () => drains++);
  let expected = "";
  const write = (piece: string): "taken" | "full" => {
    expected += piece;
    outlet.text(piece);
    return outlet.flush();
  };
  assert.equal(write("first "), "taken");
  assert.deepEqual(writes, [], "it went through the socket");
  let outcome: "taken" | "full" = "taken";
  for (let i = 0; outcome === "taken" && i < 10_000; i++) outcome = write(`${i} `.repeat(1000));
  assert.equal(outcome, "full", "the kernel took everything");
  assert.ok(outlet.clogged);
  // queued behind what the kernel has not taken
  for (let i = 0; i < 5; i++) write(`more ${i} `);
  assert.ok(writes.length > 0);
  const large = Buffer.alloc(30_000, "L");
  outlet.send(large, 0, large.length, undefined);
  expected += large.toString();
  assert.equal(drains, 0);
  const received = await readBytes(far, expected.length);
  assert.ok(received.toString() === expected);
  await eventually(() => drains > 0);
  assert.ok(!outlet.clogged);
  assert.equal(write("last"), "taken");
  assert.equal((await readBytes(far, 4)).toString(), "last");
});

test("a connection that is gone swallows what is written directly and closes", async (t) => {
  const { near, far } = await openPair(t);
  near.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    near.once("close", () => resolve());
  });
  const outlet = new Outlet(near, "tuned", () => undefined);
  outlet.text("a");
  outlet.flush();
  far.resetAndDestroy();
  await eventually(() => {
    outlet.text("b".repeat(1000));
    outlet.flush();
    return near.destroyed;
  });
  await closed;
});

test("what is held is not written before it is released, large pieces included, and then in one write", () => {
  const socket = new Socket();
  socket.on("error", () => undefined);
  const outlet = new Outlet(socket, "documented", () => undefined);
  const piece = Buffer.alloc(100_000, "x");
  outlet.hold();
  outlet.text("head");
  assert.equal(outlet.flush(), "full");
  assert.equal(outlet.send(piece, 0, piece.length, undefined), "full");
  assert.equal(outlet.sendChunk(piece, 0, 10), "full");
  assert.equal(outlet.writes, 0);
  outlet.release();
  assert.equal(outlet.writes, 1);
  socket.destroy();
});
