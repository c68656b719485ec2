/**
 * What every client codec owes its exchanges (exchange/contract.ts), whatever it speaks on the wire. A codec brings a
 * server of its protocol; the receiver is the test's.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamConnection } from "../../src/cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../../src/exchange/contract.ts";
import { RequestHead } from "../../src/head/request-head.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { Receiver } from "./receiver.ts";

/** A server's view of one request, as a server of any protocol can have it. */
export interface ServerStream {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  readonly ended: boolean;
  /** The client gave it up, or went. */
  readonly gone: boolean;
  /** Answers with this status, and announces the length of the body where it is given. */
  head(status: number, length?: number): void;
  send(piece: string): Promise<void>;
  end(trailers?: readonly (readonly [string, string])[]): void;
  /** Goes away in the middle. */
  vanish(): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
}

/** What a connection told its owner. */
export interface OwnerLog {
  connected: number;
  idle: number;
  closed: number;
}

/** A codec under test, with a server of its protocol. */
export interface UpstreamCodec {
  readonly name: string;
  /** Opens a connection; the server's streams come from next(). */
  open(t: TestContext): Promise<{
    readonly connection: UpstreamConnection;
    readonly owner: OwnerLog;
    readonly next: () => Promise<ServerStream>;
  }>;
}

const ids = new RequestIds(Buffer.alloc(9));

function toHead(method: string, framing: RequestHead["framing"], length = 0): RequestHead {
  const head = new RequestHead();
  const line = `${method} /p?q HTTP/1.1\r\n`;
  head.text = `${line}Host: x\r\nX-A: 1\r\n${framing === "length" ? `Content-Length: ${length}\r\n` : ""}`;
  head.fieldsAt = line.length;
  head.hostFrom = line.length;
  head.hostTo = line.length + 9;
  head.method = method;
  head.framing = framing;
  head.contentLength = length;
  head.settle("/p?q", "x");
  head.identify(ids);
  return head;
}

function sendGet(connection: UpstreamConnection, receiver: AnswerReceiver): UpstreamStream {
  const stream = connection.open(receiver);
  stream.sendHead(toHead("GET", "none"), "none", "content");
  stream.endBody("");
  stream.flush();
  return stream;
}

