/** From accept to where a connection is served: PROXY headers, ClientHellos, what is no TLS, the time there is for all of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { connect } from "node:tls";
import { createAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { buildClientHello, connectPiecewise } from "@sallyport/testkit/raw-tls";
import { answer, fieldOf, GET, OK, openPair } from "../http1/pair.ts";
import { openRig, recordOf, type Rig } from "../http1/rig.ts";
import { connectTls, converse, isServed, openEcho, sendRaw, toStreamRoute } from "./front.ts";
import { toChain, toTermination, toTls } from "./tls-ways.ts";

let certificate: CertifiedKey;
const TRUSTED = { trusted: ["127.0.0.0/8"], required: true };
const HEADER = "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n";

before(async () => {
  certificate = await (await createAuthority()).issue({ names: ["a.test"] });
});

const secure = (): ReturnType<typeof toTls> => toTls({ "a.test": toChain(toTermination([certificate])) });

for (const sockets of ["tuned", "documented"] as const) {
  test(`a hello in pieces, behind a PROXY header in the same segment (${sockets})`, async (t) => {
    const { rig, upstream } = await openPair(t, answer(OK), { tls: secure(), proxyProtocol: TRUSTED, sockets });
    for (const cuts of [[], [1], [5], [200], [3, 50, 600]]) {
      const socket = connectPiecewise({
        port: rig.port,
        prefix: Buffer.from(HEADER),
        cuts,
        // another connection was served meanwhile: the piece has been read
        between: () => sendRaw(t, rig.port, "nonsense"),
        servername: "a.test",
        rejectUnauthorized: false,
      });
      await once(socket, "secureConnect");
      assert.ok(await isServed(socket));
      socket.destroy();
    }
    const record = await recordOf(rig);
    assert.equal(record.downstreamRemote, "192.0.2.1:4660");
    assert.equal(record.downstreamLocal, "198.51.100.2:443");
    assert.match(record.downstreamPeer, /^127\.0\.0\.1:/);
    assert.equal(record.tls?.serverName, "a.test");
    assert.equal(fieldOf(upstream.connections[0]?.received ?? "", "x-forwarded-for"), "192.0.2.1");
    assert.deepEqual(rig.counts.handshakes, ["full", "full", "full", "full", "full"]);
    assert.deepEqual(rig.bugs, []);
  });

  test(`plain HTTP behind a PROXY header, cut anywhere (${sockets})`, async (t) => {
    const { rig } = await openPair(t, answer(OK), { proxyProtocol: TRUSTED, sockets });
    const bytes = `${HEADER}${GET}${GET}`;
    for (const cut of [0, 3, HEADER.length, HEADER.length + 2, bytes.length]) {
      const client = await rig.client();
      await client.send(bytes.slice(0, cut));
      await sendRaw(t, rig.port, "nonsense");
      await client.send(bytes.slice(cut));
      await client.signal.require(() => client.responses.length === 2, 2000, "two answers");
      client.close();
    }
    assert.equal((await recordOf(rig, 9)).downstreamRemote, "192.0.2.1:4660");
  });
}

test("a trusted peer must send a header where it is required, and may where it is not", async (t) => {
  const { rig } = await openPair(t, answer(OK), { proxyProtocol: TRUSTED });
  assert.equal((await sendRaw(t, rig.port, GET)).length, 0);
  assert.equal((await sendRaw(t, rig.port, "PROXY TCP4 nonsense\r\n")).length, 0);
  rig.change({ proxyProtocol: { ...TRUSTED, required: false } });
  for (const text of [GET, HEADER + GET]) {
    const client = await rig.client();
    await client.send(text);
    await client.signal.require(() => client.responses.length === 1, 2000, "an answer");
    client.close();
  }
  assert.match((await recordOf(rig, 0)).downstreamRemote, /^127\.0\.0\.1:/);
  assert.equal((await recordOf(rig, 1)).downstreamRemote, "192.0.2.1:4660");
});

test("what begins like a header and is none is the client's own", async (t) => {
  const { rig } = await openPair(t, answer(OK), { proxyProtocol: { ...TRUSTED, required: false } });
  const client = await rig.client();
  await client.send("P");
  await sendRaw(t, rig.port, "\0");
  await client.send("OST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  await client.signal.require(() => client.responses.length === 1, 2000, "an answer");
  assert.equal((await recordOf(rig, 0)).status, 400);
  assert.deepEqual([(await recordOf(rig, 1)).method, (await recordOf(rig, 1)).bytesReceived], ["POST", 2]);
  client.close();
});

test("the header of a stranger is not interpreted", async (t) => {
  const { rig, upstream } = await openPair(t, answer(OK), {
    proxyProtocol: { trusted: ["192.0.2.0/24"], required: true },
  });
  const client = await rig.client();
  await client.send(HEADER + GET);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  // read as a request it is no HTTP, and such a client gets no answer
  assert.equal(client.responses.length, 0);
  client.close();
  assert.equal(upstream.requests.length, 0);
  const record = await recordOf(rig);
  assert.match(record.downstreamRemote, /^127\.0\.0\.1:/);
  assert.deepEqual([record.status, record.details], [0, "invalid version"]);
});

test("a server name nobody serves is closed without an alert", async (t) => {
  const passed = toChain(undefined, { carries: "stream" });
  const tls = toTls({ "a.test": toChain(toTermination([certificate])), "passed.test": passed });
  const rig = await openRig(t, { tls });
  for (const hello of [
    buildClientHello({ names: [{ name: "b.test" }] }),
    buildClientHello(),
    buildClientHello({ names: [{ name: "passed.test" }] }),
    buildClientHello({ names: [{ name: "a.test." }] }),
  ])
    assert.equal((await sendRaw(t, rig.port, hello)).length, 0);
  await eventually(() => rig.bound.connections === 0);
  assert.deepEqual(rig.counts.handshakes, ["refused", "refused", "refused", "failed"]);
});

test("clients that are silent, or slow in any stage, are closed in time", async (t) => {
  const rig = await openRig(t, {
    tls: secure(),
    proxyProtocol: { ...TRUSTED, required: false },
    bind: { timeLimit: 500 },
  });
  const hello = buildClientHello({ names: [{ name: "a.test" }] });
  const starts = ["", "PROXY ", HEADER, `${HEADER}\x16`, hello.subarray(0, 60).toString("latin1"), "GE"];
  const clients = await Promise.all(starts.map(() => rig.client()));
  await Promise.all(clients.map((client, at) => client.send(starts[at] ?? "")));
  // it is let in, answers, and hears no more
  const half = await rig.client();
  await half.send(buildHandshakeStart());
  await half.signal.require(() => half.received.length > 0, 2000, "the server's first flight");
  await eventually(() => rig.bound.connections === 7);
  rig.advance(250);
  await sendRaw(t, rig.port, "\0");
  assert.equal(rig.bound.connections, 7);
  rig.advance(1000);
  await eventually(() => rig.bound.connections === 0);
  assert.deepEqual(rig.bugs, []);
});

/** A hello that a server answers: OpenSSL's groups and a key share are missing, so it asks again. */
function buildHandshakeStart(): string {
  const groups = Buffer.from([0, 10, 0, 4, 0, 2, 0, 0x1d]);
  const signatures = Buffer.from([0, 13, 0, 4, 0, 2, 0x04, 0x03]);
  const versions = Buffer.from([0, 43, 0, 3, 2, 3, 4]);
  const shares = Buffer.from([0, 51, 0, 2, 0, 0]);
  const extensions = [groups, signatures, versions, shares];
  return buildClientHello({ names: [{ name: "a.test" }], extensions }).toString("latin1");
}

