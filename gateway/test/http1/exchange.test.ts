/** The way of one request over HTTP/1.1, both roles, byte for byte. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, fieldOf as field, GET, OK, openPair } from "./pair.ts";
import { recordOf } from "./rig.ts";

test("a request goes upstream verbatim but for what a gateway must add", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("GET /a?b=%2F HTTP/1.1\r\nhOsT: Example.com\r\nX-Thing: \xe9 \r\n\r\n");
  await client.signal.require(() => client.responses[0]?.complete === true, 2000, "the answer");
  const sent = upstream.connections[0]?.received ?? "";
  assert.match(
    sent,
    /^GET \/a\?b=%2F HTTP\/1\.1\r\nhOsT: Example\.com\r\nX-Thing: \xe9 \r\nx-forwarded-for: 127\.0\.0\.1\r\nx-forwarded-proto: http\r\nx-request-id: [0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}\r\n\r\n$/,
  );
  assert.equal(client.received, OK);
  const record = await recordOf(rig);
  assert.equal(record.status, 200);
  assert.equal(record.details, "via_upstream");
  assert.equal(record.bytesSent, 2);
  assert.equal(record.requestId, field(sent, "x-request-id"));
  assert.ok(record.endedAt >= record.upstreamStartedAt && record.upstreamStartedAt >= record.startedAt);
});

test("the connections on both sides are used again", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  for (let i = 1; i <= 3; i++) {
    await client.send(GET);
    await client.signal.require(() => client.responses.length === i && client.reader.idle, 2000, "the answer");
  }
  assert.equal(upstream.connections.length, 1);
  assert.equal(new Set(rig.records.map((record) => record.requestId)).size, 3);
});

test("pipelined requests are answered in order", async (t) => {
  const { rig } = await openPair(t, (request) => ({
    when: "complete",
    steps: request.target === "/1" ? [{ pause: 20 }, OK.replace("ok", "11")] : [OK.replace("ok", "22")],
  }));
  const client = await rig.client();
  await client.send(`${GET.replace("/a", "/1")}${GET.replace("/a", "/2")}${GET.replace("/a", "/3")}`);
  await client.signal.require(() => client.responses.length === 3 && client.reader.idle, 2000, "three answers");
  assert.deepEqual(
    client.responses.map((response) => response.body),
    ["11", "22", "22"],
  );
});

test("what comes byte by byte is the same request", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  for (const byte of "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc") await client.send(byte);
  await client.signal.require(() => client.responses[0]?.complete === true, 2000, "the answer");
  assert.equal(upstream.requests[0]?.message.body, "abc");
});

test("a chunked request passes raw, without extensions, and its trailers pass where they may", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n");
  await client.send(
    "3;a=b\r\nabc\r\n0A ; x\r\n0123456789\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nX-Forwarded-For: 1\r\n\r\n",
  );
  await client.signal.require(() => client.responses[0]?.complete === true, 2000, "the answer");
  const sent = upstream.connections[0]?.received ?? "";
  assert.ok(sent.endsWith("\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"), sent);
  assert.equal(field(sent, "transfer-encoding"), "chunked");
  assert.equal(field(sent, "trailer"), "X-Sum");
  assert.equal((await recordOf(rig)).bytesReceived, 13);
});

test("a chunked answer passes raw with its trailers and the connection is kept", async (t) => {
  const chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\n\r\n";
  const { rig, upstream } = await openPair(t, answer(chunked));
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2 && client.reader.idle, 2000, "two answers");
  const [first] = client.responses;
  assert.equal(first?.body, "hello");
  assert.deepEqual(
    first?.trailers.map(({ name, value }) => `${name}: ${value}`),
    ["X-T: 1"],
  );
  assert.deepEqual(first?.chunkExtensions, []);
  assert.equal(upstream.connections.length, 1);
  assert.equal((await recordOf(rig)).bytesSent, 5);
});

test("an HTTP/1.0 client gets no chunks, and the end by the end of the connection", async (t) => {
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n";
  const { rig, upstream } = await openPair(t, answer(chunked));
  const received = await rig.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assert.match(received, /^HTTP\/1\.1 200 OK\r\ndate: [^\r]+\r\nconnection: close\r\n\r\nhello!$/);
  assert.match(upstream.connections[0]?.received ?? "", /^GET \/ HTTP\/1\.1\r\nhost: 127\.0\.0\.1\r\n/);
});

test("an HTTP/1.0 client that asks for it keeps its connection where the length is known", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("GET / HTTP/1.0\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n");
  await client.signal.require(() => client.responses[0]?.complete === true, 2000, "the answer");
  assert.equal(field(client.received, "connection"), "keep-alive");
  assert.equal(client.state, "open");
});

test("an answer that ends with its connection becomes chunked", async (t) => {
  const { rig, upstream } = await openPair(
    t,
    answer("HTTP/1.0 200 OK\r\n\r\nhello", { pause: 5 }, " world", { do: "end" }),
  );
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses[0]?.complete === true, 2000, "the answer");
  assert.match(client.received, /^HTTP\/1\.1 200 OK\r\ndate: [^\r]+\r\ntransfer-encoding: chunked\r\n\r\n/);
  assert.equal(client.responses[0]?.body, "hello world");
  assert.equal(client.state, "open");
  await upstream.signal.require(() => upstream.connections[0]?.closed === true, 2000, "the upstream connection's end");
});

test("answers to HEAD, 204 and 304 have no body, and 204 no length", async (t) => {
  const answers = [
    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 10\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nDate: x\r\nContent-Length: 0\r\n\r\n",
    'HTTP/1.1 304 Not Modified\r\nDate: x\r\nETag: "a"\r\nContent-Length: 10\r\n\r\n',
  ];
  const { rig } = await openPair(t, (_request, index) => ({ when: "complete", steps: [answers[index] ?? OK] }));
  const client = await rig.client({ heads: [0] });
  await client.send(GET.replace("GET", "HEAD") + GET + GET + GET);
  await client.signal.require(() => client.responses.length === 4 && client.reader.idle, 2000, "four answers");
  const [head, , notModified] = answers;
  assert.equal(client.received, `${head}HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n${notModified}${OK}`);
});

test("absolute-form replaces Host, and OPTIONS * stays", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("GET http://real.example:81?q HTTP/1.1\r\nHost: other\r\nX-A: b\r\n\r\n");
  await client.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS http://h HTTP/1.1\r\nHost: o\r\n\r\n");
  await client.signal.require(() => client.responses.length === 3 && client.reader.idle, 2000, "three answers");
  const lines = (upstream.connections[0]?.received ?? "").split("\r\n\r\n").map((head) => head.split("\r\n"));
  assert.deepEqual(lines[0]?.slice(0, 3), ["GET /?q HTTP/1.1", "host: real.example:81", "X-A: b"]);
  assert.deepEqual(lines[1]?.slice(0, 2), ["OPTIONS * HTTP/1.1", "Host: h"]);
  assert.deepEqual(lines[2]?.slice(0, 2), ["OPTIONS * HTTP/1.1", "host: h"]);
});

test("hop-by-hop fields and those Connection lists go no further, in both directions", async (t) => {
  const { rig, upstream } = await openPair(
    t,
    answer(
      "HTTP/1.1 200 OK\r\nDate: x\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: foo\r\nContent-Length: 2\r\n\r\nok",
    ),
  );
  const client = await rig.client();
  await client.send(
    "GET / HTTP/1.1\r\nHost: x\r\nX-Keep: 1\r\nConnection: close , x-hop\r\nX-HOP: 1\r\nKeep-Alive: 1\r\nProxy-Connection: k\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
  );
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.match(
    upstream.connections[0]?.received ?? "",
    /^GET \/ HTTP\/1\.1\r\nHost: x\r\nX-Keep: 1\r\nx-forwarded-for/,
  );
  assert.equal(client.received, "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok");
});

test("TE: trailers is renewed for the next hop", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: TE\r\nTE: trailers\r\n\r\n");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.match(upstream.connections[0]?.received ?? "", /\r\nconnection: te\r\nte: trailers\r\n/);
});

test("a client that waits for 100 gets the upstream's, and only then", async (t) => {
  const { rig, upstream } = await openPair(t, () => ({
    when: "head",
    steps: ["HTTP/1.1 100 Continue\r\n\r\n", { do: "await-request" }, OK],
  }));
  const client = await rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
  await client.signal.require(() => client.interim.length === 1, 2000, "100");
  assert.match(upstream.connections[0]?.received ?? "", /\r\nexpect: 100-continue\r\n/);
  await client.send("abc");
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  await client.signal.require(() => client.responses.length === 2, 2000, "the second answer");
  assert.equal(client.interim.length, 1);
});

test("other interim answers are relayed, but not to HTTP/1.0", async (t) => {
  const { rig } = await openPair(t, answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK));
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
  assert.equal(client.interim[0]?.status, 103);
  assert.doesNotMatch(await rig.exchange("GET / HTTP/1.0\r\nHost: x\r\n\r\n"), /103/);
});

test("an early answer reaches the client, and then its connection ends without a reset", async (t) => {
  const { rig } = await openPair(t, () => ({ when: "head", steps: [OK.replace("200 OK", "413 Content Too Large")] }));
  const client = await rig.client();
  await client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(1000)}`);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(client.state, "ended");
  assert.match(client.received, /^HTTP\/1\.1 413 [^]*connection: close\r\n\r\nok$/);
  assert.equal(rig.cluster.idle.length, 0);
  const record = await recordOf(rig);
  assert.equal(record.status, 413);
  assert.equal(record.flag, "-");
});

test("a client that half-closes still gets its answer", async (t) => {
  const { rig } = await openPair(t, answer({ pause: 20 }, OK));
  const client = await rig.client();
  await client.send(GET);
  client.end();
  await client.signal.require(() => client.state === "ended", 2000, "the end");
  assert.match(client.received, /^HTTP\/1\.1 200 OK[^]*connection: close\r\n\r\nok$/);
});

test("any upgrade becomes a tunnel that closes half by half", async (t) => {
  const { rig, upstream } = await openPair(t, () => ({
    when: "complete",
    steps: [
      "HTTP/1.1 101 Switching Protocols\r\nDate: x\r\nConnection: Upgrade\r\nUpgrade: Chat\r\n\r\nhi",
      { do: "echo" },
    ],
  }));
  const client = await rig.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat, h2c\r\n\r\nearly");
  await client.signal.require(() => client.received.endsWith("hiearly"), 2000, "the echo");
  assert.match(upstream.connections[0]?.received ?? "", /\r\nconnection: upgrade\r\nupgrade: chat\r\n/);
  assert.match(client.received, /^HTTP\/1\.1 101 [^]*\r\nconnection: upgrade\r\nupgrade: Chat\r\n\r\n/);
  client.end();
  await client.signal.require(() => client.closed, 2000, "the end of both halves");
  assert.equal(client.state, "ended");
  const record = await recordOf(rig);
  assert.equal(record.status, 101);
  assert.deepEqual([record.bytesReceived, record.bytesSent, record.flag], [5, 7, "-"]);
  assert.deepEqual(rig.bugs, []);
});

test("an upgrade that is refused leaves an ordinary connection", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n${GET}`);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
});

test("the same head again takes the same way, and another configuration another", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const client = await rig.client();
  await client.send(GET + GET);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  rig.change({ route: () => undefined });
  await client.send(GET);
  await client.signal.require(() => client.responses.length === 3, 2000, "a third answer");
  assert.equal(client.responses[2]?.status, 404);
  assert.equal((await recordOf(rig, 2)).flag, "NR");
});

test("the documented ways of sockets work as well", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), { sockets: "documented" });
  const client = await rig.client();
  const body = "x".repeat(300_000);
  await client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}${GET}`);
  await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
  assert.equal(upstream.requests[0]?.message.body, body);
});
