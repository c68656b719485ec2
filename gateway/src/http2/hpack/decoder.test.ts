import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Field, HpackDecoder } from "./decoder.ts";
import { encodeInteger, encodeText } from "./literal.ts";

const classify = (name: string, value: string): number => name.length * 1000 + value.length;

function openDecoder(maxTableSize = 4096): HpackDecoder {
  return new HpackDecoder({ maxTableSize, classify });
}

/** The lines of a block in hexadecimal; undefined where it is broken. */
function decode(decoder: HpackDecoder, hex: string): string[] | undefined {
  const bytes = Buffer.from(`00${hex.replaceAll(" ", "")}00`, "hex");
  const lines: string[] = [];
  const sink = { onField: ({ line }: Field): void => void lines.push(line.trimEnd()) };
  return decoder.decode(bytes, 1, bytes.length - 1, sink) ? lines : undefined;
}

const CUSTOM = "custom-key: custom-value";
const DATE_21 = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const DATE_22 = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const LOCATION = "location: https://www.example.com";
const COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const REQUESTS = [
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
  [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", CUSTOM],
];
const RESPONSES = [
  [":status: 302", "cache-control: private", DATE_21, LOCATION],
  [":status: 307", "cache-control: private", DATE_21, LOCATION],
  [":status: 200", "cache-control: private", DATE_22, LOCATION, "content-encoding: gzip", COOKIE],
];
/** A block that makes the table 256 octets large, as the examples of responses have it. */
const SMALL = "3fe101";

/** RFC 7541 appendix C.2 to C.6: blocks of one connection, and their fields. */
const EXAMPLES: readonly (readonly [
  what: string,
  blocks: readonly string[],
  fields: readonly (readonly string[])[],
])[] = [
  [
    "C.2 literals",
    [
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      "040c 2f73 616d 706c 652f 7061 7468",
      "1008 7061 7373 776f 7264 0673 6563 7265 74",
      "82 be",
    ],
    [
      ["custom-key: custom-header"],
      [":path: /sample/path"],
      ["password: secret"],
      [":method: GET", "custom-key: custom-header"],
    ],
  ],
  [
    "C.3 requests",
    [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
    REQUESTS,
  ],
  [
    "C.4 requests in the Huffman code",
    [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
    REQUESTS,
  ],
  [
    "C.5 responses that evict",
    [
      SMALL,
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e " +
        "1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d " +
        "4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 " +
        "7369 6f6e 3d31",
    ],
    [[], ...RESPONSES],
  ],
  [
    "C.6 responses that evict, in the Huffman code",
    [
      SMALL,
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b " +
        "97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf " +
        "cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
    [[], ...RESPONSES],
  ],
];

for (const [what, blocks, fields] of EXAMPLES) {
  test(`the examples of RFC 7541 ${what}`, () => {
    const decoder = openDecoder();
    for (const [index, block] of blocks.entries())
      assert.deepEqual(decode(decoder, block), fields[index], `block ${index}`);
  });
}

for (const [what, block] of [
  ["index 0", "80"],
  ["an index behind the dynamic table", "be"],
  ["a name's index behind the dynamic table", "7e 0161"],
  ["an integer that ends early", "ff"],
  ["an integer that ends early, further on", "ff80 80"],
  ["an integer beyond all limits", "ffff ffff ff0f"],
  ["an integer of too many octets", "ff80 8080 8000"],
  ["a literal without value", "00 0161"],
  ["a literal without name", "40"],
  ["a name that ends early", "00 05 6161"],
  ["a value that ends early", "00 0161 0561"],
  ["a length that ends early", "00 7f"],
  ["a length beyond all limits", "00 7fff ffff ff7f"],
  ["padding of eight bits", "00 0161 82 f8ff"],
  ["padding of eleven bits", "00 0161 82 1fff"],
  ["padding of zeros", "00 0161 81 18"],
  ["a symbol that ends early", "00 0161 81 fe"],
  ["EOS", "00 0161 84 ffff ffff"],
  ["EOS behind a symbol", "00 0161 85 1fff ffff ff"],
  ["a size beyond what was announced", "3fe2 1f"],
  ["a size that ends early", "3f"],
  ["a size of too many octets", "3f80 8080 8000"],
  ["a size behind a field", "82 20"],
  ["a size behind a field, which would also be a literal", "82 20 0161 0162"],
] as const) {
  test(`${what} breaks the block`, () => {
    assert.equal(decode(openDecoder(), block), undefined);
  });
}

test("a size may be said several times before the first field, up to what was announced", () => {
  const decoder = openDecoder();
  assert.deepEqual(decode(decoder, "40 0161 0162"), ["a: b"]);
  assert.deepEqual(decode(decoder, "20 3fe1 1f 82"), [":method: GET"]);
  assert.equal(decode(decoder, "be"), undefined, "size 0 emptied the table");
  assert.deepEqual(decode(openDecoder(65_536), "3fe1 ff03"), []);
  assert.equal(decode(openDecoder(65_536), "3fe2 ff03"), undefined);
});

test("an entry larger than the table empties it, and is delivered", () => {
  const decoder = openDecoder();
  assert.deepEqual(decode(decoder, "3f21 40 0161 0162"), ["a: b"]);
  const large = "62".repeat(34);
  assert.deepEqual(decode(decoder, `be 40 0161 22 ${large}`), ["a: b", `a: ${"b".repeat(34)}`]);
  assert.equal(decode(decoder, "be"), undefined);
});

test("a new entry may take its name from the one it evicts (section 4.4)", () => {
  const decoder = openDecoder();
  assert.deepEqual(decode(decoder, "3f07 40 0161 0162"), ["a: b"]);
  assert.deepEqual(decode(decoder, "7e 0163 be"), ["a: c", "a: c"]);
});

test("an index one behind the last entry is none, however full the table is", () => {
  const decoder = openDecoder();
  for (let count = 1; count <= 40; count++) {
    assert.deepEqual(decode(decoder, "40 0161 0162"), ["a: b"]);
    const last = (0x80 + 61 + count).toString(16);
    assert.deepEqual(decode(decoder, last), ["a: b"]);
    const copy = openDecoder();
    for (let n = 0; n < count; n++) decode(copy, "40 0161 0162");
    assert.equal(decode(copy, (0x80 + 62 + count).toString(16)), undefined);
  }
});

test("entries are made and classified once, and shared by the blocks that refer to them", () => {
  const decoder = openDecoder();
  const fields: Field[] = [];
  const sink = { onField: (field: Field): void => void fields.push(field) };
  const block = Buffer.from("820461624003616263016482bebe", "hex");
  assert.ok(decoder.decode(Buffer.from("400361626301648282bebe", "hex"), 0, 11, sink));
  const [literal, first, second, third, fourth] = fields;
  assert.equal(first, second);
  assert.equal(third, literal);
  assert.equal(fourth, literal);
  assert.equal(literal?.role, classify("abc", "d"));
  assert.equal(literal.size, 36);
  assert.equal(decoder.decode(block, 0, block.length, sink), false);
});

test("the version says whether the same bytes are the same fields", () => {
  const decoder = openDecoder();
  const { version } = decoder;
  decode(decoder, "82 00 0161 0162");
  assert.equal(decoder.version, version);
  decode(decoder, "40 0161 0162");
  assert.notEqual(decoder.version, version);
});

test("a block that names one large entry again and again makes no list and no text", () => {
  const decoder = openDecoder();
  const value = "v".repeat(4000);
  const entry = `\x40\x01a${encodeInteger(value.length, 127, 0)}${value}`;
  const bomb = Buffer.from(entry + "\xbe".repeat(60_000), "latin1");
  let size = 0;
  const seen = new Set<Field>();
  const sink = {
    onField: (field: Field): void => {
      size += field.size;
      seen.add(field);
    },
  };
  assert.ok(decoder.decode(bomb, 0, bomb.length, sink));
  assert.equal(size, 60_001 * 4033);
  assert.equal(seen.size, 1);
});

test("any text survives the Huffman code, at any length", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom("a", "\xff", "0", "\x16") }));
  fc.assert(
    fc.property(text, (raw) => {
      const latin1 = raw.replace(/[^\0-\xff]/g, "\xf9");
      const block = Buffer.from(`\x00\x01a${encodeText(latin1)}`, "latin1");
      let value: string | undefined;
      assert.ok(openDecoder().decode(block, 0, block.length, { onField: (field) => (value = field.value) }));
      assert.equal(value, latin1);
    }),
    { numRuns: 1000 },
  );
});

