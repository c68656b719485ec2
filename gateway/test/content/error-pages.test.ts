/** Answers that are replaced, over real sockets: whose, by what, and what becomes of the body that nobody wants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompressionPolicy, ResponseOverridePolicy } from "@sallyport/model/policy";
import { toPageKey } from "./pages.ts";
import { contentOf, ContentRig, say, toText } from "./rig.ts";

type Override = ResponseOverridePolicy["overrides"][number];

const PAGE: Override = {
  statuses: [
    { from: 404, to: 404 },
    { from: 500, to: 599 },
  ],
  source: "any",
  headers: [],
  page: toPageKey("text/html", "<h1>%STATUS% %REASON%</h1><p>%REQUEST_ID%</p>"),
};
const GZIP: CompressionPolicy = {
  kind: "compression",
  codings: [{ name: "gzip" }],
  minimumLength: 0,
  contentTypes: ["text/html"],
};

function override(...overrides: readonly Partial<Override>[]): ResponseOverridePolicy {
  return { kind: "response-override", overrides: overrides.map((parts) => ({ ...PAGE, ...parts })) };
}

/** Keeps the body. */
function restate(parts: Partial<Override>): ResponseOverridePolicy {
  const { page: _, ...rest } = PAGE;
  return { kind: "response-override", overrides: [{ ...rest, ...parts }] };
}

test("an answer of a status of the list is replaced, others are not", async (t) => {
  const fields = { etag: '"x"', "content-language": "de", "set-cookie": "a=b", "retry-after": "5" };
  const content = await ContentRig.open(t, [override({})], (incoming, outgoing) => {
    const status = Number(incoming.url?.slice(1));
    say("secret stack", fields, status)(incoming, outgoing);
  });
  for (const path of ["/404", "/503"]) {
    for (const answer of [await content.ask({ path }), await content.askHttp2({ path })]) {
      const { headers, status } = answer;
      assert.equal(String(status), path.slice(1));
      const id = /<p>([0-9a-f-]{36})<\/p>/.exec(String(answer.body));
      assert.ok(id !== null);
      assert.match(String(answer.body), status === 404 ? /<h1>404 Not Found/ : /<h1>503 Service Unavailable/);
      assert.equal(Number(headers["content-length"]), answer.body.length);
      assert.equal(headers["content-type"], "text/html; charset=utf-8");
      assert.deepEqual([headers.etag, headers["content-language"]], [undefined, undefined]);
      assert.deepEqual([headers["set-cookie"], headers["retry-after"]], [["a=b"], "5"]);
    }
  }
  assert.equal(String((await content.ask({ path: "/403" })).body), "secret stack");
  assert.ok(content.rig.records.slice(0, 4).every(({ details }) => details === "via_upstream"));
});

test("whose answers are replaced is a matter of the source", async (t) => {
  const policies = [
    override({ source: "local", status: 502 }, { source: "upstream", headers: [{ name: "x-of", value: "them" }] }),
  ];
  const content = await ContentRig.open(t, policies, say("no", {}, 503));
  const theirs = await content.ask();
  assert.deepEqual([theirs.status, theirs.headers["x-of"]], [503, "them"]);
  content.rig.cluster.refuseWith = "no-endpoints";
  const ours = await content.ask();
  assert.deepEqual([ours.status, ours.headers["x-of"]], [502, undefined]);
  assert.match(String(ours.body), /502 Bad Gateway/);
  const [, record] = content.rig.records;
  assert.deepEqual([record?.status, record?.flag, record?.details], [502, "UH", "no-endpoints"]);
});

test("replies of other filters are replaced, too", async (t) => {
  const share = { numerator: 1, denominator: 1 };
  const content = await ContentRig.open(t, [override({}), { kind: "fault", abort: { share, status: 555 } }], say("x"));
  const answer = await content.ask();
  assert.deepEqual([answer.status, String(answer.body).startsWith("<h1>555 ")], [555, true]);
});

test("a status and headers change without the body", async (t) => {
  const parts = { status: 200, headers: [{ name: "X-Was", value: "ä" }] };
  const content = await ContentRig.open(t, [restate(parts)], say(toText(100_000), { etag: '"x"' }, 500));
  const answer = await content.ask();
  assert.deepEqual([answer.status, answer.headers["x-was"], answer.headers.etag], [200, "Ã¤", '"x"']);
  assert.ok(answer.body.equals(toText(100_000)));
  assert.equal(content.rig.records[0]?.status, 200);
});

