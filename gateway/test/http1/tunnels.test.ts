/** Tunnels between versions of HTTP, as far as HTTP/1.1 has a part in them: WebSocket (RFC 8441) and CONNECT. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { RawUpstream, type AnswerStep } from "@sallyport/testkit/raw-upstream";
import { eventually } from "@sallyport/testkit/eventually";
import type { FaultReason } from "@sallyport/model/fault";
import type { AnswerReceiver, BodyFraming, UpstreamStream } from "../../src/exchange/contract.ts";
import { RequestHead } from "../../src/head/request-head.ts";
import { RequestIds } from "../../src/head/request-id.ts";
import { toResponseHead, type ResponseHead } from "../../src/head/response-head.ts";
import { toAccept } from "../../src/head/websocket.ts";
import { openHttp1 } from "../../src/http1/client.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { HandUpstream } from "../codec/hand-upstream.ts";
import { fieldOf } from "./pair.ts";
import { openRig } from "./rig.ts";
import { UNHEARD } from "../unheard.ts";

/** Keeps what it is told. */
class Receiver implements AnswerReceiver {
  head: ResponseHead | undefined = undefined;
  framing: BodyFraming | undefined = undefined;
  body = "";
  failure: FaultReason | undefined = undefined;
  onInterim = (): void => undefined;
  onAnswerTurn = (): "taken" => "taken";
  onUpstreamDrain = (): void => undefined;
  onAnswerEnd = (): void => undefined;

  onAnswerHead(head: ResponseHead, framing: BodyFraming): "content" {
    this.head = head;
    this.framing = framing;
    return "content";
  }

  onAnswerBody(bytes: Buffer, from: number, to: number): "taken" {
    this.body += bytes.toString("latin1", from, to);
    return "taken";
  }

  onAnswerFailed(reason: FaultReason): void {
    this.failure = reason;
  }
}

/** As the server role of HTTP/2 makes it. */
function toHead(method: "GET" | "CONNECT"): RequestHead {
  const head = new RequestHead();
  const target = method === "GET" ? "/chat" : "db.example:5432";
  const line = `${method} ${target} HTTP/1.1\r\nhost: db.example:5432\r\n`;
  head.text = `${line}sec-websocket-protocol: chat\r\n`;
  head.fieldsAt = line.length;
  head.method = method;
  head.version = "HTTP/2";
  head.upgrade = method === "GET" ? "websocket" : "";
  head.settle(method === "GET" ? "/chat" : "", "db.example:5432");
  head.identify(new RequestIds(Buffer.alloc(9)));
  return head;
}

interface Sent {
  readonly receiver: Receiver;
  readonly stream: UpstreamStream;
  readonly upstream: RawUpstream;
}

function complain(message: string): never {
  throw new Error(message);
}

