/** Whose X-Forwarded-For is believed, over sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, fieldOf, OK, openPair } from "./pair.ts";
import { recordOf } from "./rig.ts";

const CLAIMS = [
  "X-Forwarded-For: 198.51.100.7, 203.0.113.9, 127.0.0.9",
  "X-Forwarded-Proto: https",
  "X-Request-Id: theirs",
  "X-Real-IP: 198.51.100.7",
].join("\r\n");
const REQUEST = `GET / HTTP/1.1\r\nHost: x\r\n${CLAIMS}\r\n\r\n`;

test("a trusted proxy is believed, and the address before those of trusted proxies is the client's", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http: { trustedProxies: ["127.0.0.0/8"] } });
  const client = await rig.client();
  await client.send(REQUEST);
  assert.equal((await recordOf(rig)).clientAddress, "203.0.113.9");
  const sent = upstream.connections[0]?.received ?? "";
  assert.equal(fieldOf(sent, "x-forwarded-for"), "198.51.100.7, 203.0.113.9, 127.0.0.9, 127.0.0.1");
  assert.equal(fieldOf(sent, "x-forwarded-proto"), "https");
  assert.equal(fieldOf(sent, "x-request-id"), "theirs");
  assert.equal(fieldOf(sent, "x-real-ip"), "198.51.100.7");
});

test("who is no trusted proxy is believed nothing", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { http: { trustedProxies: ["10.0.0.0/8"] } });
  const client = await rig.client();
  await client.send(REQUEST);
  assert.equal((await recordOf(rig)).clientAddress, "127.0.0.1");
  const sent = upstream.connections[0]?.received ?? "";
  assert.equal(fieldOf(sent, "x-forwarded-for"), "127.0.0.1");
  assert.equal(fieldOf(sent, "x-forwarded-proto"), "http");
  assert.notEqual(fieldOf(sent, "x-request-id"), "theirs");
  assert.equal(fieldOf(sent, "x-real-ip"), undefined);
});

test("trust that is taken back counts for the next request of the same connection", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { trustedProxies: ["127.0.0.1"] } });
  const client = await rig.client();
  await client.send(REQUEST);
  assert.equal((await recordOf(rig)).clientAddress, "127.0.0.9");
  rig.change({});
  await client.send(REQUEST);
  assert.equal((await recordOf(rig, 1)).clientAddress, "127.0.0.1");
});

test("behind a PROXY header it is the peer named there that is trusted, and not who sent it", async (t) => {
  for (const [trusted, client] of [
    ["10.0.0.0/8", "203.0.113.9"],
    ["127.0.0.1", "10.1.2.3"],
  ] as const) {
    const { rig } = await openPair(t, answer(OK), {
      http: { trustedProxies: [trusted, "127.0.0.9"] },
      proxyProtocol: { trusted: ["127.0.0.0/8"], required: true },
    });
    const one = await rig.client();
    await one.send(`PROXY TCP4 10.1.2.3 198.51.100.2 4660 80\r\n${REQUEST}`);
    assert.equal((await recordOf(rig)).clientAddress, client);
  }
});
