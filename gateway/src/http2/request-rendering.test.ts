import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, METHODS, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { REQUEST_CONNECTION } from "../../test/http2/request-connection.ts";
import { RequestHead } from "../head/request-head.ts";
import { RequestIds } from "../head/request-id.ts";
import { HeadParser } from "../http1/head-parser.ts";
import { classifyRequestField } from "./field-checks.ts";
import { Field } from "./hpack/decoder.ts";
import { RequestFields } from "./request-fields.ts";

type Pair = readonly [name: string, value: string];

const EDGE = DEFAULT_HTTP_SERVER_OPTIONS;
const ids = new RequestIds(Buffer.alloc(9));
const fields = new RequestFields(REQUEST_CONNECTION, { ...EDGE, underscores: "allow" });

/** What might slip through: legal fields, and pieces of HTTP/1.1 where they do not belong. */
const spice = fc.constantFrom(
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  ":",
  "#",
  "HTTP/1.1",
  "x: y",
  "%0d%0a",
  "é",
  "?",
  "/",
  "//",
  "..",
  "@",
  ",",
  "chunked",
  "5",
);
const text = fc
  .array(fc.oneof(spice, fc.string({ maxLength: 4 })), { maxLength: 3 })
  .map((parts) => Buffer.from(parts.join("")).toString("latin1"));
const name = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "accept",
      "cookie",
      "host",
      "te",
      "content-length",
      "x-a",
      "expect",
      "transfer-encoding",
      "connection",
      "trailer",
      "x_y",
      "content-type",
    ),
  },
  { weight: 1, arbitrary: text },
);
const field = fc.tuple(name, fc.oneof(text, fc.constantFrom("1", "a.test", "trailers", "100-continue", "plain")));
const request = fc
  .record({
    method: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom("GET", "POST", "OPTIONS", "PUT") },
      { weight: 1, arbitrary: text },
    ),
    path: fc.oneof(
      { weight: 3, arbitrary: text.map((end) => `/${end}`) },
      { weight: 1, arbitrary: text },
      { weight: 3, arbitrary: fc.constant("/ok") },
    ),
    authority: fc.oneof({ weight: 5, arbitrary: fc.constant("a.test") }, { weight: 1, arbitrary: text }),
    rest: fc.array(field, { maxLength: 6 }),
  })
  .map(({ method, path, authority, rest }): Pair[] => [
    [":method", method],
    [":scheme", "https"],
    [":path", path],
    [":authority", authority],
    ...rest,
  ]);

test("whatever comes, what goes on as HTTP/1.1 is one request with these fields, for us and for node:http", async (t) => {
  const seen: IncomingMessage[] = [];
  const server = createServer((message, response) => {
    seen.push(message);
    message.resume();
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const parser = new HeadParser();
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(request, fc.boolean(), async (pairs, ended) => {
      const head = new RequestHead();
      fields.begin();
      for (const [wanted, value] of pairs)
        fields.onField(new Field(wanted, value, classifyRequestField(wanted, value)));
      if (!fields.finish(head, ended)) return;
      passed++;
      head.identify(ids);
      const rendered = head.toHttp1();
      const bytes = Buffer.from(rendered, "latin1");
      const limits = { ...EDGE, maxHeaderFields: 200, underscores: "allow" as const };
      assert.equal(parser.request(bytes, 0, bytes.length, limits), bytes.length, parser.head.detail);
      // that one knows no methods but these
      if (!METHODS.includes(head.method)) return;
      seen.length = 0;
      const socket = connect(port, "127.0.0.1");
      socket.end(rendered + toBody(head), "latin1");
      socket.on("error", () => undefined);
      socket.resume();
      await once(socket, "close");
      assert.equal(seen.length, 1, JSON.stringify(rendered));
      assert.deepEqual([seen[0]?.method, seen[0]?.url], [head.method, head.path]);
      for (const [wanted, value] of pairs)
        if (wanted === "x-a" || wanted === "accept") assert.ok(seen[0]?.headers[wanted]?.includes(value));
    }),
    { numRuns: 400 },
  );
  assert.ok(passed > 40, `${passed} requests were good`);
});

/** A body as the head frames it. */
function toBody({ framing, contentLength }: RequestHead): string {
  if (framing === "length") return "x".repeat(Math.min(contentLength, 10));
  return framing === "stream" ? "0\r\n\r\n" : "";
}
