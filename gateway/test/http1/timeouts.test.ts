/** Every time limit, with the clock turned by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@sallyport/testkit/eventually";
import { answer, GET, OK, openPair } from "./pair.ts";
import { openRig, recordOf } from "./rig.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";

test("half a head is answered 408 when its time is up, however it drips", async (t) => {
  const rig = await openRig(t, { http: { headTimeout: 10_000 } });
  const client = await rig.client();
  for (const piece of ["GET / HT", "TP/1.1\r\n", "Host: x\r\n"]) {
    await client.send(piece);
    await client.signal.until(() => false, 5);
    rig.advance(4000);
  }
  // the pieces may have come late, but not so late that their time began with the last one
  for (let i = 0; i < 9 && client.state === "open"; i++) {
    await client.signal.until(() => client.state !== "open", 20);
    rig.advance(1000);
  }
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses[0]?.status, 408);
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["DT", "head-timeout"]);
});

test("a connection that never says anything is closed after the idle time", async (t) => {
  const rig = await openRig(t, { http: { idleTimeout: 20_000 } });
  const client = await rig.client();
  await eventually(() => rig.counts.opened === 1);
  rig.advance(19_000);
  assert.equal(rig.bound.connections, 1);
  rig.advance(2000);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.received, "");
  assert.equal(rig.records.length, 0);
});

test("a kept connection counts its idle time from the answer", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { idleTimeout: 20_000 } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  rig.advance(15_000);
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
  rig.advance(15_000);
  assert.equal(client.state, "open");
  rig.advance(6000);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
});

test("a body that stops coming is answered 408", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http: { bodyIdleTimeout: 30_000 } });
  const client = await rig.client();
  await client.send(`${HEAD}abc`);
  await upstream.signal.require(() => upstream.requests[0]?.message.body === "abc", 2000, "the beginning");
  rig.advance(31_000);
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.equal(client.responses[0]?.status, 408);
  assert.equal((await recordOf(rig)).details, "body-timeout");
});

test("silence in an exchange is answered 504 SI", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), { http: { streamIdleTimeout: 30_000 } });
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(31_000);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 504);
  assert.equal((await recordOf(rig)).flag, "SI");
  await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream's end");
});

test("an answer that stops coming is cut", async (t) => {
  const steps = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", { pause: 5000 }] as const;
  const { rig } = await openPair(t, answer(...steps), { http: { streamIdleTimeout: 30_000 } });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("abc"), 2000, "the beginning");
  rig.advance(31_000);
  await client.signal.require(() => client.state === "reset", 2000, "the reset");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag], [200, "SI"]);
});

test("a silent tunnel is cut, and one that speaks is not", async (t) => {
  const script = answer("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n", { do: "echo" });
  const { rig } = await openPair(t, script, { http: { streamIdleTimeout: 30_000 } });
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n");
  await client.signal.require(() => client.received.endsWith("\r\n\r\n"), 2000, "101");
  rig.advance(20_000);
  await client.send("a");
  await client.signal.require(() => client.received.endsWith("a"), 2000, "the echo");
  rig.advance(20_000);
  assert.equal(client.state, "open");
  rig.advance(11_000);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
});

test("the limits of a request do not end a tunnel", async (t) => {
  const script = answer("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n", { do: "echo" });
  const { rig } = await openPair(t, script, { rule: { requestTimeout: 500, backendTimeout: 500 } });
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n");
  await client.signal.require(() => client.received.endsWith("\r\n\r\n"), 2000, "101");
  rig.advance(2000);
  await client.send("a");
  await client.signal.require(() => client.received.endsWith("a"), 2000, "the echo");
});

for (const limit of ["requestTimeout", "backendTimeout"] as const) {
  test(`${limit} is answered 504 UT within milliseconds of its time`, async (t) => {
    const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), { rule: { [limit]: 500 } });
    const client = await rig.client();
    await client.send(GET);
    await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
    rig.advance(480);
    assert.equal(client.responses.length, 0);
    rig.advance(40);
    await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
    assert.equal(client.responses[0]?.status, 504);
    assert.equal((await recordOf(rig)).flag, "UT");
    assert.equal(client.state, "open");
  });

  test(`${limit} does not outlive an answer in time`, async (t) => {
    const { rig } = await openPair(t, answer(OK), { rule: { [limit]: 500 } });
    const client = await rig.client();
    await client.send(GET);
    await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
    rig.advance(1000);
    await client.send(GET);
    await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
    assert.equal(client.responses[1]?.status, 200);
  });
}

test("requestTimeout counts the wait for a connection", async (t) => {
  const rig = await openRig(t, { rule: { requestTimeout: 500 } });
  rig.cluster.hold = true;
  const client = await rig.client();
  await client.send(GET);
  await eventually(() => rig.cluster.waiting === 1);
  rig.advance(600);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 504);
  assert.equal(rig.cluster.cancelled, 1);
});

test("a connection that does not come up in time is answered 503 UF", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  rig.cluster.connectTimeout = 1000;
  // in the same turn, so that the connection cannot be up
  rig.cluster.onOpened = () => queueMicrotask(() => rig.advance(2000));
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  const record = await recordOf(rig);
  assert.deepEqual([record.status, record.flag, record.details], [503, "UF", "connect-timeout"]);
});

test("an ended connection is read on for a while, and not longer", async (t) => {
  const rig = await openRig(t);
  const client = await rig.client();
  await client.send("nonsense\r\n\r\n");
  await client.signal.require(() => client.state === "ended", 2000, "FIN");
  await client.send("more ".repeat(1000));
  assert.equal(rig.bound.connections, 1);
  rig.advance(2000);
  await eventually(() => rig.bound.connections === 0, { what: "the close" });
});
