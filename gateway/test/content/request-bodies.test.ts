/** Limits of request bodies over real sockets, and bodies that are whole before anything goes upstream. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import type { RequestBodyPolicy } from "@sallyport/model/policy";
import { eventually } from "@sallyport/testkit/eventually";
import { closeOf, ContentRig, receive, toText } from "./rig.ts";

const LIMIT: RequestBodyPolicy = { kind: "request-body", maxBytes: 1000, whole: false };
const WHOLE: RequestBodyPolicy = { ...LIMIT, maxBytes: 1_000_000, whole: true };

/** Says what came, once it came. */
function echo(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const pieces: Buffer[] = [];
  incoming.on("error", () => undefined);
  incoming.on("data", (piece: Buffer) => pieces.push(piece));
  incoming.on("end", () => {
    const {
      "content-length": length = "none",
      "transfer-encoding": coding = "none",
      expect = "none",
    } = incoming.headers;
    const trailer = incoming.trailers["x-sum"] ?? "none";
    outgoing.writeHead(200, { "x-framing": `${length} ${coding} ${expect} ${String(trailer)}` });
    outgoing.end(Buffer.concat(pieces));
  });
}

for (const policy of [LIMIT, { ...WHOLE, maxBytes: 1000 }]) {
  const way = policy.whole ? "a whole body" : "a streamed body";
  test(`${way} at the limit passes, and one byte more is refused`, async (t) => {
    const content = await ContentRig.open(t, [policy], echo);
    for (const size of [0, 1, 1000, 1001]) {
      const body = toText(size);
      const known = { "content-length": String(size) };
      const answers = [
        await content.ask({ method: "POST", body, headers: known }),
        await content.ask({ method: "POST", body, headers: { "transfer-encoding": "chunked" } }),
        await content.askHttp2({ method: "POST", body, headers: known }),
        await content.askHttp2({ method: "POST", body }),
      ];
      for (const [at, answer] of answers.entries()) {
        assert.equal(answer.status, size > 1000 ? 413 : 200, `${size} bytes, way ${at}`);
        if (size <= 1000) assert.ok(answer.body.equals(body));
      }
    }
    for (const record of content.rig.records.slice(12))
      assert.deepEqual([record.status, record.details, record.flag], [413, "body-too-large", "DPE"]);
  });
}

test("a length beyond the limit is refused before anything goes upstream, and the connection ends", async (t) => {
  const content = await ContentRig.open(t, [LIMIT], echo);
  const client = await content.rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  await client.signal.require(() => client.state !== "open", 5000, "the end of the connection");
  assert.match(client.received, /^HTTP\/1\.1 413 [^]*connection: close/i);
  const large = { method: "POST", headers: { "content-length": "1001" } };
  const stream = content.beginHttp2(large);
  const [fields] = (await once(stream, "response")) as [{ ":status": number }];
  assert.equal(fields[":status"], 413);
  stream.destroy();
  assert.deepEqual([content.seen.length, content.rig.cluster.opened], [0, 0]);
});

test("a streamed body is cut where it is too much, and its try with it", async (t) => {
  const content = await ContentRig.open(t, [LIMIT], (incoming) => void incoming.on("error", () => undefined));
  const opened = content.begin({ method: "POST", headers: { "transfer-encoding": "chunked" } });
  opened.write(toText(900));
  await eventually(() => content.seen[0], { what: "the request" });
  const cut = closeOf(content.seen[0] ?? opened);
  const answered = once(opened, "response") as Promise<[IncomingMessage]>;
  opened.write(toText(200));
  const [response] = await answered;
  assert.equal(response.statusCode, 413);
  await cut;
  assert.equal((await receive(response)).headers.connection, "close");
});

test("where the answer has begun, an upload that is too much ends it", async (t) => {
  const content = await ContentRig.open(t, [LIMIT], (incoming, outgoing) => {
    incoming.on("error", () => undefined);
    incoming.resume();
    outgoing.on("error", () => undefined);
    outgoing.writeHead(200);
    outgoing.write("begun");
  });
  const stream = content.beginHttp2({ method: "POST" });
  stream.write(toText(900));
  await once(stream, "data");
  const closed = closeOf(stream);
  stream.write(toText(200));
  await closed;
  assert.equal(content.rig.records[0]?.details, "body-too-large");
});

