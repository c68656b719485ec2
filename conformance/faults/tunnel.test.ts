// Tunnels (RFC 9110 section 7.8): opaque bytes both ways, each end of each side passed on, and nobody left behind.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { AnswerStep, UpstreamConnection } from "@sallyport/testkit/raw-upstream";
import { head } from "../protocol/case.ts";
import { openRig } from "../protocol/fixture.ts";
import { ask, PATIENCE, plain } from "./asking.ts";

const rig = await openRig(1);
const [slot] = rig.slots;
assert.ok(slot);
const { port, upstream } = slot;

beforeEach(() => upstream.begin(() => plain()));

after(async () => {
  const epitaph = rig.system?.epitaph();
  await rig.close();
  assert.equal(epitaph, undefined);
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const HANDSHAKE = head("GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13");

async function openTunnel(
  ...steps: readonly AnswerStep[]
): Promise<{ client: RawClient; backend: UpstreamConnection }> {
  upstream.begin(() => ({ when: "complete", steps: [SWITCH, ...steps] }));
  const client = await RawClient.open({ port });
  await client.send(HANDSHAKE);
  await client.signal.require(() => client.interim.some(({ status }) => status === 101), PATIENCE, "the switch");
  const backend = upstream.requests[0]?.connection;
  assert.ok(backend);
  backend.reader.openTunnel();
  return { client, backend };
}

test("a tunnel carries megabytes both ways at once, byte for byte", async () => {
  const { client } = await openTunnel({ do: "echo" });
  const bytes = Buffer.alloc(
    4 * 1024 * 1024,
    String.fromCharCode(...Array.from({ length: 251 }, (_, i) => i)),
    "latin1",
  );
  const text = bytes.toString("latin1");
  for (let at = 0; at < text.length; at += 65_536) await client.send(text.slice(at, at + 65_536));
  await client.signal.require(() => client.reader.tunnel.length === text.length, 20_000, "all bytes back");
  assert.ok(client.reader.tunnel === text);
  client.close();
});

test("a client that ends its side of a tunnel still hears what the backend has to say", async () => {
  const { client, backend } = await openTunnel();
  await client.send("last words");
  client.end();
  await upstream.signal.require(() => backend.ended, PATIENCE, "the end at the backend");
  assert.equal(backend.reader.tunnel, "last words");
  backend.socket.end("goodbye");
  await client.signal.require(() => client.state !== "open", PATIENCE, "the end at the client");
  assert.equal(client.reader.tunnel, "goodbye");
});

test("a backend that ends its side of a tunnel ends the client's", async () => {
  const { client } = await openTunnel({ pause: 20 }, "goodbye", { do: "end" });
  await client.signal.require(() => client.state !== "open", PATIENCE, "the end at the client");
  assert.equal(client.reader.tunnel, "goodbye");
  client.close();
});

test("a client that resets a tunnel lets its backend go", async () => {
  const { client, backend } = await openTunnel();
  client.reset();
  await upstream.signal.require(() => backend.closed || backend.ended, PATIENCE, "the end at the backend");
});

test("a backend that resets a tunnel lets its client go", async () => {
  const { client } = await openTunnel({ pause: 20 }, { do: "reset" });
  await client.signal.require(() => client.state !== "open", PATIENCE, "the end at the client");
  client.close();
});

test("a tunnel is never used for another request", async () => {
  const { client, backend } = await openTunnel();
  await client.send("x");
  await upstream.signal.require(() => backend.reader.tunnel === "x", PATIENCE, "the byte");
  const answered = ask(port);
  await upstream.signal.require(() => upstream.requests.length === 2, PATIENCE, "the next request");
  assert.notEqual(upstream.requests[1]?.connection, backend);
  client.close();
  await answered.catch(() => undefined);
});
