/** Connections stay open through many configurations, and keep none but the one in force. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { returnSpareMemory } from "../../src/workers/spare-memory.ts";
import { answer, GET, OK, openPair } from "./pair.ts";
import type { Rig } from "./rig.ts";

/** One turn of the wheel that visits every connection. */
const VISIT = 16_000;

/** Puts a configuration in force of which the reference tells whether anybody still has it. */
function changeTraceably(rig: Rig): WeakRef<object> {
  const route: Parameters<Rig["change"]>[0]["route"] = (_input, rule, listener) => ({
    listener,
    // the rig's own picker knows what the rig was given
    rule: { ...rule, pick: pickNothing },
    matchedPrefix: undefined,
    cacheable: true,
  });
  rig.change({ route });
  return new WeakRef(route);
}

/** Puts a configuration in force under which nothing is found, and has the port look at it. */
async function changeToNothing(rig: Rig): Promise<void> {
  rig.change({ route: () => undefined });
  assert.match(await rig.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 404 /);
}

function pickNothing(): undefined {
  return undefined;
}

async function isKept(reference: WeakRef<object>): Promise<boolean> {
  // a reference that was looked at, or made, is kept to the end of the turn
  await nextTurn();
  returnSpareMemory();
  return reference.deref() !== undefined;
}

test("an idle connection lets go of the configuration of its last request", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const old = changeTraceably(rig);
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  rig.change({});
  assert.equal(await isKept(old), true);
  rig.advance(VISIT);
  assert.equal(await isKept(old), false);
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "an answer under the new configuration");
});

test("a tunnel lets go of the configuration it was opened under, and goes on", async (t) => {
  const { rig } = await openPair(
    t,
    answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n", { do: "echo" }),
  );
  const old = changeTraceably(rig);
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n");
  await client.signal.require(() => client.received.includes(" 101 "), 2000, "the tunnel");
  await changeToNothing(rig);
  assert.equal(await isKept(old), true);
  rig.advance(VISIT);
  assert.equal(await isKept(old), false);
  await client.send("still here");
  await client.signal.require(() => client.received.endsWith("still here"), 2000, "the echo");
  client.end();
  await client.signal.require(() => client.closed, 2000, "the end of both halves");
  assert.deepEqual(rig.bugs, []);
});

test("a slow answer lets go of the configuration, and the request after it finds the one in force", async (t) => {
  const { rig, upstream } = await openPair(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"));
  const old = changeTraceably(rig);
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.received.endsWith("\r\n\r\no"), 2000, "the beginning");
  await changeToNothing(rig);
  rig.advance(VISIT);
  assert.equal(await isKept(old), false);
  upstream.connections[0]?.socket.write("k");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
  assert.deepEqual(
    client.responses.map(({ status }) => status),
    [200, 404],
  );
});
