import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  buildClientHello,
  captureClientHello,
  toExtension,
  toRecords,
  type HelloOptions,
} from "@sallyport/testkit/raw-tls";
import { ClientHelloSniffer, MAX_HELLO, type HelloOutcome } from "./client-hello.ts";

/** What comes of these bytes in these pieces; stops, as callers do, at the first outcome that is not `more`. */
function sniff(bytes: Buffer, cuts: readonly number[] = []): HelloOutcome {
  const sniffer = new ClientHelloSniffer();
  const ends = [...cuts].sort((one, other) => one - other).concat(bytes.length);
  let from = 0;
  let outcome: HelloOutcome = { kind: "more" };
  for (const end of ends) {
    outcome = sniffer.push(bytes, from, end);
    assert.deepEqual(sniffer.bytes, bytes.subarray(0, end));
    from = end;
    if (outcome.kind !== "more") return outcome;
  }
  return outcome;
}

const toHello = (serverName: string | undefined, applicationProtocols: string[] = []): HelloOutcome => ({
  kind: "hello",
  hello: { serverName, applicationProtocols },
});

test("a real client's hello is read, also with a key share after quantum computers, cut anywhere", async () => {
  for (const ecdhCurve of ["X25519MLKEM768", "X25519"]) {
    const bytes = await captureClientHello({ servername: "A.Test", ALPNProtocols: ["h2", "http/1.1"], ecdhCurve });
    if (ecdhCurve === "X25519MLKEM768") assert.ok(bytes.length > 1400, "it takes two segments");
    for (let cut = 0; cut <= bytes.length; cut++)
      assert.deepEqual(sniff(bytes, [cut]), toHello("a.test", ["h2", "http/1.1"]), `cut at ${cut}`);
    assert.deepEqual(sniff(bytes.subarray(0, -1)), { kind: "more" });
  }
});

test("hellos say the same in any pieces and any records", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join(".")}.x`);
  const protocol = fc.stringMatching(/^[a-z0-9/.]{1,12}$/);
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.record({
        serverName: fc.option(name),
        protocols: fc.array(protocol, { maxLength: 3 }),
        padding: fc.integer({ min: 0, max: 400 }),
        records: sizes,
        cuts: fc.array(fc.nat(2000), { maxLength: 6 }),
      }),
      ({ serverName, protocols, padding, records, cuts }) => {
        const names = serverName === null ? [] : [{ name: serverName }];
        const bytes = buildClientHello({ names, protocols, padding, records });
        const expected = toHello(serverName ?? undefined, protocols);
        assert.deepEqual(
          sniff(
            bytes,
            cuts.filter((cut) => cut < bytes.length),
          ),
          expected,
        );
      },
    ),
  );
});

test("a byte at a time works as well, and costs in proportion", () => {
  const bytes = buildClientHello({ names: [{ name: "a.test" }], padding: 3000, records: [16] });
  assert.deepEqual(
    sniff(
      bytes,
      Array.from({ length: bytes.length }, (_, at) => at),
    ),
    toHello("a.test"),
  );
});

test("no bytes whatever make it throw", () => {
  const valid = buildClientHello({ names: [{ name: "a.test" }], protocols: ["h2"], padding: 30, records: [40] });
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 60 }), (at, value, tail) => {
      const mutated = Buffer.from(valid);
      mutated[at] = value;
      sniff(mutated);
      sniff(Buffer.concat([valid.subarray(0, at), tail]));
    }),
  );
});

for (const [what, serverName, options] of [
  ["no name", undefined, {}],
  ["an IPv4 address", undefined, { names: [{ name: "192.0.2.1" }] }],
  ["an IPv6 address", undefined, { names: [{ name: "2001:db8::1" }] }],
  ["upper case", "a-b.test", { names: [{ name: "A-b.TEST" }] }],
  ["an underscore", "_a.test", { names: [{ name: "_a.test" }] }],
  ["a single label", "localhost", { names: [{ name: "localhost" }] }],
] as const satisfies readonly (readonly [string, string | undefined, HelloOptions])[])
  test(`the server name of a hello with ${what}`, () => {
    assert.deepEqual(sniff(buildClientHello(options)), toHello(serverName));
  });

const LONG = `${"a".repeat(63)}.`.repeat(4) + "test";
for (const [what, bytes] of [
  ["a trailing dot", buildClientHello({ names: [{ name: "a.test." }] })],
  ["a NUL", buildClientHello({ names: [{ name: "a.test\0.b" }] })],
  ["a space", buildClientHello({ names: [{ name: "a test" }] })],
  ["an empty name", buildClientHello({ names: [{ name: "" }] })],
  ["an empty label", buildClientHello({ names: [{ name: "a..test" }] })],
  ["a wildcard", buildClientHello({ names: [{ name: "*.test" }] })],
  ["a name of 260 characters", buildClientHello({ names: [{ name: LONG }] })],
  ["letters beyond ASCII", buildClientHello({ names: [{ name: "b\xfccher.test" }] })],
  ["two names", buildClientHello({ names: [{ name: "a.test" }, { name: "b.test" }] })],
  ["a name of another type", buildClientHello({ names: [{ type: 1, name: "a.test" }] })],
  ["two server_name extensions", twice(0, [0, 9, 0, 0, 6, ...Buffer.from("a.test")])],
  ["two ALPN extensions", twice(16, [0, 3, 2, 0x68, 0x32])],
  ["an empty protocol", buildClientHello({ protocols: [""] })],
  ["an extension longer than the hello", tooLong()],
  ["another message first", Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0])],
  ["a record of nothing", Buffer.from([0x16, 3, 1, 0, 0])],
  ["a record too long", Buffer.from([0x16, 3, 1, 0x40, 1])],
  ["another protocol's version", Buffer.from([0x16, 2, 1, 0, 4])],
  ["an alert between its records", Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 9, 0x15, 3, 1, 0, 2, 1, 0])],
  ["more behind it in its record", withTail()],
  ["more bytes than are read", toRecords(Buffer.from([1, 0, (MAX_HELLO + 1) >> 8, (MAX_HELLO + 1) & 255]), [4])],
  [
    "more records than are read",
    Buffer.concat([toRecords(Buffer.concat([Buffer.from([1, 0, 64, 0]), Buffer.alloc(6000)]), [1])]),
  ],
] as const)
  test(`${what} is malformed`, () => {
    assert.equal(sniff(bytes).kind, "malformed");
  });

test("what is no TLS is plain from its first byte on", () => {
  assert.equal(sniff(Buffer.from("G")).kind, "plain");
  assert.equal(sniff(Buffer.from([0x80, 0x2e])).kind, "plain");
});

function twice(type: number, body: readonly number[]): Buffer {
  const extension = toExtension(type, Buffer.from(body));
  return buildClientHello({ extensions: [extension, extension] });
}

function withTail(): Buffer {
  const message = buildClientHello().subarray(5);
  return toRecords(Buffer.concat([message, Buffer.from([1])]), [16_384]);
}

function tooLong(): Buffer {
  const bytes = buildClientHello({ padding: 9 });
  bytes.fill(255, bytes.length - 11, bytes.length - 9);
  return bytes;
}
