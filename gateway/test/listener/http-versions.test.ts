/** Which version of HTTP a connection speaks: by its first bytes in the clear, by ALPN inside TLS, and by nothing else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { before, test, type TestContext } from "node:test";
import { createAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import type { RawClient } from "@sallyport/testkit/raw-client";
import fc from "fast-check";
import { PREFACE } from "../../src/http2/frames.ts";
import { answer, OK, openPair } from "../http1/pair.ts";
import { recordOf, type Rig } from "../http1/rig.ts";
import { connectTls, converse, earnSession, isServed, sendRaw } from "./front.ts";
import { FLIGHT, readReply } from "./http2-flight.ts";
import { toChain, toTermination, toTls } from "./tls-ways.ts";

const TRUSTED = { trusted: ["127.0.0.0/8"], required: true };
const HEADER = "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n";
const BOTH = ["h2", "http/1.1"];
let certificate: CertifiedKey;

before(async () => {
  certificate = await (await createAuthority()).issue({ names: ["a.test"] });
});

const secure = (): ReturnType<typeof toTls> =>
  toTls({ "a.test": toChain(toTermination([certificate], { applicationProtocols: BOTH })) });

/** Text, and where to cut it. */
type Pieces = readonly [text: string, cuts: readonly number[]];

/** Sends text cut in these places; each piece is read before the next is sent. */
async function sendPieces(t: TestContext, { port }: Rig, client: RawClient, [text, cuts]: Pieces): Promise<void> {
  let at = 0;
  for (const cut of [...cuts, text.length]) {
    await client.send(text.slice(at, cut));
    at = cut;
    // another connection was served meanwhile
    if (at < text.length) await sendRaw(t, port, "\0");
  }
}

for (const sockets of ["tuned", "documented"] as const) {
  for (const header of ["", HEADER]) {
    const where = `${header === "" ? "" : "behind a PROXY header "}(${sockets})`;

    test(`HTTP/2 is known by its preface, however its bytes come ${where}`, async (t) => {
      const proxied = header === "" ? {} : { proxyProtocol: { trusted: ["127.0.0.0/8"], required: false } };
      const { rig } = await openPair(t, answer(OK), { ...proxied, sockets });
      const text = header + FLIGHT.toString("latin1");
      const cuts = fc.uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(cuts, async (places) => {
          const client = await rig.client();
          await sendPieces(t, rig, client, [text, places.toSorted((one, other) => one - other)]);
          await client.signal.require(() => readReply(client.received).answered, 2000, "an answer");
          assert.ok(readReply(client.received).began);
          client.close();
        }),
        { numRuns: 30 },
      );
      assert.deepEqual(rig.bugs, []);
    });

    test(`a preface comes byte by byte ${where}`, async (t) => {
      const proxied = header === "" ? {} : { proxyProtocol: TRUSTED };
      const { rig } = await openPair(t, answer(OK), { ...proxied, sockets });
      const client = await rig.client();
      const text = header + FLIGHT.toString("latin1");
      await sendPieces(t, rig, client, [text, Array.from({ length: text.length - 1 }, (_, at) => at + 1)]);
      await client.signal.require(() => readReply(client.received).answered, 2000, "an answer");
      client.close();
    });
  }
}

