import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSecureServer, createServer, type IncomingHttpHeaders, type SecureServerOptions } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { test, type TestContext } from "node:test";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { grpcMessage, grpcRequests } from "../requests.ts";
import { findTool } from "../tools.ts";
import { h2loadLaunch, parseH2loadReport } from "./h2load.ts";

const h2load = findTool("h2load");
const withH2load = h2load.kind === "missing" ? { skip: h2load.reason } : {};

interface Load {
  readonly server: Server;
  readonly certificate: string;
  readonly requests: readonly string[];
  readonly total: number;
}

async function load(t: TestContext, { server, certificate, requests, total }: Load): Promise<string> {
  using directory = openTemporaryDirectory({ "requests.bin": requests.join("\0") });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const { command, args, env } = h2loadLaunch({
    port,
    certificate,
    connections: 1,
    streams: 2,
    total,
    seconds: 1,
    exchange: "request",
    requestFile: directory.file("requests.bin"),
  });
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(child, "close");
  return output;
}

async function loadSecurely(t: TestContext, options: SecureServerOptions): Promise<string> {
  const certificate = await createSelfSigned({ names: ["a"] });
  const server = createSecureServer({ ...certificate, ...options }, (_, response) => response.end("hello"));
  return load(t, { server, certificate: "some", requests: ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], total: 3 });
}

test(
  "h2load sends the paths in turn with the first request's fields, and counts requests and bytes of bodies",
  withH2load,
  async (t) => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response.end("hello");
    });
    const requests = ["/a?1", "/b?2"].map((path) => `GET ${path} HTTP/1.1\r\nHost: x.test\r\nX-Kind: test\r\n\r\n`);
    const totals = parseH2loadReport(await load(t, { server, certificate: "", requests, total: 4 }));
    assert.deepEqual([totals.requests, totals.bytes, totals.failures], [4, 20, 0]);
    assert.deepEqual(
      seen.map((headers) => headers[":path"]).sort((a = "", b = "") => a.localeCompare(b)),
      ["/a?1", "/a?1", "/b?2", "/b?2"],
    );
    assert.ok(seen.every((headers) => headers[":authority"] === "x.test" && headers["x-kind"] === "test"));
  },
);

test("a gRPC request is sent with its message behind the prefix, and one length", withH2load, async (t) => {
  const bodies: Buffer[] = [];
  const lengths = new Set<unknown>();
  const server = createServer((request, response) => {
    lengths.add(request.headers["content-length"]);
    request.on("data", (bytes: Buffer) => bodies.push(bytes));
    request.on("end", () => response.end());
  });
  await load(t, { server, certificate: "", requests: grpcRequests("Echo", 10), total: 1 });
  assert.equal(Buffer.concat(bodies).toString("latin1"), grpcMessage("x".repeat(10)));
  assert.deepEqual([...lengths], ["15"]);
});

test("answers with another status than 200 are failures and no requests", withH2load, async (t) => {
  let count = 0;
  const server = createServer((_, response) => response.writeHead(count++ === 0 ? 503 : 200).end());
  const requests = ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"];
  const totals = parseH2loadReport(await load(t, { server, certificate: "", requests, total: 5 }));
  assert.deepEqual([totals.requests, totals.failures], [4, 1]);
});

test("over TLS one cipher and one group are offered, whatever the server prefers", withH2load, async (t) => {
  assert.equal(parseH2loadReport(await loadSecurely(t, {})).requests, 3);
  const refused = parseH2loadReport(await loadSecurely(t, { ciphers: "TLS_AES_256_GCM_SHA384" }));
  assert.deepEqual([refused.requests, refused.failures], [0, 3]);
});

test("a report of TLS that was not offered, and no report at all, are errors", () => {
  const report = `TLS Protocol: TLSv1.3
Cipher: TLS_AES_256_GCM_SHA384
Server Temp Key: X25519 253 bits
Application protocol: h2
finished in 1.50s, 2.00 req/s, 1B/s
requests: 3 total, 3 started, 3 done, 3 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 3 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.90MB (1990000) total, 300KB (300000) headers (space savings 50%), 800KB (800000) data
`;
  assert.throws(() => parseH2loadReport(report), /TLS_AES_256_GCM_SHA384, X25519 and h2 instead of/);
  const right = report.replace("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256");
  assert.deepEqual(parseH2loadReport(right), { requests: 3, seconds: 1.5, bytes: 800_000, failures: 0 });
  assert.throws(() => parseH2loadReport(right.replace("h2\n", "http/1.1\n")), /http\/1\.1 instead of/);
  assert.throws(() => parseH2loadReport("connection refused"), /no report: connection refused/);
});
