/** Compressed answers over real sockets: what comes out of the coding is what went in, and heads say what is so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompressionPolicy } from "@sallyport/model/policy";
import { contentOf, ContentRig, say, toText } from "./rig.ts";

const ALL: CompressionPolicy = {
  kind: "compression",
  codings: [{ name: "br" }, { name: "zstd" }, { name: "gzip" }],
  minimumLength: 100,
  contentTypes: ["text/*", "application/json"],
};
const SIZES = [1, 99, 100, 1000, 16_384, 16_385, 65_536, 200_000, 2_000_000];
const LONG = toText(20_000);

function accepting(coding: string): { headers: Record<string, string> } {
  return { headers: { "accept-encoding": coding } };
}

for (const coding of ["gzip", "br", "zstd"]) {
  test(`bodies of all sizes come whole through ${coding}, over HTTP/1.1 and HTTP/2, with a length and without`, async (t) => {
    const content = await ContentRig.open(t, [ALL], (incoming, outgoing) => {
      const body = toText(Number(incoming.url?.slice(1)));
      const length = incoming.headers["x-length"] === "yes" ? { "content-length": String(body.length) } : {};
      outgoing.writeHead(200, { "content-type": "text/plain; charset=utf-8", etag: '"v1"', ...length });
      outgoing.end(body);
    });
    for (const size of SIZES) {
      for (const length of ["yes", "no"]) {
        const asked = { path: `/${size}`, headers: { "accept-encoding": coding, "x-length": length } };
        for (const answer of [await content.ask(asked), await content.askHttp2(asked)]) {
          const expected = length === "yes" && size < 100 ? undefined : coding;
          assert.equal(answer.headers["content-encoding"], expected, `${size} ${length}`);
          assert.ok(answer.complete);
          assert.ok(contentOf(answer).equals(toText(size)), `${size} bytes of ${coding}`);
          if (expected !== undefined) assert.equal(answer.headers.etag, 'W/"v1"');
          if (size > 1000) assert.ok(answer.body.length < size / 1.5);
        }
      }
    }
  });
}

test("what is short and whole has a length, what is not comes in chunks", async (t) => {
  const content = await ContentRig.open(t, [ALL], (incoming, outgoing) =>
    say(toText(Number(incoming.url?.slice(1))))(incoming, outgoing),
  );
  const short = await content.ask({ path: "/2000", ...accepting("gzip") });
  assert.equal(Number(short.headers["content-length"]), short.body.length);
  const long = await content.ask({ path: "/200000", ...accepting("gzip") });
  assert.deepEqual([long.headers["content-length"], long.headers["transfer-encoding"]], [undefined, "chunked"]);
  const { bytesSent } = content.rig.records[1] ?? {};
  assert.equal(bytesSent, long.body.length);
});

test("HEAD is told what GET would be, but for a length that is not known", async (t) => {
  const content = await ContentRig.open(t, [ALL], say(LONG, { "content-length": "20000", etag: '"v1"' }));
  const head = await content.ask({ method: "HEAD", ...accepting("gzip") });
  assert.deepEqual(
    [head.headers["content-encoding"], head.headers["content-length"], head.headers.vary, head.headers.etag],
    ["gzip", undefined, "Accept-Encoding", 'W/"v1"'],
  );
  assert.equal(head.body.length, 0);
  const next = await content.ask(accepting("gzip"));
  assert.ok(contentOf(next).equals(LONG));
});

const UNTOUCHED: readonly (readonly [what: string, headers: Record<string, string>, status: number])[] = [
  ["an image", { "content-type": "image/png" }, 200],
  ["what is encoded already", { "content-encoding": "br" }, 200],
  ["what must not be transformed", { "cache-control": "max-age=5, no-transform" }, 200],
  ["a part", { "content-range": "bytes 0-19999/40000" }, 206],
  ["a call of gRPC", { "content-type": "application/grpc+proto" }, 200],
];
for (const [what, headers, status] of UNTOUCHED) {
  test(`${what} passes as it is`, async (t) => {
    const contentTypes = what === "an image" ? ALL.contentTypes : ["*/*"];
    const fields = { etag: '"v1"', "accept-ranges": "bytes", ...headers };
    const content = await ContentRig.open(t, [{ ...ALL, contentTypes }], say(LONG, fields, status));
    const answer = await content.ask(accepting("gzip, br, zstd"));
    assert.ok(answer.body.equals(LONG));
    assert.equal(answer.headers["content-encoding"], headers["content-encoding"]);
    assert.deepEqual(
      [answer.headers.etag, answer.headers["accept-ranges"], answer.headers.vary],
      ['"v1"', "bytes", undefined],
    );
  });
}

test("304 has the validator that was stored with what was compressed", async (t) => {
  const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
    outgoing.writeHead(304, { etag: '"v1"' });
    outgoing.end();
  });
  const answer = await content.ask(accepting("gzip"));
  assert.deepEqual([answer.status, answer.headers.etag, answer.headers.vary], [304, 'W/"v1"', "Accept-Encoding"]);
  assert.equal((await content.ask()).headers.etag, '"v1"');
});

test("caches are told of what this client did not take, and parts and digests of other bytes go", async (t) => {
  const fields = {
    "accept-ranges": "bytes",
    "content-length": "20000",
    "content-digest": "sha-256=:AA==:",
    vary: "Origin",
  };
  const content = await ContentRig.open(t, [ALL], say(LONG, fields));
  const plain = await content.ask(accepting("identity"));
  assert.deepEqual(
    [plain.headers.vary, plain.headers["accept-ranges"], plain.headers["content-length"]],
    ["Origin,Accept-Encoding", "bytes", "20000"],
  );
  const encoded = await content.ask(accepting("zstd"));
  assert.deepEqual(
    [encoded.headers.vary, encoded.headers["accept-ranges"], encoded.headers["content-digest"]],
    ["Origin,Accept-Encoding", undefined, undefined],
  );
});

test("trailers follow a compressed body", async (t) => {
  for (const size of [1000, 100_000]) {
    const content = await ContentRig.open(t, [ALL], (_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/plain", trailer: "x-sum" });
      outgoing.addTrailers({ "x-sum": "abc" });
      outgoing.end(toText(size));
    });
    for (const answer of [await content.ask(accepting("gzip")), await content.askHttp2(accepting("gzip"))]) {
      assert.equal(answer.trailers["x-sum"], "abc");
      assert.ok(contentOf(answer).equals(toText(size)));
    }
  }
});

test("HTTP/1.0 gets a body that ends with the connection", async (t) => {
  const content = await ContentRig.open(t, [ALL], say(toText(100_000)));
  const client = await content.rig.client();
  await client.send("GET / HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  await client.signal.require(() => client.state !== "open", 5000, "the end of the connection");
  const at = client.received.indexOf("\r\n\r\n");
  const headers = { "content-encoding": "gzip" };
  const body = Buffer.from(client.received.slice(at + 4), "latin1");
  assert.doesNotMatch(client.received.slice(0, at), /transfer-encoding|content-length/i);
  assert.ok(contentOf({ headers, body }).equals(toText(100_000)));
});