for (const method of ["POST", "PUT", "PATCH", "PROPFIND", "PRI"]) {
  test(`a ${method} that comes in pieces is a request of HTTP/1.1`, async (t) => {
    const { rig, upstream } = await openPair(t, answer(OK));
    const text = `${method} /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
    for (const cuts of [[], [1], [2], [3], [4], [1, 2, 3, 4]]) {
      const client = await rig.client();
      await sendPieces(t, rig, client, [text, cuts]);
      await client.signal.require(() => client.responses.length === 1, 2000, "an answer");
      assert.equal(client.responses[0]?.status, 200);
      client.close();
    }
    assert.ok(upstream.requests.every(({ message }) => message.method === method));
  });
}

test("half a preface and something else is a broken request of HTTP/1.1", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK));
  for (let length = 1; length < PREFACE.length; length++) {
    for (const cuts of [[], [length]]) {
      const client = await rig.client();
      await sendPieces(t, rig, client, [`${PREFACE.slice(0, length)}\0\r\n\r\n`, cuts]);
      await client.signal.require(() => client.state !== "open", 2000, "the end");
      assert.match(String(client.responses[0]?.status), /^(400|505)$/, `after ${length} bytes`);
      client.close();
    }
  }
  assert.equal(upstream.requests.length, 0);
});

test("a preface that does not come to its end is late like any head", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { headTimeout: 1000, idleTimeout: 60_000 } });
  const client = await rig.client();
  await client.send(PREFACE.slice(0, 10));
  await sendRaw(t, rig.port, "\0");
  rig.advance(500);
  // it is the first byte that counts
  await client.send(PREFACE.slice(10, 12));
  await sendRaw(t, rig.port, "\0");
  rig.advance(1000);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(client.responses[0]?.status, 408);
  assert.equal((await recordOf(rig, 2)).details, "head-timeout");
  client.close();
});

test("a client that says nothing is let go when it has been idle for long, or ends", async (t) => {
  const { rig } = await openPair(t, answer(OK), { http: { idleTimeout: 1000 } });
  const silent = await rig.client();
  const ending = await rig.client();
  const stopped = await rig.client();
  await stopped.send("PRI");
  ending.end();
  stopped.end();
  await Promise.all([ending, stopped].map((client) => client.signal.require(() => client.closed, 2000, "the end")));
  assert.equal(silent.state, "open");
  rig.advance(2000);
  await silent.signal.require(() => silent.state !== "open", 2000, "the end");
});

test("a port that is retired ends clients that say nothing at once, and lets those of HTTP/2 know", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const silent = await rig.client();
  const early = await rig.client();
  const served = await rig.client();
  await early.send(PREFACE.slice(0, 5));
  await served.send(FLIGHT.toString("latin1"));
  await served.signal.require(() => readReply(served.received).answered, 2000, "an answer");
  const retired = rig.bound.retire();
  await silent.signal.require(() => silent.state !== "open", 2000, "the end");
  await served.signal.require(() => readReply(served.received).left, 2000, "GOAWAY");
  await early.send(FLIGHT.toString("latin1").slice(5));
  await early.signal.require(() => readReply(early.received).left, 2000, "GOAWAY");
  await early.signal.require(() => readReply(early.received).answered, 2000, "an answer");
  assert.ok(readReply(early.received).began);
  // neither answers the PING that asks whether it knows
  rig.advance(3000);
  for (const client of [early, served]) await client.signal.require(() => client.state !== "open", 2000, "the end");
  for (const client of [silent, early, served]) client.close();
  await retired;
});

/** A session of HTTP/2 on a TLS connection. */
async function openSession(t: TestContext, rig: Rig, options: object = {}): Promise<ClientHttp2Session> {
  const socket = await connectTls(t, rig.port, { servername: "a.test", ALPNProtocols: BOTH, ...options });
  const session = connectHttp2("https://a.test", { createConnection: () => socket });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return session;
}

/** The status of a request. */
async function ask(session: ClientHttp2Session, fields: Record<string, string> = {}): Promise<number> {
  const stream = session.request({ ":path": "/a", ":authority": "a.test", ...fields });
  const [head] = (await once(stream, "response")) as [{ readonly ":status": number }];
  stream.resume();
  await once(stream, "close");
  return head[":status"];
}

for (const sockets of ["tuned", "documented"] as const) {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`ALPN decides which version is spoken inside ${maxVersion} (${sockets})`, async (t) => {
      const { rig } = await openPair(t, answer(OK), { tls: secure(), sockets });
      const session = await openSession(t, rig, { maxVersion });
      assert.equal(session.alpnProtocol, "h2");
      assert.deepEqual([await ask(session), await ask(session)], [200, 200]);
      assert.equal((await recordOf(rig)).protocol, "HTTP/2");
      session.close();
      for (const ALPNProtocols of [["http/1.1"], ["http/1.0", "http/1.1"], undefined]) {
        const socket = await connectTls(t, rig.port, {
          servername: "a.test",
          maxVersion,
          ...(ALPNProtocols !== undefined && { ALPNProtocols }),
        });
        assert.equal(socket.alpnProtocol, ALPNProtocols === undefined ? false : "http/1.1");
        assert.ok(await isServed(socket));
        socket.destroy();
      }
      assert.deepEqual(rig.bugs, []);
    });
  }
}

test("our order counts: who speaks both is given HTTP/2", async (t) => {
  const { rig } = await openPair(t, answer(OK), { tls: secure() });
  const session = await openSession(t, rig, { ALPNProtocols: ["http/1.1", "h2"] });
  assert.equal(session.alpnProtocol, "h2");
  session.close();
});

test("a client that speaks nothing of ours gets the alert that RFC 7301 asks for", async (t) => {
  const { rig } = await openPair(t, answer(OK), { tls: secure() });
  const options = { servername: "a.test", ALPNProtocols: ["spdy/3.1", "h3"] };
  await assert.rejects(connectTls(t, rig.port, options), { code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL" });
  await eventually(() => rig.bound.connections === 0);
  assert.deepEqual(rig.counts.handshakes, ["failed"]);
});

test("inside TLS a preface without ALPN is a broken request of HTTP/1.1", async (t) => {
  const { rig } = await openPair(t, answer(OK), { tls: secure() });
  for (const ALPNProtocols of [undefined, ["http/1.1"]]) {
    const options = { servername: "a.test", ...(ALPNProtocols !== undefined && { ALPNProtocols }) };
    const socket = await connectTls(t, rig.port, options);
    assert.match(await converse(socket, PREFACE, "never"), /^HTTP\/1\.1 505 /);
  }
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a session of ${version} is resumed whatever protocol it was earned under`, async (t) => {
    const { rig } = await openPair(t, answer(OK), { tls: secure() });
    const options = { servername: "a.test", minVersion: version, maxVersion: version };
    const session = await earnSession(t, rig.port, options);
    const resumed = await openSession(t, rig, { ...options, session });
    assert.equal(resumed.alpnProtocol, "h2");
    assert.equal(await ask(resumed), 200);
    resumed.close();
    assert.deepEqual(rig.counts.handshakes, ["full", "resumed"]);
  });
}

test("a connection of HTTP/2 ends with its port, and its requests are finished first", async (t) => {
  const { rig, upstream } = await openPair(t, () => ({ when: "complete", steps: [] }), { tls: secure() });
  const session = await openSession(t, rig);
  const stream = session.request({ ":path": "/a", ":authority": "a.test" });
  await upstream.signal.require(() => upstream.requests.length === 1, 2000, "the request");
  const left = once(session, "goaway");
  const retired = rig.bound.retire();
  await left;
  assert.equal(rig.bound.connections, 1);
  upstream.connections[0]?.socket.write(OK);
  const [head] = (await once(stream, "response")) as [{ readonly ":status": number }];
  stream.resume();
  assert.equal(head[":status"], 200);
  await retired;
});
