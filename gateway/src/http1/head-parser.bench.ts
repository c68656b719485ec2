/** What reading heads costs: parsing alone, building the head, and rendering it for the other side. */
import { DEFAULT_HTTP_SERVER_OPTIONS } from "@sallyport/model/listener";
import { bench } from "@sallyport/testkit/bench";
import { RequestHead } from "../head/request-head.ts";
import { RequestIds } from "../head/request-id.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { HeadParser } from "./head-parser.ts";
import { RequestBuilder } from "./request-builder.ts";

const COUNT = 256;
const parser = new HeadParser();
const connection = {
  scheme: "http",
  remoteAddress: "192.0.2.1",
  remote: "192.0.2.1:4711",
  local: "192.0.2.2:80",
  peer: "192.0.2.1:4711",
  tls: undefined,
} as const;

const requests = Array.from({ length: COUNT }, (_, i) =>
  Buffer.from(
    `GET /v/items/${1000 + i}/details?page=${i % 10} HTTP/1.1\r\nHost: example.com\r\n` +
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0\r\n" +
      "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-US,en;q=0.5\r\n" +
      `Cookie: session=${String(i).padStart(32, "0")}\r\n\r\n`,
    "latin1",
  ),
);
const responses = Array.from({ length: COUNT }, (_, i) =>
  Buffer.from(
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Tue, 24 Nov 2026 07:27:52 GMT\r\nContent-Type: text/plain\r\n" +
      `Content-Length: 65\r\nConnection: keep-alive\r\nETag: ${String(i).padStart(32, "a")}\r\n` +
      `Set-Cookie: s=${String(i).padStart(32, "b")}; Path=/\r\n\r\n`,
    "latin1",
  ),
);

bench("parse a request head of 290 bytes", (iterations) => {
  let sum = 0;
  for (let i = 0; i < iterations; i++) {
    const bytes = requests[i & (COUNT - 1)];
    if (bytes !== undefined) sum += parser.request(bytes, 0, bytes.length, DEFAULT_HTTP_SERVER_OPTIONS);
  }
  return sum;
});

bench("parse a response head of 240 bytes", (iterations) => {
  let sum = 0;
  for (let i = 0; i < iterations; i++) {
    const bytes = responses[i & (COUNT - 1)];
    if (bytes !== undefined) sum += parser.response(bytes, 0, bytes.length);
  }
  return sum;
});

bench("parse, build and render a request head", (iterations) => {
  const builder = new RequestBuilder(connection, DEFAULT_HTTP_SERVER_OPTIONS);
  const head = new RequestHead();
  const ids = new RequestIds();
  let sum = 0;
  for (let i = 0; i < iterations; i++) {
    const bytes = requests[i & (COUNT - 1)];
    if (bytes === undefined) continue;
    parser.request(bytes, 0, bytes.length, DEFAULT_HTTP_SERVER_OPTIONS);
    builder.build(head, parser.head, bytes, toLatin1(bytes, 0, parser.head.end));
    head.identify(ids);
    sum += head.toHttp1().length;
  }
  return sum;
});