/** Runs the suite against a codec. */
export function testUpstreamCodec(codec: UpstreamCodec): void {
  const name = (sentence: string): string => `${codec.name}: ${sentence}`;

  test(name("a request without a body gets its answer, and the connection is idle again"), async (t) => {
    const { connection, owner, next } = await codec.open(t);
    for (let i = 1; i <= 3; i++) {
      const receiver = new Receiver();
      const stream = sendGet(connection, receiver);
      const server = await next();
      assert.deepEqual([server.method, server.path], ["GET", "/p?q"]);
      assert.ok(server.fields.some(([field, value]) => field.toLowerCase() === "x-a" && value === "1"));
      server.head(200, 5);
      await server.send("hello");
      server.end();
      await eventually(() => receiver.ends === 1);
      assert.deepEqual([receiver.status, receiver.framing, receiver.body], [200, "length", "hello"]);
      assert.equal(stream.bodyBytes, 5);
      assert.equal(owner.idle, i);
    }
    assert.deepEqual([owner.connected, owner.closed], [1, 0]);
  });

  test(name("a body goes out in order, with trailers"), async (t) => {
    const { connection, next } = await codec.open(t);
    const receiver = new Receiver();
    const stream = connection.open(receiver);
    stream.sendHead(toHead("POST", "stream"), "stream", "content");
    const pieces = ["one", "x".repeat(10_000), "three"];
    for (const piece of pieces) stream.sendBody(Buffer.from(piece), 0, piece.length, undefined);
    stream.flush();
    const server = await next();
    await eventually(() => server.body === pieces.join(""));
    assert.ok(!server.ended);
    stream.endBody("x-sum: 3\r\n");
    stream.flush();
    await eventually(() => server.ended);
    assert.deepEqual(server.trailers, [["x-sum", "3"]]);
    server.head(200, 0);
    server.end();
    await eventually(() => receiver.ends === 1);
  });

  test(name("an answer of unknown length ends when the server says so, with its trailers"), async (t) => {
    const { connection, owner, next } = await codec.open(t);
    const receiver = new Receiver();
    sendGet(connection, receiver);
    const server = await next();
    server.head(200);
    await server.send("hello");
    await eventually(() => receiver.body === "hello");
    await server.send(" world");
    server.end([["x-t", "1"]]);
    await eventually(() => receiver.ends === 1);
    assert.deepEqual([receiver.framing, receiver.body, receiver.trailers], ["stream", "hello world", [["x-t", "1"]]]);
    assert.equal(owner.idle, 1);
  });

  test(name("an answer stops while its receiver is full, and nothing is lost"), async (t) => {
    const { connection, next } = await codec.open(t);
    const receiver = new Receiver();
    receiver.full = true;
    const stream = sendGet(connection, receiver);
    const server = await next();
    server.head(200);
    const piece = "x".repeat(50_000);
    const sending = (async () => {
      for (let i = 0; i < 100; i++) await server.send(piece);
      server.end();
    })();
    await eventually(() => receiver.body.length > 0);
    const held = receiver.body.length;
    await setImmediate();
    assert.equal(receiver.body.length, held);
    receiver.full = false;
    stream.resumeBody();
    await sending;
    await eventually(() => receiver.ends === 1, { within: 30_000 });
    assert.equal(receiver.body.length, 5_000_000);
  });

  test(name("a server that does not read fills up, and drains"), async (t) => {
    const { connection, next } = await codec.open(t);
    const receiver = new Receiver();
    const stream = connection.open(receiver);
    const piece = Buffer.alloc(60_000, "x");
    stream.sendHead(toHead("POST", "stream"), "stream", "content");
    stream.flush();
    const server = await next();
    server.pause();
    let sent = 0;
    while (sent < 1000) {
      sent++;
      if (stream.sendBody(piece, 0, piece.length, undefined) === "full") break;
    }
    assert.ok(sent < 1000, "it never filled up");
    server.resume();
    await eventually(() => receiver.drains > 0);
    stream.endBody("");
    stream.flush();
    await eventually(() => server.ended, { within: 30_000 });
    assert.equal(server.body.length, sent * piece.length);
    server.head(200, 0);
    server.end();
    await eventually(() => receiver.ends === 1);
  });

  test(name("a server that goes before it answers leaves the request untouched"), async (t) => {
    const { connection, owner, next } = await codec.open(t);
    const receiver = new Receiver();
    sendGet(connection, receiver);
    (await next()).vanish();
    await eventually(() => receiver.failures.length === 1);
    assert.notEqual(receiver.failures[0]?.progress ?? "begun", "begun");
    await eventually(() => owner.closed === 1);
    assert.equal(receiver.ends, 0);
  });

  test(name("a server that goes in the middle of its answer fails it"), async (t) => {
    const { connection, owner, next } = await codec.open(t);
    const receiver = new Receiver();
    sendGet(connection, receiver);
    const server = await next();
    server.head(200, 100);
    await server.send("half");
    await eventually(() => receiver.body === "half");
    server.vanish();
    await eventually(() => receiver.failures.length === 1);
    assert.equal(receiver.failures[0]?.progress, "begun");
    await eventually(() => owner.closed === 1);
    assert.equal(receiver.ends, 0);
  });

  test(name("an answer that is discarded at its head is read to its end, and the connection goes on"), async (t) => {
    const { connection, owner, next } = await codec.open(t);
    const receiver = new Receiver();
    const stream = connection.open(receiver);
    receiver.onHead = () => stream.discard();
    stream.sendHead(toHead("GET", "none"), "none", "content");
    stream.endBody("");
    stream.flush();
    const server = await next();
    server.head(503);
    await server.send("no");
    await server.send("thing");
    server.end();
    await eventually(() => owner.idle === 1);
    assert.deepEqual([receiver.status, receiver.body, receiver.ends, owner.closed], [503, "", 0, 0]);
    const second = new Receiver();
    sendGet(connection, second);
    const other = await next();
    other.head(200, 2);
    await other.send("ok");
    other.end();
    await eventually(() => second.ends === 1);
    assert.deepEqual([second.body, owner.closed], ["ok", 0]);
  });

  test(name("an answer that is discarded and does not end soon is given up"), async (t) => {
    const { connection, next } = await codec.open(t);
    const receiver = new Receiver();
    const stream = connection.open(receiver);
    receiver.onHead = () => stream.discard();
    stream.sendHead(toHead("GET", "none"), "none", "content");
    stream.endBody("");
    stream.flush();
    const server = await next();
    server.head(503);
    const sending = (async () => {
      while (!server.gone) await server.send("x".repeat(8192));
    })();
    await eventually(() => server.gone);
    await sending.catch(() => undefined);
    assert.deepEqual([receiver.body, receiver.ends, receiver.failures.length], ["", 0, 0]);
  });

  test(name("a try that is given up tells its receiver nothing more"), async (t) => {
    const { connection, next } = await codec.open(t);
    const receiver = new Receiver();
    const stream = sendGet(connection, receiver);
    const server = await next();
    server.head(200);
    await server.send("half");
    await eventually(() => receiver.body === "half");
    stream.cancel();
    await eventually(() => server.gone);
    assert.deepEqual([receiver.ends, receiver.failures.length, receiver.body], [0, 0, "half"]);
  });
}
