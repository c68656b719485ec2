/** Compressed answers in time: what streams is not held back, nobody is waited for in memory, and whoever leaves leaves nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib";
import fc from "fast-check";
import type { CompressionPolicy } from "@sallyport/model/policy";
import { eventually } from "@sallyport/testkit/eventually";
import { coderRoom } from "../../src/exchange/coders.ts";
import { settled } from "../pouring.ts";
import { contentOf, ContentRig, receive, say, toText } from "./rig.ts";

const ALL: CompressionPolicy = {
  kind: "compression",
  codings: [{ name: "br" }, { name: "zstd" }, { name: "gzip" }],
  minimumLength: 0,
  contentTypes: ["text/*"],
};
const DECODERS = { gzip: createGunzip, br: createBrotliDecompress, zstd: createZstdDecompress };

/** The server's side of one answer, whose head is out. */
async function openAnswer(t: Parameters<typeof ContentRig.open>[0], coding: string) {
  const answers: ServerResponse[] = [];
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.on("error", () => undefined);
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    outgoing.flushHeaders();
    answers.push(outgoing);
  });
  const opened = content.begin({ headers: { "accept-encoding": coding } });
  const answered = once(opened, "response") as Promise<[IncomingMessage]>;
  opened.end();
  const [response] = await answered;
  response.on("error", () => undefined);
  const [answer] = answers;
  assert.ok(answer !== undefined);
  return { content, opened, response, answer };
}

for (const coding of ["gzip", "br", "zstd"] as const) {
  test(`an event reaches the client before the next one is made, through ${coding}`, async (t) => {
    const { response, answer } = await openAnswer(t, coding);
    const decoder = response.pipe(DECODERS[coding]());
    decoder.setEncoding("utf8");
    for (const event of ["data: one\n\n", "data: two\n\n", `data: ${"three".repeat(2000)}\n\n`]) {
      answer.write(event);
      let seen = "";
      while (seen !== event) seen += String((await once(decoder, "data"))[0]);
    }
    answer.end();
    await once(decoder, "end");
  });
}

test("whatever the pieces, what is decoded is what was sent", async (t) => {
  let pieces: readonly Uint8Array[] = [];
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined) outgoing.end();
      else outgoing.write(piece, () => setImmediate(next, at + 1));
    };
    next(0);
  });
  const piece = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.nat(100_000).map(toText));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.constantFrom("gzip", "br", "zstd"), async (all, coding) => {
      pieces = all;
      const asked = { headers: { "accept-encoding": coding } };
      const [one, other] = await Promise.all([content.ask(asked), content.askHttp2(asked)]);
      assert.ok(contentOf(one).equals(Buffer.concat(all)) && contentOf(other).equals(Buffer.concat(all)));
    }),
    { numRuns: 40 },
  );
});

test("a client that does not read holds its server up, and what waits is bounded", async (t) => {
  const total = 40_000_000;
  const { response, answer, content } = await openAnswer(t, "zstd");
  response.pause();
  let sent = 0;
  const more = (): void => {
    while (sent < total) {
      sent += 65_536;
      // what cannot be compressed, so that the client's side fills
      if (!answer.write(randomBytes(65_536))) return;
    }
    answer.end();
  };
  answer.on("drain", more);
  more();
  const held = await settled(() => sent);
  assert.ok(held < total / 2, `${held} bytes were taken`);
  const { body } = await receive(response);
  assert.equal(contentOf({ headers: response.headers, body }).length, sent);
  assert.equal(content.rig.records[0]?.bytesSent, body.length);
});

test("a client that leaves takes its coder and its try with it", async (t) => {
  const { opened, answer, content } = await openAnswer(t, "zstd");
  answer.write(toText(300_000));
  await eventually(() => coderRoom.taken > 0, { what: "a coder" });
  const closed = once(answer, "close");
  opened.destroy();
  await closed;
  assert.equal(coderRoom.taken, 0);
  assert.equal((await eventually(() => content.rig.records[0])).flag, "DC");
});

test("a stream that is reset takes its coder and its try with it", async (t) => {
  const answers: ServerResponse[] = [];
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    outgoing.write(toText(300_000));
    answers.push(outgoing);
  });
  const stream = content.beginHttp2({ headers: { "accept-encoding": "br" } });
  stream.end();
  await once(stream, "data");
  const closed = once(answers[0] ?? stream, "close");
  stream.destroy();
  await closed;
  assert.equal(coderRoom.taken, 0);
});

test("an answer that breaks off is seen to, over HTTP/1.1 and HTTP/2", async (t) => {
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    outgoing.write(toText(200_000), () => outgoing.destroy());
  });
  const asked = { headers: { "accept-encoding": "gzip" } };
  const answer = await content.ask(asked).catch(() => undefined);
  assert.notEqual(answer?.complete, true);
  const stream = content.beginHttp2(asked);
  stream.end();
  const [error] = (await once(stream, "error").catch((thrown: unknown) => [thrown])) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ERR_HTTP2_STREAM_ERROR");
  await eventually(() => content.rig.records.length === 2, { what: "two records" });
  assert.deepEqual(
    content.rig.records.map(({ flag }) => flag),
    ["UC", "UC"],
  );
  assert.equal(coderRoom.taken, 0);
});

for (const patience of ["in time", "late"]) {
  test(`a short body that is announced and comes ${patience} behind its head`, async (t) => {
    const answers: ServerResponse[] = [];
    const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/plain", "content-length": "5000" });
      outgoing.flushHeaders();
      answers.push(outgoing);
    });
    const opened = content.begin({ headers: { "accept-encoding": "gzip" } });
    const answered = once(opened, "response") as Promise<[IncomingMessage]>;
    opened.end();
    await eventually(() => coderRoom.taken > 0, { what: "the head" });
    if (patience === "late") content.rig.advance(40);
    else answers[0]?.end(toText(5000));
    const [response] = await answered;
    if (patience === "late") answers[0]?.end(toText(5000));
    const answer = await receive(response);
    assert.ok(contentOf(answer).equals(toText(5000)));
    const { "content-length": length, "transfer-encoding": framing } = answer.headers;
    assert.deepEqual(
      [length, framing],
      patience === "late" ? [undefined, "chunked"] : [String(answer.body.length), undefined],
    );
  });
}

test("a short answer that breaks off in its first turn can still be told as a fault", async (t) => {
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.socket?.end(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nX",
    );
  });
  const answer = await content.ask({ headers: { "accept-encoding": "gzip" } });
  assert.equal(answer.status, 502);
});

test("where there is no room for one more coder, answers pass as they are", async (t) => {
  const body = toText(100_000);
  const content = await ContentRig.open(t, [ALL], say(body, { etag: '"v1"' }));
  const coding = { name: "br", level: 3 } as const;
  let taken = 0;
  while (coderRoom.take(coding)) taken++;
  const plain = await content.ask({ headers: { "accept-encoding": "br" } });
  for (; taken > 0; taken--) coderRoom.free(coding);
  assert.deepEqual([plain.headers["content-encoding"], plain.headers.etag], [undefined, '"v1"']);
  assert.ok(plain.body.equals(body));
  assert.equal(plain.headers.vary, "Accept-Encoding");
  assert.equal((await content.ask({ headers: { "accept-encoding": "br" } })).headers["content-encoding"], "br");
});