test("a client that ends before it asked for anything is let go at once", async (t) => {
  const rig = await openRig(t, { tls: secure() });
  for (const start of ["", "\x16\x03", buildHandshakeStart()]) {
    const client = await rig.client();
    await client.send(start);
    client.end();
    await client.signal.require(() => client.state !== "open", 2000, "the end");
  }
  await eventually(() => rig.bound.connections === 0);
});

test("a client that ends its direction behind its last byte still gets the answer", async (t) => {
  const { rig } = await openPair(t, answer(OK), { tls: secure() });
  const socket = connect({ port: rig.port, host: "127.0.0.1", servername: "a.test", rejectUnauthorized: false });
  t.after(() => socket.destroy());
  let received = "";
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString("latin1");
  });
  // in one segment with the end of the handshake
  socket.end("GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await eventually(() => received.endsWith("ok"), { what: "the answer" });
});

test("a bug at the end of a handshake costs that connection alone", async (t) => {
  const ways = secure();
  let left = 1;
  const rig = await openRig(t, {
    tls: {
      choose: (name) => {
        if (left-- === 0) throw new Error("planted");
        return ways.choose(name);
      },
    },
  });
  const first = await connectTls(t, rig.port, { servername: "a.test" });
  await eventually(() => rig.bound.connections === 0);
  await eventually(() => first.destroyed);
  await connectTls(t, rig.port, { servername: "a.test" });
  assert.match(String(rig.bugs[0]), /planted/);
});

