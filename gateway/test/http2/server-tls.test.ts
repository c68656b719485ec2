/** An HTTP/2 server over TLS, where every write is reported a turn later: large and many bodies, and clients that go or stall. */
import assert from "node:assert/strict";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { before, test, type TestContext } from "node:test";
import { createSelfSigned, type CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { toResponseHead, type ResponseHead } from "../../src/head/response-head.ts";
import { HandUpstream, type HandStream } from "../codec/hand-upstream.ts";
import { openHttp2Rig, type Http2Rig } from "./rig.ts";

let tls: CertifiedKey;
before(async () => {
  tls = await createSelfSigned({ names: ["a.test"] });
});

const PIECE = "0123456789abcdef".repeat(4000);
const head = (length: number): ResponseHead => toResponseHead({ status: 200, headers: [["date", "x"]] }, length);

interface Trio {
  readonly rig: Http2Rig;
  readonly upstream: HandUpstream;
  readonly session: ClientHttp2Session;
}

async function open(t: TestContext, ways: "tuned" | "documented"): Promise<Trio> {
  const upstream = new HandUpstream();
  const rig = await openHttp2Rig(t, { cluster: upstream, ways, tls });
  const session = connect(`https://127.0.0.1:${rig.port}`, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return { rig, upstream, session };
}

function get(session: ClientHttp2Session): { stream: ClientHttp2Stream; text: string; ended: boolean } {
  const stream = session.request({ ":path": "/" });
  const seen = { stream, text: "", ended: false };
  stream.setEncoding("latin1");
  stream.on("data", (text: string) => (seen.text += text));
  stream.on("end", () => (seen.ended = true));
  stream.on("error", () => undefined);
  return seen;
}

/** Sends so many pieces as its client takes them; returns how many are sent now. */
function pour(stream: HandStream, count: number): () => number {
  let sent = 0;
  const more = (): void => {
    while (sent < count) {
      sent++;
      if (stream.piece(PIECE) === "full") return;
    }
    if (stream.receiver !== undefined) stream.finish();
  };
  stream.begin(head(count * PIECE.length), "length");
  stream.onResume = more;
  more();
  return () => sent;
}

for (const ways of ["tuned", "documented"] as const) {
  test(`HTTP/2 over TLS: large bodies pass both ways at once, unchanged (${ways})`, async (t) => {
    const { upstream, session } = await open(t, ways);
    const down = get(session);
    pour(await upstream.next(), 40);
    const up = session.request({ ":method": "POST", ":path": "/" });
    up.resume().end(PIECE.repeat(40));
    const stream = await upstream.next();
    await eventually(() => stream.ended && down.ended, { within: 60_000 });
    assert.ok(down.text === PIECE.repeat(40) && stream.content === PIECE.repeat(40));
    stream.answer(head(5), "length", ["hello"]);
    await eventually(() => up.closed);
  });

  test(`HTTP/2 over TLS: a thousand small answers are each their own (${ways})`, async (t) => {
    const { rig, upstream, session } = await open(t, ways);
    for (let round = 0; round < 10; round++) {
      const requests = Array.from({ length: 100 }, () => get(session));
      for (let i = 0; i < 100; i++) {
        const text = String(round * 100 + i).padStart(5, "0");
        (await upstream.next()).answer(head(5), "length", [text]);
      }
      await eventually(() => requests.every(({ ended }) => ended));
      const texts = requests.map(({ text }) => text);
      assert.deepEqual(
        texts,
        requests.map((_, i) => String(round * 100 + i).padStart(5, "0")),
      );
    }
    assert.equal(rig.records.length, 1000);
  });

  test(`HTTP/2 over TLS: a client that goes in the middle of a write, or stalls, leaves nothing behind (${ways})`, async (t) => {
    const { rig, upstream, session } = await open(t, ways);
    const stalled = get(session);
    stalled.stream.pause();
    const sent = pour(await upstream.next(), 400);
    assert.ok(sent() < 400, "it never filled up");
    // others go on beside it
    const other = get(session);
    (await upstream.next()).answer(head(5), "length", ["hello"]);
    await eventually(() => other.text === "hello");
    const cut = get(session);
    const stream = await upstream.next();
    pour(stream, 400);
    await eventually(() => cut.text.length > 0);
    session.destroy();
    await eventually(() => rig.servers[0]?.streams.size === 0);
    assert.ok(stream.cancelled === 1 || cut.ended);
    assert.equal(rig.records.length, 3);
  });
}
