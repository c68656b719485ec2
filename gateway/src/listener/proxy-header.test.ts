import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";
import { parseProxyHeader, type ProxyOutcome } from "./proxy-header.ts";

const parse = (bytes: Buffer): ProxyOutcome => parseProxyHeader(bytes, 0, bytes.length);
const line = (text: string): Buffer => Buffer.from(text, "latin1");

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** A version 2 header; the checksum extension, where asked for, is right. */
function binary(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 255]), body]);
}

const V4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb]);
const V6 = Buffer.from("20010db80000000000000000000000010000000000000000000000000000000112340050", "hex");

function withChecksum(): Buffer {
  const header = binary(0x21, 0x11, Buffer.concat([V4, Buffer.from([3, 0, 4, 0, 0, 0, 0])]));
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

const LINE = line("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n");
const ENDS = { source: { address: "192.0.2.1", port: 0x1234 }, destination: { address: "198.51.100.2", port: 443 } };
const ENDS_6 = { source: { address: "2001:db8::1", port: 0x1234 }, destination: { address: "::1", port: 80 } };

for (const [what, bytes, ends] of [
  ["version 1, IPv4", LINE, ENDS],
  ["version 1, IPv6", line("PROXY TCP6 2001:DB8:0::1 ::1 4660 80\r\n"), ENDS_6],
  ["version 1, unknown", line("PROXY UNKNOWN\r\n"), undefined],
  ["version 1, unknown with addresses", line("PROXY UNKNOWN ffff:f...f:ffff 1 2 3 4\r\n"), undefined],
  ["version 2, IPv4", binary(0x21, 0x11, V4), ENDS],
  ["version 2, IPv6", binary(0x21, 0x21, V6), ENDS_6],
  ["version 2, local", binary(0x20, 0x00, Buffer.alloc(0)), undefined],
  ["version 2, local with addresses", binary(0x20, 0x11, V4), undefined],
  ["version 2, unspecified", binary(0x21, 0x00, Buffer.from([4, 0, 1, 9])), undefined],
  ["version 2, datagrams", binary(0x21, 0x12, V4), undefined],
  ["version 2, UNIX sockets", binary(0x21, 0x31, Buffer.alloc(216)), undefined],
  ["version 2, extensions", binary(0x21, 0x11, Buffer.concat([V4, Buffer.from([2, 0, 1, 7, 4, 0, 0])])), ENDS],
  ["version 2, checksum", withChecksum(), ENDS],
] as const)
  test(`${what}, with the client's bytes behind it, cut anywhere`, () => {
    const joined = Buffer.concat([Buffer.from("??"), bytes, Buffer.from("GET /")]);
    const header = { kind: "header", header: { ends }, length: bytes.length };
    for (let end = 2; end <= joined.length; end++) {
      const expected = end < 2 + bytes.length ? { kind: "more" } : header;
      assert.deepEqual(parseProxyHeader(joined, 2, end), expected, `${end} bytes`);
    }
  });

test("IPv4 inside IPv6 is IPv4", () => {
  const mapped = Buffer.from("00000000000000000000ffffc00002010000000000000000000000000000000100010002", "hex");
  const outcome = parse(binary(0x21, 0x21, mapped));
  assert.equal(outcome.kind === "header" ? outcome.header.ends?.source.address : "", "192.0.2.1");
});

for (const text of [
  "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\n",
  "PROXY TCP4 192.0.2.1 198.51.100.2 4660\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443 \r\n",
  "PROXY TCP4  192.0.2.1 198.51.100.2 4660 443\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.2 4660 65536\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.2 04660 443\r\n",
  "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
  "PROXY TCP4 192.0.2.01 198.51.100.2 1 443\r\n",
  "PROXY TCP4 192.0.2.1\0 198.51.100.2 1 443\r\n",
  "PROXY TCP4 ::1 ::1 1 443\r\n",
  "PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n",
  "PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n",
  "PROXY UDP4 192.0.2.1 198.51.100.2 1 443\r\n",
  "PROXY UNKNOWNS\r\n",
  "PROXY \r\n",
  `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
  `PROXY TCP4 ${" ".repeat(100)}`,
])
  test(`${JSON.stringify(text)} is malformed`, () => {
    assert.equal(parse(line(text)).kind, "malformed");
  });

const wrongSum = withChecksum();
wrongSum[16] = 7;
for (const [what, bytes] of [
  ["version 3", binary(0x31, 0x11, V4)],
  ["an unknown command", binary(0x22, 0x11, V4)],
  ["an unknown family", binary(0x21, 0x41, V4)],
  ["addresses that are cut short", binary(0x21, 0x11, V4.subarray(1))],
  ["an extension that is cut short", binary(0x21, 0x11, Buffer.concat([V4, Buffer.from([2, 0])]))],
  ["an extension longer than the header", binary(0x21, 0x11, Buffer.concat([V4, Buffer.from([2, 0, 9, 1])]))],
  ["a header too long", binary(0x21, 0x11, V4, 4096)],
  ["a wrong checksum", wrongSum],
  ["a checksum of another size", binary(0x21, 0x11, Buffer.concat([V4, Buffer.from([3, 0, 1, 0])]))],
] as const)
  test(`${what} is malformed`, () => {
    assert.equal(parse(bytes).kind, "malformed");
  });

test("what does not begin as a header is none, from the first byte that tells", () => {
  for (const text of ["G", "PO", "PROXX", "PROXY/", "\r\nGET", "\r\n\r\n\0\r\nQUIX", "\x16\x03"])
    assert.equal(parse(line(text)).kind, "absent", JSON.stringify(text));
  for (const text of ["", "P", "PROXY", "\r\n\r\n\0\r\nQUIT"]) assert.equal(parse(line(text)).kind, "more");
});

test("no bytes whatever make it throw, and a header never goes beyond them", () => {
  const starts = fc.constantFrom(
    Buffer.alloc(0),
    line("PROXY "),
    line("PROXY TCP4 1.2.3.4 "),
    SIGNATURE,
    binary(0x21, 0x11, V4),
  );
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 80 }), (start, tail) => {
      const bytes = Buffer.concat([start, tail]);
      const outcome = parse(bytes);
      if (outcome.kind === "header") assert.ok(outcome.length <= bytes.length);
    }),
  );
});

test("the checksum is that of RFC 3720", () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});
