import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { TlsWriter } from "./tls-write.ts";

interface Pair {
  /** The end that is written to by a TlsWriter. */
  readonly server: TLSSocket;
  readonly client: TLSSocket;
}

async function openPair(t: TestContext): Promise<Pair> {
  const listener = createServer({ ...(await createSelfSigned({ names: ["a.test"] })), allowHalfOpen: true });
  const accepted = once(listener, "secureConnection");
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  const [server] = (await accepted) as [TLSSocket];
  for (const socket of [server, client]) {
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
  }
  t.after(() => listener.close());
  return { server, client };
}

function openWriter({ server }: Pair, onDrain = (): void => undefined): TlsWriter {
  const writer = TlsWriter.of(server, onDrain);
  assert.ok(writer !== undefined, "this Node allows it");
  return writer;
}

/** Everything the client reads, as it comes. */
function collect({ client }: Pair): { text: string; ended: boolean } {
  const seen = { text: "", ended: false };
  client.on("data", (bytes: Buffer) => (seen.text += bytes.toString("latin1")));
  client.on("end", () => (seen.ended = true));
  return seen;
}

test("texts of one turn come in order, and the end behind them", async (t) => {
  const pair = await openPair(t);
  const writer = openWriter(pair);
  const seen = collect(pair);
  const texts = Array.from({ length: 40 }, (_, index) => `${index};`.repeat(index));
  for (const text of texts) assert.equal(writer.write(text), true);
  assert.equal(writer.busy, true);
  assert.equal(writer.end(), true);
  await eventually(() => seen.ended);
  assert.equal(seen.text, texts.join(""));
  assert.equal(writer.busy, false);
});

test("what is too long for it is left to the socket, and what follows waits for neither", async (t) => {
  const pair = await openPair(t);
  const writer = openWriter(pair);
  const seen = collect(pair);
  const long = "x".repeat(100_000);
  assert.equal(writer.write(long), false, "the caller has to");
  assert.equal(writer.write("first"), true);
  // kept, and grown too long for one write
  assert.equal(writer.write(long), true);
  assert.equal(writer.clogged, true);
  await eventually(() => seen.text.length === long.length + 5);
  assert.equal(seen.text, `first${long}`);
  await eventually(() => pair.server.writableLength === 0);
  pair.server.write("by the socket");
  assert.equal(writer.write("not beside it"), false);
});

test("a reader that stalls clogs it, and its drain is told once it reads again", async (t) => {
  const pair = await openPair(t);
  let drained = 0;
  const writer = openWriter(pair, () => drained++);
  const piece = "y".repeat(16_000);
  let sent = 0;
  await eventually(
    () => {
      while (!writer.clogged && sent < 4000) {
        assert.equal(writer.write(piece), true);
        sent++;
      }
      return writer.clogged && pair.server.bytesWritten > 0 && drained === 0 && sent < 4000;
    },
    { what: "the connection to clog" },
  );
  const before = drained;
  const seen = collect(pair);
  await eventually(() => drained > before && !writer.clogged);
  await eventually(() => seen.text.length === sent * piece.length);
});

test("requests are used again by other sockets, also when a socket goes while its write is out", async (t) => {
  const pairs = await Promise.all(Array.from({ length: 4 }, () => openPair(t)));
  const writers = pairs.map((pair) => openWriter(pair));
  const seen = pairs.map(collect);
  for (let round = 0; round < 50; round++) {
    for (const writer of writers) assert.equal(writer.write(`${round},`), true);
    if (round === 25) {
      pairs[0]?.server.destroy();
      writers.shift();
      seen.shift();
    }
    await eventually(() => writers.every((writer) => !writer.busy));
  }
  const all = Array.from({ length: 50 }, (_, round) => `${round},`).join("");
  for (const one of seen) await eventually(() => one.text === all);
});