test("integers of any size up to the limit are read as they are written (appendix C.1)", () => {
  assert.equal(encodeInteger(10, 31, 0), "\x0a");
  assert.equal(encodeInteger(1337, 31, 0), "\x1f\x9a\x0a");
  assert.equal(encodeInteger(42, 255, 0), "\x2a");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 28 - 1 }), (size) => {
      const block = Buffer.from(encodeInteger(size, 31, 32), "latin1");
      const limited = new HpackDecoder({ maxTableSize: size, classify });
      assert.ok(limited.decode(block, 0, block.length, { onField: () => assert.fail("a field") }));
    }),
  );
});

test("any bytes are decoded or refused, within what they can hold", () => {
  const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x82, 0xbe, 0x40, 0x00, 0x7f, 0x3f, 0xff));
  fc.assert(
    fc.property(fc.array(fc.array(octet, { maxLength: 60 }), { maxLength: 8 }), (blocks) => {
      const decoder = openDecoder();
      for (const octets of blocks) {
        const bytes = Buffer.from(octets);
        let count = 0;
        const fine = decoder.decode(bytes, 0, bytes.length, {
          onField: ({ size, name, value }) => {
            count++;
            assert.equal(size, name.length + value.length + 32);
          },
        });
        assert.ok(count <= bytes.length);
        if (!fine) return;
      }
    }),
    { numRuns: 2000 },
  );
});