test("a whole body goes upstream with its length, and not before it is complete", async (t) => {
  const content = await ContentRig.open(t, [WHOLE], echo);
  const body = toText(900_000);
  const opened = content.begin({ method: "POST", headers: { "transfer-encoding": "chunked", trailer: "x-none" } });
  opened.write(body.subarray(0, 400_000));
  await eventually(() => content.rig.kept.bytes === 400_000, { what: "the first half" });
  assert.equal(content.rig.cluster.opened, 0);
  const answered = once(opened, "response") as Promise<[IncomingMessage]>;
  opened.end(body.subarray(400_000));
  const [response] = await answered;
  const answer = await receive(response);
  assert.ok(answer.body.equals(body));
  assert.equal(answer.headers["x-framing"], "900000 none none none");
  assert.equal(content.seen[0]?.headers.trailer, undefined);
  const overHttp2 = await content.askHttp2({ method: "POST", body });
  assert.ok(overHttp2.body.equals(body));
  assert.equal(overHttp2.headers["x-framing"], "900000 none none none");
  assert.equal(content.rig.kept.bytes, 0);
});

test("the same head on one connection is read anew for each body", async (t) => {
  const content = await ContentRig.open(t, [WHOLE], echo);
  for (const size of [10, 20, 30]) {
    const headers = { "transfer-encoding": "chunked" };
    const answer = await content.ask({ method: "POST", headers, body: toText(size) });
    assert.deepEqual([answer.body.length, answer.headers["x-framing"]], [size, `${size} none none none`]);
  }
});

test("who waits to be asked for a whole body is asked here, and the endpoint need not", async (t) => {
  const content = await ContentRig.open(t, [WHOLE], echo);
  const opened = content.begin({ method: "POST", headers: { expect: "100-continue", "content-length": "5" } });
  opened.flushHeaders();
  await once(opened, "continue");
  assert.equal(content.rig.cluster.opened, 0);
  const answered = once(opened, "response") as Promise<[IncomingMessage]>;
  opened.end("hello");
  const answer = await receive((await answered)[0]);
  assert.deepEqual([String(answer.body), answer.headers["x-framing"]], ["hello", "5 none none none"]);
});

test("trailers stay behind a whole body", async (t) => {
  const content = await ContentRig.open(t, [WHOLE], echo);
  const opened = content.begin({ method: "POST", headers: { "transfer-encoding": "chunked", trailer: "x-sum" } });
  const answered = once(opened, "response") as Promise<[IncomingMessage]>;
  opened.addTrailers({ "x-sum": "abc" });
  opened.end("hello");
  const answer = await receive((await answered)[0]);
  assert.deepEqual([String(answer.body), answer.headers["x-framing"]], ["hello", "none chunked none abc"]);
});

test("a client that leaves, or is too slow, gives its room back", async (t) => {
  const content = await ContentRig.open(t, [WHOLE], echo);
  for (const end of ["leave", "wait"]) {
    const opened = content.begin({ method: "POST", headers: { "content-length": "9000" } });
    opened.write(toText(8000));
    await eventually(() => content.rig.kept.bytes === 8000, { what: "the beginning" });
    if (end === "leave") opened.destroy();
    else content.rig.advance(400_000);
    await eventually(() => content.rig.kept.bytes === 0, { what: "room" });
  }
  await eventually(() => content.rig.records.length === 2);
  assert.deepEqual(
    content.rig.records.map(({ flag }) => flag),
    ["DC", "DT"],
  );
});

test("of a call of gRPC the limit holds, and it streams: its sides may wait for each other", async (t) => {
  const content = await ContentRig.open(t, [{ ...WHOLE, maxBytes: 1000 }], (incoming, outgoing) => {
    incoming.on("error", () => undefined);
    incoming.once("data", () => outgoing.writeHead(200, { "content-type": "application/grpc" }).write("pong"));
  });
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const stream = content.beginHttp2({ method: "POST", headers });
  stream.write("ping");
  assert.equal(String((await once(stream, "data"))[0]), "pong");
  stream.destroy();
  const refused = await content.askHttp2({
    method: "POST",
    headers: { ...headers, "content-length": "1001" },
    body: toText(1001),
  });
  assert.deepEqual([refused.status, refused.headers["grpc-status"]], [200, "8"]);
});
