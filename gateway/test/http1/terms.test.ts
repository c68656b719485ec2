/** How long HTTP/1.1 connections are used, and how many there may be. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { answer, fieldOf, GET, OK, openPair } from "./pair.ts";

const CLOSES = /\r\nconnection: close\r\n/i;

test("the last request that a connection may carry is answered with Connection: close", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { maxRequests: 2 } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the first answer");
  assert.doesNotMatch(client.received, CLOSES);
  await client.send(GET);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses.length, 2);
  assert.match(client.received, CLOSES);
});

test("of requests that came at once no more are answered than a connection may carry", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http: { maxRequests: 2 } });
  const client = await rig.client();
  await client.send(GET.repeat(4));
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses.length, 2);
  assert.equal(upstream.requests.length, 2);
});

test("a connection that may carry one request is not kept", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { maxRequests: 1, maxDuration: 60_000 } });
  assert.match(await rig.exchange(GET), CLOSES);
});

test("after its time an idle connection ends, a little early at most", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { maxDuration: 100_000 } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  rig.advance(89_000);
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "another answer");
  assert.doesNotMatch(client.received, CLOSES);
  rig.advance(12_000);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
});

test("a connection whose time is over finishes what it carries", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 50 }, OK), { http: { maxDuration: 10_000 } });
  const busy = await rig.client();
  await busy.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(11_000);
  await busy.signal.require(() => busy.state === "ended", 2000, "the end");
  assert.equal(busy.responses[0]?.status, 200);
  assert.equal(fieldOf(busy.received, "connection"), "close");
});

test("an answer that has begun is sent whole, and no request is read behind it", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 4\r\n\r\n";
  const { rig, upstream } = await openPair(t, answer(head, "ok", { pause: 100 }, "ok"), {
    http: { maxDuration: 10_000 },
  });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("ok"), 2000, "half of the answer");
  rig.advance(11_000);
  await client.send(GET);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.ok(client.received.endsWith("okok"), client.received);
  assert.equal(upstream.requests.length, 1);
});

test("a limit that comes later counts from then on", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  const ask = async (count: number): Promise<void> => {
    await client.send(GET);
    await client.signal.require(() => client.responses.length === count, 2000, `answer ${count}`);
  };
  await ask(1);
  rig.change({ http: { maxRequests: 2 } });
  await ask(2);
  rig.change({ http: { maxRequests: 3 } });
  await ask(3);
  assert.equal(client.state, "open");
  await ask(4);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
});

test("a limit that is taken back counts no more", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { maxDuration: 10_000 } });
  const client = await rig.client();
  const ask = async (count: number): Promise<void> => {
    await client.send(GET);
    await client.signal.require(() => client.responses.length === count, 2000, `answer ${count}`);
  };
  await ask(1);
  rig.change({});
  await ask(2);
  rig.advance(20_000);
  await ask(3);
});

test("what comes beyond the connections of a port is closed, counted and said once", async (t) => {
  const { rig } = await openPair(t, answer(OK), { connections: 100, limits: { maxConnections: 2 } });
  const first = await rig.client();
  const second = await rig.client();
  await eventually(() => rig.bound.connections === 2);
  for (let i = 0; i < 3; i++) {
    const over = await rig.client();
    await over.signal.require(() => over.state !== "open", 2000, "the end of one too many");
    assert.equal(over.received, "");
  }
  assert.equal(rig.counts.limited, 3);
  assert.equal(rig.counts.opened, 2);
  assert.deepEqual(rig.bugs, []);
  assert.equal(rig.warnings.length, 1);
  assert.match(rig.warnings[0] ?? "", /limit of connections of a listener reached/);
  await second.send(GET);
  await second.signal.require(() => second.responses.length === 1, 2000, "an answer");
  first.close();
  await eventually(() => rig.bound.connections === 1);
  assert.match(await rig.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 200/);
});

test("connections that a smaller limit finds stay, and new ones wait for as many to go", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const [one, two] = [await rig.client(), await rig.client()];
  await eventually(() => rig.bound.connections === 2);
  rig.change({ limits: { maxConnections: 1 } });
  const over = await rig.client();
  await over.signal.require(() => over.state !== "open", 2000, "the end of one too many");
  await one.send(GET);
  await one.signal.require(() => one.responses.length === 1, 2000, "an answer");
  one.close();
  two.close();
  await eventually(() => rig.bound.connections === 0);
  assert.equal((await rig.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).slice(9, 12), "200");
});

const LINUX = process.platform === "linux" ? false : "the timers of sockets are in /proc of Linux alone";

test("the kernel looks after silent clients where it was told to", { skip: LINUX }, async (t) => {
  for (const [tcpKeepAlive, timer] of [
    [60_000, "02"],
    [undefined, "00"],
  ] as const) {
    const limits = tcpKeepAlive === undefined ? {} : { tcpKeepAlive };
    const { rig } = await openPair(t, answer(OK), { limits });
    const client = connect({ port: rig.port, host: "127.0.0.1" });
    t.after(() => client.destroy());
    await once(client, "connect");
    await eventually(() => rig.bound.connections === 1);
    await eventually(() => timerOf(rig.port, client.localPort ?? 0) === timer, { what: `a timer of kind ${timer}` });
    client.destroy();
    await eventually(() => rig.bound.connections === 0);
  }
});

/** Kind of the timer of a connection, by its ports: 02 is that of keep-alive (proc(5), /proc/net/tcp). */
function timerOf(local: number, remote: number): string | undefined {
  const [from, to] = [local, remote].map((port) => port.toString(16).toUpperCase().padStart(4, "0"));
  const line = readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find(([, one = "", other = ""]) => one.endsWith(`:${from}`) && other.endsWith(`:${to}`));
  return line?.[5]?.slice(0, 2);
}
