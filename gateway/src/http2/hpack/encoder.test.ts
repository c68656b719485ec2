import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Field, HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";

const ROLE = 7;
const classify = (): number => ROLE;

/** Both ends of one direction. */
function openPair(): { readonly encoder: HpackEncoder; readonly read: (block: string) => string } {
  const decoder = new HpackDecoder({ maxTableSize: 4096, classify });
  return {
    encoder: new HpackEncoder(),
    read: (block) => {
      const bytes = Buffer.from(block, "latin1");
      let text = "";
      const whole = decoder.decode(bytes, 0, bytes.length, { onField: (field: Field) => (text += field.line) });
      assert.ok(whole, `broken block ${bytes.toString("hex")}`);
      return text;
    },
  };
}

test("a request comes out as it went in, with its names in lower case and in the order of HTTP/2", () => {
  const { encoder, read } = openPair();
  const pseudo = { method: "PUT", scheme: "https", authority: "a.example", path: "/x?y", protocol: "websocket" };
  const expected =
    ":method: PUT\r\n:scheme: https\r\n:authority: a.example\r\n:path: /x?y\r\n:protocol: websocket\r\n" +
    "accept: */*\r\nx-a: 1\r\nx-empty: \r\nx-high: \xe9\r\nx-request-id: 0123\r\n";
  for (let round = 0; round < 4; round++) {
    const block = encoder.request(pseudo, "Accept:  */*\t\r\nX-A:1\r\nx-empty:\r\nX-High: \xe9\r\n", "0123");
    assert.equal(read(block), expected);
  }
});

test("what belongs to one connection of HTTP/1.1 does not come out", () => {
  const { encoder, read } = openPair();
  const lines =
    "Connection: x\r\nKeep-Alive: 5\r\nProxy-Connection: y\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n" +
    "HTTP2-Settings: AA\r\nHost: a\r\n: nameless\r\nno colon\r\nte: trailers\r\n";
  assert.equal(read(encoder.trailers(lines)), "te: trailers\r\n");
});

test("a response that repeats costs an octet a field, one-off values aside", () => {
  const { encoder, read } = openPair();
  const respond = (n: number): string =>
    encoder.response(200, `Server: x\r\nContent-Type: text/plain\r\nX-Custom: same\r\nETag: "${n}"\r\nDate: now\r\n`);
  const sizes = [1, 2, 3, 4].map((n) => {
    const block = respond(n);
    assert.match(read(block), new RegExp(`^:status: 200\r\nserver: x\r\n.*etag: "${n}"\r\ndate: now\r\n$`, "s"));
    return block.length;
  });
  // status, server, content-type, x-custom and date are one each; etag is 2 + 1 + 3
  assert.deepEqual(sizes.slice(2), [11, 11]);
});

test("the same head has the same block, as long as the table is the same", () => {
  const { encoder, read } = openPair();
  const lines = "server: x\r\ncontent-length: 5\r\n";
  const blocks = [1, 2, 3, 4].map(() => encoder.response(404, lines));
  assert.equal(blocks[2], blocks[3]);
  for (const block of blocks) assert.equal(read(block), `:status: 404\r\n${lines}`);
  // another line pushes everything out: what was known of the last head is no longer true
  const large = `vary: ${"v".repeat(2900)}\r\n`;
  for (const block of [encoder.trailers(large), encoder.trailers(`via: ${"v".repeat(2900)}\r\n`)]) read(block);
  assert.equal(read(encoder.response(404, lines)), `:status: 404\r\n${lines}`);
});

test("secrets are marked as what nobody may keep, and one-off values are not kept", () => {
  const { encoder, read } = openPair();
  for (const name of ["authorization", "cookie", "proxy-authorization", "set-cookie"]) {
    const [first = "", second = ""] = [1, 2].map(() => encoder.trailers(`${name}: s3cret\r\n`));
    assert.equal(first.charCodeAt(0) & 0xf0, 0x10, name);
    assert.equal(first, second);
    assert.equal(read(first), `${name}: s3cret\r\n`);
  }
  for (const name of ["content-length", "x-request-id", "etag"])
    for (let round = 0; round < 3; round++)
      assert.equal(encoder.trailers(`${name}: 12\r\n`).charCodeAt(0) & 0xf0, 0x00, name);
});

test("how a field is sent tells nothing about other connections", () => {
  const [known, fresh] = [openPair().encoder, openPair().encoder];
  const line = "x-secret: hunter2 of another client\r\n";
  const blocks = [1, 2, 3].map(() => known.trailers(line));
  assert.deepEqual(
    [1, 2, 3].map(() => fresh.trailers(line)),
    blocks,
  );
});

test("a field that fills most of the table is not kept", () => {
  const { encoder, read } = openPair();
  const line = `server: ${"s".repeat(3200)}\r\n`;
  for (let round = 0; round < 3; round++) assert.equal(read(encoder.trailers(line)), line);
  assert.equal(encoder.trailers(line).charCodeAt(0) & 0xf0, 0);
});

test("a smaller table is announced: the least it was, then what it is (section 4.2)", () => {
  const { encoder, read } = openPair();
  const lines = "server: x\r\n";
  read(encoder.trailers(lines));
  encoder.setMaxTableSize(0);
  encoder.setMaxTableSize(100);
  const block = encoder.trailers(lines);
  assert.equal(block.slice(0, 3), "\x20\x3f\x45");
  assert.equal(read(block), lines);
  assert.equal(encoder.trailers(lines).length, 1);
  // more than the default is not made use of, and needs no announcement from the default on
  const large = openPair().encoder;
  large.setMaxTableSize(65_536);
  assert.equal(large.trailers(lines).charCodeAt(0), 0x76);
});

test("without a table nothing is kept", () => {
  const { encoder, read } = openPair();
  encoder.setMaxTableSize(0);
  const block = encoder.response(200, "server: x\r\n");
  assert.equal(block.charCodeAt(0), 0x20);
  assert.equal(read(block), ":status: 200\r\nserver: x\r\n");
  assert.equal(encoder.response(200, "server: x\r\n"), encoder.response(200, "server: x\r\n"));
});

test("any lists of fields come out as they went in, whatever sizes of the table come between", () => {
  const name = fc.oneof(
    fc.constantFrom("server", "Date", "etag", "cookie", "x-a", "Content-Type", "accept-encoding"),
    fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,40}$/),
  );
  const unit = fc.constantFrom("a", "0", ",", " ", "\t", "\x80", "\xff", '"', "z", "{", "\x01");
  const value = fc.string({ unit, maxLength: 200 }).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
  const head = fc.array(fc.tuple(name, value), { maxLength: 12 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ head, again: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { encoder, read } = openPair();
      for (const todo of steps) {
        if (typeof todo === "number") {
          encoder.setMaxTableSize(todo);
          continue;
        }
        const sent = todo.head.map(([key, text]) => `${key}: ${text}\r\n`).join("");
        const kept = todo.head.filter(([key]) => !DROPPED.test(key));
        const expected = kept.map(([key, text]) => `${key.toLowerCase()}: ${text}\r\n`).join("");
        for (let round = 0; round < todo.again; round++) assert.equal(read(encoder.trailers(sent)), expected);
      }
    }),
    { numRuns: 300 },
  );
});

const DROPPED = /^(connection|host|http2-settings|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;
