/** Compressed answers to clients of HTTP/2 that take a hundred bytes at a time: nothing else buffers what they do not take. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type ClientHttp2Stream } from "node:http2";
import { test, type TestContext } from "node:test";
import type { CompressionPolicy } from "@sallyport/model/policy";
import { eventually } from "@sallyport/testkit/eventually";
import { settled } from "../pouring.ts";
import { closeOf, contentOf, ContentRig } from "./rig.ts";

const POLICY: CompressionPolicy = {
  kind: "compression",
  codings: [{ name: "gzip" }],
  minimumLength: 0,
  contentTypes: ["text/*"],
};
const WINDOW = 100;

/** Asks for an answer, and reads nothing of it yet; resolves with its head. */
async function askNarrowly(t: TestContext, { rig }: ContentRig): Promise<ClientHttp2Stream> {
  const session = connect(`http://127.0.0.1:${rig.port}`, { settings: { initialWindowSize: WINDOW } });
  t.after(() => session.destroy());
  session.on("error", () => undefined);
  const stream = session.request({ "accept-encoding": "gzip" });
  stream.on("error", () => undefined);
  const [headers] = (await once(stream, "response")) as [Record<string, string>];
  assert.equal(headers["content-encoding"], "gzip");
  return stream;
}

async function readAll(stream: ClientHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  await closeOf(stream);
  return contentOf({ headers: { "content-encoding": "gzip" }, body: Buffer.concat(pieces) });
}

test("what waits for a client is bounded, however much its server has to say", async (t) => {
  let sent = 0;
  const content = await ContentRig.open(t, [POLICY], (_, outgoing) => {
    outgoing.on("error", () => undefined);
    outgoing.writeHead(200, { "content-type": "text/plain" });
    const more = (): void => {
      while (sent < 60_000_000) {
        sent += 65_536;
        if (!outgoing.write(randomBytes(65_536))) return;
      }
    };
    outgoing.on("drain", more);
    more();
  });
  const stream = await askNarrowly(t, content);
  const held = await settled(() => sent);
  assert.ok(held < 30_000_000);
  const closed = closeOf(stream);
  stream.destroy();
  await closed;
});

test("a source that was paused for a client goes on when that reads", async (t) => {
  const answers: ServerResponse[] = [];
  const pieces = Array.from({ length: 12 }, () => randomBytes(1000));
  const content = await ContentRig.open(t, [POLICY], (incoming, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/plain" });
    if (incoming.url === "/turn") outgoing.end();
    else {
      answers.push(outgoing);
      outgoing.write(pieces[0]);
    }
  });
  const stream = await askNarrowly(t, content);
  for (const piece of pieces.slice(1)) {
    answers[0]?.write(piece);
    // each is read in a turn of its own, in which the client takes nothing
    await content.ask({ path: "/turn" });
  }
  answers[0]?.end();
  assert.ok((await readAll(stream)).equals(Buffer.concat(pieces)));
});

test("a connection that serves another request by now is not that of the answer any more", async (t) => {
  const body = randomBytes(30_000);
  const answers: ServerResponse[] = [];
  const content = await ContentRig.open(t, [POLICY], (incoming, outgoing) => {
    if (incoming.url === "/next") answers.push(outgoing);
    else outgoing.writeHead(200, { "content-type": "text/plain", "content-length": "30000" }).end(body);
  });
  const stream = await askNarrowly(t, content);
  await eventually(() => content.rig.cluster.idle.length === 1, { what: "the connection to be idle" });
  const next = content.ask({ path: "/next" });
  await eventually(() => answers.length === 1, { what: "the next request" });
  const closed = closeOf(stream);
  stream.destroy();
  await closed;
  await eventually(() => content.rig.records[0], { what: "the end of the first" });
  answers[0]?.end("well");
  assert.equal(String((await next).body), "well");
  assert.equal(content.rig.cluster.opened, 1);
});
