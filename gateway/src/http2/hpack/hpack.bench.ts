/** What header blocks cost: the same request again, requests that differ, and responses with and without one-off fields. */
import { bench } from "@sallyport/testkit/bench";
import { type Field, HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";

const COUNT = 256;

const requests = Array.from({ length: COUNT }, (_, i) => ({
  path: `/v/items/${1000 + i}/details?page=${i % 10}`,
  lines:
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0\r\n" +
    "accept: text/html,application/xhtml+xml\r\naccept-language: en-US,en;q=0.5\r\naccept-encoding: gzip, br\r\n" +
    `cookie: session=${String(i).padStart(32, "0")}\r\n`,
}));
const responses = Array.from({ length: COUNT }, (_, i) =>
  [
    "Server: nginx",
    "Date: Tue, 24 Nov 2026 07:27:52 GMT",
    "Content-Type: text/html; charset=utf-8",
    `Content-Length: ${1000 + i}`,
    `ETag: "${String(i).padStart(32, "a")}"`,
    "Vary: Accept-Encoding",
    "Cache-Control: public, max-age=3600",
    "Strict-Transport-Security: max-age=31536000; includeSubDomains",
    "X-Content-Type-Options: nosniff",
    "X-Frame-Options: DENY",
    `Set-Cookie: s=${String(i).padStart(32, "b")}; Path=/`,
    "Access-Control-Allow-Origin: *",
    "",
  ].join("\r\n"),
);

/** The blocks a client sends for these requests, after its table has settled. */
function toBlocks(of: typeof requests): readonly Buffer[] {
  const encoder = new HpackEncoder();
  const encode = (): string[] =>
    of.map(({ path, lines }) =>
      encoder.request({ method: "GET", scheme: "https", authority: "example.com", path }, lines, ""),
    );
  return [...encode(), ...encode()].map((block) => Buffer.from(block, "latin1"));
}

function benchDecoding(name: string, of: typeof requests): void {
  const blocks = toBlocks(of);
  bench(name, (iterations) => {
    const decoder = new HpackDecoder({ maxTableSize: 4096, classify: (field) => field.length });
    let sum = 0;
    const sink = { onField: (field: Field): void => void (sum += field.role) };
    for (const block of blocks) decoder.decode(block, 0, block.length, sink);
    for (let i = 0; i < iterations; i++) {
      const block = blocks[COUNT + (i & (COUNT - 1))];
      if (block !== undefined) decoder.decode(block, 0, block.length, sink);
    }
    return sum;
  });
}

const same = requests.map(() => ({ path: "/v/items", lines: (requests[0]?.lines ?? "").replace(/cookie.*\r\n/, "") }));

benchDecoding("decode a request that repeats", same);
benchDecoding("decode a request with its own path and cookie", requests);

bench("encode a request with its own path and cookie", (iterations) => {
  const encoder = new HpackEncoder();
  let sum = 0;
  for (let i = 0; i < iterations; i++) {
    const request = requests[i & (COUNT - 1)];
    if (request === undefined) continue;
    const { path, lines } = request;
    const pseudo = { method: "GET", scheme: "https", authority: "example.com", path };
    sum += encoder.request(pseudo, lines, "0123456789abcdef").length;
  }
  return sum;
});

bench("encode a response of 12 fields that repeats", (iterations) => {
  const encoder = new HpackEncoder();
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += encoder.response(200, responses[0] ?? "").length;
  return sum;
});

bench("encode a response of 12 fields, 3 of them its own", (iterations) => {
  const encoder = new HpackEncoder();
  const bytes = Buffer.alloc(4096);
  let sum = 0;
  for (let i = 0; i < iterations; i++)
    sum += bytes.write(encoder.response(200, responses[i & (COUNT - 1)] ?? ""), "latin1");
  return sum;
});