test("closing a port ends connections in every stage", async (t) => {
  const rig = await openRig(t, { tls: secure(), proxyProtocol: { ...TRUSTED, required: false } });
  const starts = ["", "PROXY ", "\x16\x03\x01", buildHandshakeStart()];
  for (const start of starts) await (await rig.client()).send(start);
  await eventually(() => rig.bound.connections === starts.length);
  await rig.bound.close();
  assert.equal(rig.bound.connections, 0);
});

for (const sockets of ["tuned", "documented"] as const) {
  test(`TLS is passed on as it is, with its hello (${sockets})`, async (t) => {
    const route = toStreamRoute(() => rig);
    const inner = await openRig(t, { tls: secure(), sockets });
    const tls = toTls({ "a.test": toChain(undefined, { stream: route }) });
    const rig: Rig = await openRig(t, { upstream: inner.port, tls, sockets });
    const socket = await connectTls(t, rig.port, { servername: "a.test" });
    assert.match(socket.getPeerCertificate().subjectaltname ?? "", /a\.test/);
    socket.end();
    await eventually(() => rig.bound.connections === 0 && inner.bound.connections === 0);
    assert.deepEqual([rig.counts.handshakes, inner.counts.handshakes], [[], ["full"]]);
  });

  test(`what is inside TLS is passed on, also where the server speaks first (${sockets})`, async (t) => {
    const route = toStreamRoute(() => rig);
    const tls = toTls({
      "a.test": toChain(toTermination([certificate], { applicationProtocols: [] }), { stream: route }),
    });
    const rig: Rig = await openRig(t, { upstream: await openEcho(t, "220 hello\r\n"), tls, sockets });
    const socket = await connectTls(t, rig.port, { servername: "a.test" });
    assert.equal(await converse(socket, "", "\n"), "220 hello\r\n");
    const big = "x".repeat(300_000);
    socket.write(big);
    await eventually(() => socket.bytesRead >= big.length, { what: "the echo" });
    socket.destroy();
    await eventually(() => rig.bound.connections === 0);
  });

  test(`a port for bytes passes them on behind a PROXY header, and to a silent client what the server says (${sockets})`, async (t) => {
    const stream = toStreamRoute(() => rig);
    const proxyProtocol = { ...TRUSTED, required: false };
    const rig: Rig = await openRig(t, {
      upstream: await openEcho(t, "hello "),
      stream,
      proxyProtocol,
      sockets,
      bind: { timeLimit: 250 },
    });
    const client = await rig.client();
    await client.send(`${HEADER}abc`);
    await client.signal.require(() => client.received === "hello abc", 2000, "the echo");
    const silent = await rig.client();
    await eventually(() => rig.bound.connections === 2);
    rig.advance(750);
    await silent.signal.require(() => silent.received === "hello ", 2000, "the greeting");
    client.close();
    silent.close();
    await eventually(() => rig.bound.connections === 0);
  });
}
