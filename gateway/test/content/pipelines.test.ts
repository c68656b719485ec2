/**
 * Requests one behind the other on one connection, whatever policies make of their bodies and answers: the client can tell the answers
 * apart, they come in order, and no byte of a body is ever taken for a request.
 */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { Policy, ResponseOverridePolicy } from "@sallyport/model/policy";
import { pageOf, toPageKey } from "./pages.ts";
import { compilePolicy } from "@sallyport/policies/registry";
import { eventually } from "@sallyport/testkit/eventually";
import type { RawClient } from "@sallyport/testkit/raw-client";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { compileRetry } from "../../src/retry/policy.ts";
import { coderRoom } from "../../src/exchange/coders.ts";
import { openRig, type Rig } from "../http1/rig.ts";

const EVIL = "GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n";
const to = (from: number, status: number, text?: string): ResponseOverridePolicy["overrides"][number] => ({
  statuses: [{ from, to: from }],
  source: "any",
  status,
  headers: [],
  ...(text === undefined ? {} : { page: toPageKey("text/plain", text) }),
});
const OVERRIDES: ResponseOverridePolicy = {
  kind: "response-override",
  overrides: [
    to(500, 204),
    to(501, 304),
    to(502, 205, "none of this"),
    to(404, 404, EVIL.repeat(1000)),
    to(410, 200, "short"),
    to(304, 200),
    to(204, 404, "page"),
    to(413, 413, EVIL.repeat(20)),
  ],
};
const STATUSES = [200, 204, 304, 404, 410, 500, 501, 502, 503] as const;
const METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS"] as const;

function toRequest(random: () => number, n: number): { text: string; isHead: boolean } {
  const method = pick(random, METHODS);
  const query = `s=${pick(random, STATUSES)}&b=${pick(random, [0, 1, 300, 20_000, 100_000])}&f=${below(random, 4)}`;
  let text = `${method} /${n}?${query} HTTP/1.1\r\nHost: x\r\n`;
  if (random() < 0.6) text += "Accept-Encoding: gzip\r\n";
  if (random() < 0.2) text += "Expect: 100-continue\r\n";
  const kind = method === "POST" || method === "PUT" ? below(random, 3) : 0;
  const body = EVIL.repeat(1 + below(random, random() < 0.2 ? 60 : 8));
  if (kind === 0) text += "\r\n";
  else if (kind === 1) text += `Content-Length: ${body.length}\r\n\r\n${body}`;
  else text += `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  return { text, isHead: method === "HEAD" };
}

const seen: string[] = [];

function serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
  seen.push(incoming.url ?? "");
  incoming.on("error", () => undefined);
  const url = new URL(incoming.url ?? "", "http://x");
  const [status, length, way] = ["s", "b", "f"].map((name) => Number(url.searchParams.get(name)));
  const answer = (): void => {
    const body = Buffer.from(EVIL.repeat(4000).slice(0, length));
    outgoing.statusCode = status ?? 200;
    outgoing.setHeader("x-n", url.pathname.slice(1));
    outgoing.setHeader("content-type", "text/plain");
    if (way === 0) outgoing.setHeader("content-length", body.length);
    if (way === 3 && body.length > 1) {
      outgoing.write(body.subarray(0, 1));
      setImmediate(() => outgoing.end(body.subarray(1)));
    } else outgoing.end(body);
  };
  // some answer before they have read
  if (way === 2) answer();
  else incoming.on("end", answer);
  incoming.resume();
}

async function openServer(t: TestContext): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, serve);
  server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, socket) => {
    // tries that are given up end in the middle of their body
    if (code !== "ECONNRESET" && code !== "HPE_INVALID_EOF_STATE") seen.push(`evil: ${code}`);
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const RETRY = compileRetry({ attempts: 2, on: ["5xx"], statuses: [], backoff: { least: 0, base: 1, max: 1 } });
const CAPABILITIES = { random: Math.random, delay: () => Promise.resolve(), page: pageOf };

async function open(t: TestContext, whole: boolean, retry: typeof RETRY): Promise<Rig> {
  const policies: Policy[] = [
    { kind: "compression", codings: [{ name: "gzip" }], minimumLength: 10, contentTypes: ["text/plain"] },
    OVERRIDES,
    { kind: "request-body", maxBytes: 700, whole },
  ];
  const filters = policies.map((policy) => compilePolicy(policy, CAPABILITIES));
  const rig = await openRig(t, { upstream: await openServer(t), rule: { filters, ...(retry && { retry }) } });
  const clock = setInterval(() => rig.advance(8), 2);
  t.after(() => clearInterval(clock));
  return rig;
}

const REQUESTS = 6;

/** Sends them in pieces; resolves with the answers once all are there, or the connection has ended. */
async function converse(rig: Rig, random: () => number): Promise<RawClient> {
  const requests = Array.from({ length: REQUESTS }, (_, n) => toRequest(random, n));
  const client = await rig.client({ heads: requests.flatMap(({ isHead }, n) => (isHead ? [n] : [])) });
  const text = requests.map((one) => one.text).join("");
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = at + 1 + below(random, 4000);
    client.socket.write(Buffer.from(text.slice(at, end), "latin1"));
    if (random() < 0.3) await new Promise(setImmediate);
  }
  const isOver = (): boolean => client.responses.length === REQUESTS && client.responses.at(-1)?.complete === true;
  await client.signal.require(() => client.state !== "open" || isOver(), 5000, "the answers");
  return client;
}

for (const whole of [false, true]) {
  for (const retry of [undefined, RETRY]) {
    const how = `${whole ? "whole" : "streamed"} bodies, ${retry ? "some" : "none"} sent again`;
    test(`no byte of a body is taken for a message: ${how}`, async (t) => {
      const rig = await open(t, whole, retry);
      for (let seed = 1; seed <= 15; seed++) {
        seen.length = 0;
        const client = await converse(rig, seeded(seed));
        const where = `seed ${seed}`;
        assert.equal(client.reader.problem, undefined, where);
        assert.ok(!seen.some((url) => url.includes("evil")), where);
        for (const [n, { complete, status, fields, body }] of client.responses.entries()) {
          assert.ok(complete, where);
          // what is made here has no number
          const number = fields.find(({ name }) => name.toLowerCase() === "x-n")?.value ?? String(n);
          assert.equal(number, String(n), where);
          if (BODILESS.has(status)) assert.equal(body, "", where);
        }
        client.close();
      }
      assert.deepEqual(rig.bugs, []);
      await eventually(() => rig.kept.bytes === 0 && coderRoom.taken === 0);
    });
  }
}

const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
