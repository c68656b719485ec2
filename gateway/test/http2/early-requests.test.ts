/** Requests that are handed over before their connection can take them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import { seeded } from "@sallyport/testkit/random";
import { ClientConnection } from "../../src/http2/client-connection.ts";
import { FrameType, PREFACE } from "../../src/http2/frames.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { CARELESS, UNHEARD } from "../unheard.ts";
import { Asked, toHead } from "./frame-server.ts";
import { Wire } from "./histories/wire.ts";

/** A connection that is not up, and the types of the frames that its endpoint gets of it. */
function openEarly(): {
  readonly client: ClientConnection;
  readonly wire: Wire;
  readonly seen: () => Promise<number[]>;
} {
  const wire = new Wire(seeded(1));
  let text = "";
  wire.far = { onBytes: (more) => void (text += more), onGone: () => undefined };
  const client = new ClientConnection(
    { socket: wire.socket, ways: "documented", inlet: wire.inlet },
    {
      cluster: "test/main:80",
      endpoint: { address: "10.0.0.1", port: 80, label: "10.0.0.1:80", active: () => 0, ...UNHEARD },
      tls: undefined,
      http2: DEFAULT_HTTP2_CLIENT_OPTIONS,
      connectTimeout: 5000,
      owner: CARELESS,
    },
    {
      clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
      recorder: { upstreamConnect: () => undefined, upstreamClosed: () => undefined },
      log: { error: (message) => assert.fail(message), warn: () => undefined },
    },
  );
  client.awaitSocket();
  const seen = async (): Promise<number[]> => {
    for (let n = 0; n < 500; n++) {
      wire.turn();
      await new Promise(setImmediate);
    }
    const types: number[] = [];
    const bytes = Buffer.from(text.slice(PREFACE.length), "latin1");
    for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes.readUInt8(at + 3));
    return types;
  };
  return { client, wire, seen };
}

function ask(client: ClientConnection, method: string, upgrade = ""): Asked {
  const asked = new Asked();
  asked.stream = client.open(asked);
  asked.stream.sendHead(toHead(method, upgrade), method === "POST" ? "stream" : "none", "content");
  return asked;
}

test("a request that is given up before its connection is up is never seen, whoever gets the connection then", async () => {
  const { client, wire, seen } = openEarly();
  const late = ask(client, "POST");
  const body = Buffer.from("twice is too much");
  assert.equal(late.stream.sendBody(body, 0, body.length, undefined), "full");
  late.stream.endBody("");
  late.stream.flush();
  late.stream.cancel(true);
  ask(client, "GET").stream.endBody("");
  client.onUp();
  const { SETTINGS, WINDOW_UPDATE, HEADERS } = FrameType;
  assert.deepEqual(await seen(), [SETTINGS, WINDOW_UPDATE, HEADERS]);
  wire.socket.destroy();
});

test("a request with a body goes out whole once its connection is up, and its source goes on", async () => {
  const { client, wire, seen } = openEarly();
  const asked = ask(client, "POST");
  const body = Buffer.from("piece");
  assert.equal(asked.stream.sendBody(body, 0, body.length, undefined), "full");
  assert.equal(asked.stream.flush(), "full");
  client.onUp();
  assert.equal(asked.drains, 1);
  asked.stream.endBody("");
  const { SETTINGS, WINDOW_UPDATE, HEADERS, DATA } = FrameType;
  assert.deepEqual(await seen(), [SETTINGS, WINDOW_UPDATE, HEADERS, DATA, DATA]);
  wire.socket.destroy();
});

test("who waits for an endpoint's SETTINGS is told when something else comes", async () => {
  const { client, wire, seen } = openEarly();
  client.onUp();
  const asked = ask(client, "GET", "websocket");
  wire.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  await seen();
  assert.deepEqual(asked.failure, ["upstream-protocol-error", "unseen"]);
  wire.socket.destroy();
});
