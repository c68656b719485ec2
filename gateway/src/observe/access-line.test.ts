import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toRecord } from "../../test/workers/exchange-record.ts";
import { compileAccessFormat } from "./access-format.ts";
import { LineEncoder } from "./access-line.ts";
import { WallClock } from "./access-time.ts";
import type { ExchangeRecord } from "./contract.ts";

const FORMATS = [
  undefined,
  '"%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %REQ(USER-AGENT):20% %DURATION% %UPSTREAM_HOST%',
  "fixed",
];

function openEncoder(format: string | undefined): LineEncoder {
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: {} });
  assert.ok(compiled.ok);
  return new LineEncoder(compiled.value);
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
    bytesSent: fc.constantFrom(0, 7, 1e12),
    agent: fc.option(someText, { nil: undefined }),
  })
  .map(({ agent, ...parts }) => {
    return toRecord({ ...parts, ...(agent === undefined ? {} : { requestHeaders: { "user-agent": agent } }) });
  });

test("bytes written with what the line before left are those of the line written alone", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS), fc.array(someRecord, { maxLength: 20 }), (format, records) => {
      const encoder = openEncoder(format);
      const buffers = [Buffer.alloc(3_000), Buffer.alloc(3_000)];
      let [buffer = Buffer.alloc(0), other = Buffer.alloc(0)] = buffers;
      let at = 0;
      for (const record of records) {
        let end = encoder.encode(record, buffer, at);
        if (end === -1) {
          [buffer, other] = [other, buffer];
          at = 0;
          end = encoder.encode(record, buffer, 0);
        }
        assert.notEqual(end, -1, "a line fits into an empty buffer");
        assert.equal(buffer.toString("latin1", at, end), encoder.toText(record));
        at = end;
      }
    }),
    { numRuns: 300 },
  );
});

test("JSON lines of any values are JSON and one line", () => {
  const encoder = openEncoder(undefined);
  fc.assert(
    fc.property(someRecord, (record) => {
      const line = encoder.toText(record);
      assert.match(line, /^[ -~]*\n$/);
      assert.equal((JSON.parse(line) as { method: string }).method, record.method);
    }),
  );
});

test("a line that does not fit leaves the encoder fit for the next", () => {
  const encoder = openEncoder(undefined);
  const buffer = Buffer.alloc(1_500);
  const long = toRecord({ originalPath: `/${"a".repeat(1_400)}` });
  const end = encoder.encode(toRecord(), buffer, 0);
  assert.equal(encoder.encode(long, buffer, end), -1);
  assert.equal(encoder.encode(toRecord(), buffer, 0), end);
  assert.equal(buffer.toString("latin1", 0, end), encoder.toText(toRecord()));
});
