import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toRecord } from "../../test/workers/exchange-record.ts";
import { compileAccessFormat, type AccessFormat } from "./access-format.ts";
import { LineEncoder } from "./access-line.ts";
import { WallClock } from "./access-time.ts";
import type { ExchangeRecord } from "./contract.ts";
import { TextPair, TextPart } from "./text-parts.ts";

const FORMATS = [
  undefined,
  '"%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %REQ(USER-AGENT):20% %DURATION% %UPSTREAM_HOST%',
  "fixed",
];

interface Bench {
  readonly encoder: LineEncoder;
  readonly format: AccessFormat;
}

function openBench(format: string | undefined): Bench {
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: {} });
  assert.ok(compiled.ok);
  return { encoder: new LineEncoder(compiled.value), format: compiled.value };
}

/** Few values, so that many stay the same from one line to the next. */
const someText = fc.oneof(
  fc.constantFrom(
    "",
    "-",
    "a",
    "curl/8.0",
    'quo"te',
    "back\\slash",
    "tab\t",
    "\u00e9",
    "x".repeat(45),
    `${"y".repeat(60)}"`,
  ),
  fc.string({ maxLength: 30, unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
);
const someRecord: fc.Arbitrary<ExchangeRecord> = fc
  .record({
    method: fc.constantFrom("GET", "POST"),
    originalPath: someText,
    authority: someText,
    requestId: someText,
    upstreamHost: fc.constantFrom("-", "10.0.0.1:1", "10.0.0.22:65000"),
    status: fc.constantFrom(0, 200, 404),
    endedAt: fc.constantFrom(1000, 1001, 123_456.7),
    upstreamStartedAt: fc.constantFrom(0, 1000.5),
    routeName: fc.constantFrom("", "default/web/0", 'odd"name'),
    upstreamCluster: fc.constantFrom("", "-", "default/web:80"),
    details: fc.constantFrom("", "via_upstream", "no-route"),
    clientAddress: fc.constantFrom("10.0.0.9", "2001:db8::1", 'forged",'),
    bytesSent: fc.constantFrom(0, 7, 10, 99_999, 999_999, 1_000_000, 1e12),
    agent: fc.option(someText, { nil: undefined }),
    /** Whether the codec says where values are, how much is before them, and the number of the id it gave. */
    inParts: fc.constantFrom("yes", "no"),
    padding: fc.constantFrom(0, 3, 2_020, 2_045, 5_000),
    id: fc.integer({ min: 95, max: 125 }),
  })
  .map(({ agent, inParts, padding, id, ...parts }) => {
    const requestHeaders = agent === undefined ? {} : { "user-agent": agent };
    if (inParts === "no") return toRecord({ ...parts, requestHeaders });
    return toRecord({ ...parts, ...toParts(parts.originalPath, agent, padding), ...toId(id), requestHeaders });
  });

/** As a codec that says where values are: in one text, behind more or less of it. */
function toParts(path: string, agent: string | undefined, padding: number): Partial<ExchangeRecord> {
  const before = `${"\n".repeat(padding)}GET `;
  const text = `${before}${path} ${agent ?? ""}\r\n`;
  const pathTo = before.length + path.length;
  const agentTo = pathTo + 1 + (agent ?? "").length;
  return {
    // a target that is empty, or "-", is none
    pathPart: path === "" || path === "-" ? undefined : new TextPart(text, before.length, pathTo),
    agentPart: agent === undefined ? undefined : new TextPart(text, pathTo + 1, agentTo),
  };
}

function toId(id: number): Partial<ExchangeRecord> {
  const idPair = new TextPair(`stem-${Math.floor(id / 10)}`, String(id % 10).padStart(2 + (id % 2), "0"));
  return { idPair, requestId: String(idPair) };
}

test("bytes written are those of the line with every value escaped", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS), fc.array(someRecord, { maxLength: 20 }), (format, records) => {
      const { encoder, format: compiled } = openBench(format);
      const buffers = [Buffer.alloc(3_000), Buffer.alloc(3_000)];
      let [buffer = Buffer.alloc(0), other = Buffer.alloc(0)] = buffers;
      let at = 0;
      for (const record of records) {
        const row = compiled.read(record);
        let end = encoder.encode(row, buffer, at);
        if (end === -1) {
          [buffer, other] = [other, buffer];
          at = 0;
          end = encoder.encode(row, buffer, 0);
        }
        assert.notEqual(end, -1, "a line fits into an empty buffer");
        assert.equal(buffer.toString("latin1", at, end), encoder.toText(row));
        at = end;
      }
    }),
    { numRuns: 300 },
  );
});

test("JSON lines of any values are JSON and one line", () => {
  const { encoder, format } = openBench(undefined);
  fc.assert(
    fc.property(someRecord, (record) => {
      const line = encoder.toText(format.read(record));
      assert.match(line, /^[ -~]*\n$/);
      assert.equal((JSON.parse(line) as { method: string }).method, record.method);
    }),
  );
});

test("every byte that must not stand as it is is found wherever it is in a value", () => {
  const { encoder } = openBench("%REQ(:PATH)%");
  for (let code = 0; code < 256; code++) {
    const buffer = Buffer.alloc(5_000);
    let start = 3;
    for (const length of [1, 2, 3, 4, 5, 7, 8, 9, 13]) {
      for (let at = 0; at < length; at++) {
        const row = ["~".repeat(at) + String.fromCharCode(code) + " ".repeat(length - at - 1)];
        const end = encoder.encode(row, buffer, start);
        assert.equal(buffer.toString("latin1", start, end), encoder.toText(row), `${code} at ${at} of ${length}`);
        start = end;
      }
    }
  }
});

test("the default fields read at once are those their formats read one by one", () => {
  const { format } = openBench(undefined);
  fc.assert(
    fc.property(someRecord, (record) => {
      const read = format.read(record).map((value) => (typeof value === "object" ? String(value) : value));
      assert.deepEqual(
        read,
        format.fields.map((field) => field.value(record)),
      );
    }),
  );
});

test("a line that does not fit leaves the encoder fit for the next", () => {
  const { encoder, format } = openBench(undefined);
  const buffer = Buffer.alloc(1_500);
  const row = format.read(toRecord());
  const long = format.read(toRecord({ originalPath: `/${"a".repeat(1_400)}` }));
  const end = encoder.encode(row, buffer, 0);
  assert.equal(encoder.encode(long, buffer, end), -1);
  assert.equal(encoder.encode(row, buffer, 0), end);
  assert.equal(buffer.toString("latin1", 0, end), encoder.toText(row));
});
