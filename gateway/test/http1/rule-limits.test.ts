/** Limits of exchanges and tunnels that a rule sets itself, with the clock turned by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamLimits } from "../../src/router/contract.ts";
import { answer, GET, OK, openPair } from "./pair.ts";
import { recordOf } from "./rig.ts";

const UPGRADE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n";
const ECHO = answer("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n", { do: "echo" });
const HTTP = { streamIdleTimeout: 30_000 };

function limit(changes: Partial<StreamLimits>) {
  return { limits: { idleTimeout: undefined, maxDuration: 0, ...changes } };
}

test("silence before the answer ends as the rule says, not as the listener does", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), {
    http: HTTP,
    rule: limit({ idleTimeout: 5000 }),
  });
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(4500);
  assert.equal(client.responses.length, 0);
  rig.advance(1000);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  const { status, flag } = await recordOf(rig);
  assert.deepEqual([status, flag], [504, "SI"]);
});

test("the next request on the connection has the limits of its own rule", async (t) => {
  const limited = limit({ idleTimeout: 5000 });
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), {
    http: HTTP,
    route: (input, rule, listener) => ({
      listener,
      rule: input.routePath === "/limited" ? { ...rule, ...limited } : rule,
      matchedPrefix: undefined,
      cacheable: true,
    }),
  });
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(20_000);
  assert.equal(client.responses.length, 0);
  rig.advance(12_000);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await client.send("GET /limited HTTP/1.1\r\nHost: x\r\n\r\n");
  await upstream.signal.require(() => upstream.requests.length === 2, 2000, "the other request");
  rig.advance(6000);
  await client.signal.require(() => client.responses.length === 2, 2000, "the other answer");
});

test("a tunnel may be silent for as long as the rule says", async (t) => {
  const { rig } = await openPair(t, ECHO, { http: HTTP, rule: limit({ idleTimeout: 0 }) });
  const client = await rig.client();
  await client.send(UPGRADE);
  await client.signal.require(() => client.received.endsWith("\r\n\r\n"), 2000, "101");
  rig.advance(3_600_000);
  await client.send("a");
  await client.signal.require(() => client.received.endsWith("a"), 2000, "the echo");
});

test("a body that a client owes is waited for as its listener says, whatever the rule does", async (t) => {
  const http = { ...HTTP, bodyIdleTimeout: 60_000 };
  const { rig, upstream } = await openPair(t, answer(OK), { http, rule: limit({ idleTimeout: 5000 }) });
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  await upstream.signal.require(() => upstream.requests[0]?.message.body === "a", 2000, "the beginning");
  rig.advance(20_000);
  await client.send("b");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.responses[0]?.status, 200);
});

test("an exchange that lasts too long is answered 504 DT", async (t) => {
  const { rig, upstream } = await openPair(t, answer({ pause: 5000 }), { rule: limit({ maxDuration: 5000 }) });
  const client = await rig.client();
  await client.send(GET);
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  rig.advance(4500);
  assert.equal(client.responses.length, 0);
  rig.advance(1000);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  const { status, flag, details } = await recordOf(rig);
  assert.deepEqual([status, flag, details], [504, "DT", "lifetime-exceeded"]);
  assert.deepEqual(rig.cluster.notes, [], "which says nothing of the endpoint");
});

test("an answer that lasts too long is cut, though it never was silent", async (t) => {
  const steps = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", { pause: 5000 }] as const;
  const { rig } = await openPair(t, answer(...steps), { rule: limit({ maxDuration: 5000 }) });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("abc"), 2000, "the beginning");
  rig.advance(5500);
  await client.signal.require(() => client.state === "reset", 2000, "the reset");
  const { status, flag } = await recordOf(rig);
  assert.deepEqual([status, flag], [200, "DT"]);
});

test("a tunnel ends with its time, and the time of the request does not end it", async (t) => {
  const { rig } = await openPair(t, ECHO, { rule: { requestTimeout: 500, ...limit({ maxDuration: 10_000 }) } });
  const client = await rig.client();
  await client.send(UPGRADE);
  await client.signal.require(() => client.received.endsWith("\r\n\r\n"), 2000, "101");
  rig.advance(9000);
  await client.send("a");
  await client.signal.require(() => client.received.endsWith("a"), 2000, "the echo");
  rig.advance(2000);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal((await recordOf(rig)).flag, "DT");
});

test("an answer in time leaves no limit behind", async (t) => {
  const { rig } = await openPair(t, answer(OK), { rule: limit({ maxDuration: 5000, idleTimeout: 5000 }) });
  const client = await rig.client();
  for (let asked = 1; asked <= 3; asked++) {
    await client.send(GET);
    await client.signal.require(() => client.responses.length === asked, 2000, "the answer");
    rig.advance(6000);
  }
  assert.equal(client.state, "open");
});