test("a status that has no body ends one, and one that has gets an empty one", async (t) => {
  const to = (status: number, from: number) => restate({ status, statuses: [{ from, to: from }] });
  const content = await ContentRig.open(t, [to(204, 500), to(200, 304)], (incoming, outgoing) => {
    if (incoming.url === "/gone") say("words", {}, 500)(incoming, outgoing);
    // the length of what a 200 would have
    else outgoing.socket?.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
  });
  const gone = await content.ask({ path: "/gone" });
  assert.deepEqual([gone.status, gone.body.length, gone.headers["content-length"]], [204, 0, undefined]);
  const empty = await content.ask({ path: "/same" });
  assert.deepEqual([empty.status, empty.body.length, empty.headers["content-length"]], [200, 0, "0"]);
});

test("HEAD is told the length of the page that it does not get", async (t) => {
  const content = await ContentRig.open(t, [override({})], say("", {}, 500));
  const [head, page] = [await content.ask({ method: "HEAD" }), await content.ask()];
  assert.deepEqual([head.headers["content-length"], head.body.length], [String(page.body.length), 0]);
});

test("a call of gRPC is left alone", async (t) => {
  const content = await ContentRig.open(t, [override({})], say("no", { "content-type": "application/grpc" }, 503));
  const answer = await content.askHttp2({
    method: "POST",
    headers: { "content-type": "application/grpc", te: "trailers" },
  });
  assert.equal(String(answer.body), "no");
});

test("a page is compressed like any answer, short or long, also where it is ours", async (t) => {
  const text = String(toText(50_000));
  const long = override({ page: toPageKey("text/html", text) });
  const short = override({ statuses: [{ from: 400, to: 404 }] });
  const content = await ContentRig.open(t, [GZIP, short, long], (incoming, outgoing) =>
    say("x", {}, Number(incoming.url?.slice(1)))(incoming, outgoing),
  );
  const asked = { headers: { "accept-encoding": "gzip" } };
  const page = await content.ask({ path: "/404", ...asked });
  assert.match(String(contentOf(page)), /404 Not Found/);
  assert.equal(page.headers["content-length"], String(page.body.length));
  content.rig.cluster.refuseWith = "no-endpoints";
  for (const answer of [await content.ask(asked), await content.askHttp2(asked)]) {
    assert.deepEqual([answer.status, answer.headers["content-encoding"]], [503, "gzip"]);
    assert.equal(String(contentOf(answer)), text);
  }
  assert.equal(content.rig.records[1]?.details, "no-endpoints");
});

test("the connection carries on behind a short body that nobody wants, and a long one is given up", async (t) => {
  const content = await ContentRig.open(t, [override({})], (incoming, outgoing) =>
    say(toText(Number(incoming.url?.slice(1))), {}, 500)(incoming, outgoing),
  );
  for (const path of ["/100", "/20000", "/100"]) assert.match(String((await content.ask({ path })).body), /^<h1>500/);
  assert.equal(content.rig.cluster.opened, 1);
  assert.match(String((await content.ask({ path: "/20000000" })).body), /^<h1>500/);
  assert.match(String((await content.ask({ path: "/100" })).body), /^<h1>500/);
  assert.equal(content.rig.cluster.opened, 2);
});

test("an upload that was answered early gets the page, and its connection ends", async (t) => {
  const content = await ContentRig.open(t, [override({})], (_, outgoing) => {
    outgoing.writeHead(500, { "content-type": "text/plain" });
    outgoing.end("no");
  });
  const client = await content.rig.client();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
  await client.signal.require(() => client.state !== "open", 5000, "the end of the connection");
  assert.match(client.received, /^HTTP\/1\.1 500 [^]*connection: close[^]*<h1>500/i);
});

test("what a trusted client calls its request is text in a page, and no markup", async (t) => {
  const http = { trustedHops: 1 };
  const content = await ContentRig.open(t, [override({})], say("x", {}, 500), { http });
  const answer = await content.ask({
    headers: { "x-request-id": "<script>alert(1)</script>", "x-forwarded-for": "1.2.3.4" },
  });
  assert.match(String(answer.body), /&lt;script&gt;/);
});