async function send(t: TestContext, head: RequestHead): Promise<Sent> {
  const upstream = await RawUpstream.open(() => ({ when: "head", steps: [] }));
  const { port } = upstream;
  const none = (): undefined => undefined;
  const connection = openHttp1(
    {
      cluster: "test/main:80",
      endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}`, active: () => 0, ...UNHEARD },
      tls: undefined,
      connectTimeout: 5000,
      owner: { onConnected: none, onIdle: none, onCapacity: none, onDraining: none, onClosed: none },
    },
    {
      clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
      recorder: { upstreamConnect: none, upstreamClosed: none },
      log: { error: complain, warn: complain },
    },
  );
  t.after(async () => {
    connection.close();
    await upstream.close();
  });
  const receiver = new Receiver();
  const stream = connection.open(receiver);
  stream.sendHead(head, "none", "content");
  stream.endBody("");
  stream.flush();
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  return { receiver, stream, upstream };
}

function answerWith({ upstream }: Sent, text: AnswerStep & string): void {
  upstream.connections[0]?.socket.write(text, "latin1");
}

function receivedBy({ upstream }: Sent): string {
  return upstream.connections[0]?.received ?? "";
}

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n";

test("a WebSocket from HTTP/2 gets a key, and the right accept opens it without showing", async (t) => {
  const sent = await send(t, toHead("GET"));
  const request = receivedBy(sent);
  assert.match(request, /^GET \/chat HTTP\/1\.1\r\n[^]*\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
  assert.match(request, /\r\nsec-websocket-protocol: chat\r\n[^]*\r\nsec-websocket-version: 13\r\n\r\n$/);
  const key = fieldOf(request, "sec-websocket-key") ?? "";
  answerWith(sent, `${SWITCH}Sec-WebSocket-Accept: ${toAccept(key)}\r\nSec-WebSocket-Protocol: chat\r\n\r\nhi`);
  await eventually(() => sent.receiver.body === "hi");
  const { head, framing } = sent.receiver;
  assert.deepEqual([head?.status, framing, head?.upgrade], [101, "tunnel", "websocket"]);
  assert.deepEqual([head?.lookup("sec-websocket-accept"), head?.lookup("sec-websocket-protocol")], [undefined, "chat"]);
  sent.stream.sendBody(Buffer.from("yo"), 0, 2, undefined);
  sent.stream.flush();
  await eventually(() => receivedBy(sent).endsWith("\r\n\r\nyo"));
});

test("a wrong accept, or none, opens nothing", async (t) => {
  for (const accept of ["", `Sec-WebSocket-Accept: ${toAccept("other")}\r\n`]) {
    const sent = await send(t, toHead("GET"));
    answerWith(sent, `${SWITCH}${accept}\r\nhi`);
    await eventually(() => sent.receiver.failure === "upstream-protocol-error");
    assert.deepEqual([sent.receiver.head, sent.receiver.body], [undefined, ""]);
  }
});

test("a client of HTTP/1.1 gets the accept that an endpoint of HTTP/2 does not send", async (t) => {
  const upstream = new HandUpstream();
  const rig = await openRig(t, { backend: { cluster: upstream } });
  const client = await rig.client();
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const fields = `Connection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: ${key}\r\n`;
  await client.send(`GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
  const stream = await upstream.next();
  assert.doesNotMatch(stream.head?.toFieldLines() ?? "", /sec-websocket-key/i);
  const head = toResponseHead({ status: 101, headers: [["date", "x"]] }, 0);
  head.upgrade = "websocket";
  stream.begin(head, "tunnel");
  stream.piece("hi");
  await client.signal.require(() => client.received.endsWith("\r\n\r\nhi"), 2000, "the tunnel");
  assert.equal(fieldOf(client.received, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  client.end();
  await eventually(() => stream.ended);
  stream.finish();
  await client.signal.require(() => client.closed, 2000, "the end");
});

test("CONNECT asks for an authority, and any 2xx opens the tunnel", async (t) => {
  for (const fields of ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"]) {
    const sent = await send(t, toHead("CONNECT"));
    assert.match(receivedBy(sent), /^CONNECT db\.example:5432 HTTP\/1\.1\r\nhost: db\.example:5432\r\n/);
    answerWith(sent, `HTTP/1.1 200 OK\r\n${fields}\r\nany bytes`);
    await eventually(() => sent.receiver.body === "any bytes");
    assert.equal(sent.receiver.framing, "tunnel");
    assert.doesNotMatch(sent.receiver.head?.toFieldLines() ?? "", /content-length|transfer-encoding/i);
    sent.stream.sendBody(Buffer.from("more"), 0, 4, undefined);
    sent.stream.flush();
    await eventually(() => receivedBy(sent).endsWith("\r\n\r\nmore"));
  }
});

test("CONNECT that is refused is an answer like any other", async (t) => {
  const sent = await send(t, toHead("CONNECT"));
  answerWith(sent, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  await eventually(() => sent.receiver.body === "no");
  assert.equal(sent.receiver.framing, "length");
});
