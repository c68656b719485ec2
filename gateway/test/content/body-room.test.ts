/** Room for bodies that are kept, shared by routes of several tenants over real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import type { RequestBodyPolicy } from "@sallyport/model/policy";
import { eventually } from "@sallyport/testkit/eventually";
import { compileRetry } from "../../src/retry/policy.ts";
import type { CompiledRule } from "../../src/router/contract.ts";
import type { RigOptions } from "../http1/rig.ts";
import { ContentRig, receive } from "./rig.ts";

const WHOLE: RequestBodyPolicy = { kind: "request-body", maxBytes: 100_000_000, whole: true };
/** A third of the room for whole bodies. */
const MOST = 11_184_810;

/** The path names the route: `/namespace/name`. */
const byPath: NonNullable<RigOptions["route"]> = (input, rule, listener) => {
  const own: CompiledRule = { ...rule, routeKey: `HTTPRoute${input.routePath}` };
  return { listener, rule: own, matchedPrefix: undefined, cacheable: true };
};

/** Says how long what came is. */
function measure(incoming: IncomingMessage, outgoing: ServerResponse): void {
  let length = 0;
  incoming.on("error", () => undefined);
  incoming.on("data", (piece: Buffer) => (length += piece.length));
  incoming.on("end", () => outgoing.end(String(length)));
}

function openRooms(t: TestContext): Promise<ContentRig> {
  return ContentRig.open(t, [WHOLE], measure, { route: byPath });
}

/** An upload that stops behind so many bytes, all of which are kept. */
async function stall(content: ContentRig, path: string, bytes: number): Promise<ReturnType<ContentRig["begin"]>> {
  const held = content.rig.kept.bytes;
  const headers = { "content-length": String(bytes + 1) };
  const upload = content.begin({ method: "POST", path, headers });
  upload.write(Buffer.alloc(bytes));
  await eventually(() => content.rig.kept.bytes === held + bytes, { what: `${bytes} bytes of ${path}` });
  return upload;
}

test("a body that cannot have room is refused before it is sent, one that turns out not to on the way", async (t) => {
  const content = await openRooms(t);
  const known = content.begin({
    method: "POST",
    path: "/a/a",
    headers: { "content-length": String(MOST + 1), expect: "100-continue" },
  });
  known.flushHeaders();
  const [response] = (await once(known, "response")) as [IncomingMessage];
  assert.equal((await receive(response)).status, 503);
  const chunked = { "transfer-encoding": "chunked" };
  const answer = await content.ask({ method: "POST", path: "/a/a", headers: chunked, body: Buffer.alloc(MOST + 1) });
  assert.equal(answer.status, 503);
  for (const { flag, details } of content.rig.records) assert.deepEqual([flag, details], ["OM", "request-bodies-full"]);
  assert.deepEqual(content.rig.counts.unkept, ["whole", "whole"]);
  assert.deepEqual([content.rig.kept.bytes, content.rig.counts.keptBytes, content.seen.length], [0, 0, 0]);
});

test("slow uploads to one route leave room for whole bodies of others, and for all of their retries", async (t) => {
  const content = await openRooms(t);
  const slow = [await stall(content, "/a/a", 7_000_000), await stall(content, "/a/a", 4_000_000)];
  const own = await content.ask({ method: "POST", path: "/a/a", body: Buffer.alloc(1_000_000) });
  assert.equal(own.status, 503);
  const other = await content.ask({ method: "POST", path: "/b/b", body: Buffer.alloc(5_000_000) });
  assert.deepEqual([other.status, String(other.body)], [200, "5000000"]);
  const overHttp2 = await content.askHttp2({ method: "POST", path: "/c/c", body: Buffer.alloc(5_000_000) });
  assert.deepEqual([overHttp2.status, String(overHttp2.body)], [200, "5000000"]);
  assert.equal(content.rig.kept.retry.held, 0);
  for (const upload of slow) upload.destroy();
  await eventually(() => content.rig.kept.bytes === 0, { what: "room" });
  const [warning = "", ...more] = content.rig.warnings;
  assert.equal(more.length, 0);
  assert.match(warning, /^no room to keep request bodies .*HTTPRoute\/a\/a.*answered 503/);
});

test("a body that has no room is not sent again, and passes all the same", async (t) => {
  const retry = compileRetry({ attempts: 1, on: [], statuses: [503], backoff: { least: 0, base: 1, max: 1 } });
  const options: RigOptions = { route: byPath, rule: { retry } };
  const fail = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    incoming.resume();
    incoming.on("end", () => outgoing.writeHead(503).end());
  };
  const content = await ContentRig.open(t, [], fail, options);
  const { retry: room } = content.rig.kept;
  const held = room.open("HTTPRoute/a/a");
  while (held.take(1000));
  const ask = async (path: string): Promise<number> => {
    const before = content.seen.length;
    let status = 0;
    const asked = content.ask({ method: "POST", path, body: Buffer.alloc(2000) });
    void asked.then((answer) => (status = answer.status));
    // the wait before a retry
    await eventually(() => (content.rig.advance(4), status === 503), { what: "the answer" });
    return content.seen.length - before;
  };
  assert.deepEqual([await ask("/a/a"), await ask("/b/b")], [1, 2]);
  assert.deepEqual(content.rig.counts.unkept, ["retry"]);
  assert.match(content.rig.warnings[0] ?? "", /no room .*not tried again/);
  held.close();
  assert.equal(await ask("/a/a"), 2);
});

test("pipelined bodies have their room one after the other, and lose it with their client", async (t) => {
  const content = await openRooms(t);
  const client = await content.rig.client();
  const post = (length: number): string => `POST /a/a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
  await client.send(`${post(5)}hello${post(3)}abc${post(9)}begun`);
  await eventually(() => content.rig.kept.bytes === 5 && content.rig.records.length === 2, { what: "the third" });
  client.close();
  await eventually(() => content.rig.records.length === 3, { what: "the end" });
  assert.deepEqual([content.rig.kept.bytes, content.rig.records[2]?.flag], [0, "DC"]);
});
