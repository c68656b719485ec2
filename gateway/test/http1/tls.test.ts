/** TLS of a bound port: certificates by name, protocols, what is no TLS, and the same exchanges inside. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { before, test, type TestContext } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createAuthority, type CertificateAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import type { CompiledTls } from "../../src/router/contract.ts";
import { toChain, toTermination, toTls } from "../listener/tls-ways.ts";
import { answer, GET, OK, openPair } from "./pair.ts";
import { openRig, recordOf, type Rig } from "./rig.ts";

let authority: CertificateAuthority;
const certificates = new Map<string, CertifiedKey>();

before(async () => {
  authority = await createAuthority();
  for (const name of ["a.test", "b.test", "default.test", "a2.test"])
    certificates.set(name, await authority.issue({ names: [name.replace("2", "")] }));
});

/** Certificates by server name; `a2.test` is a second one for a.test. */
function tlsOf(names: Readonly<Record<string, string>>): CompiledTls {
  const chains = Object.entries(names).map(([name, id]) => {
    const certificate = certificates.get(id);
    assert.ok(certificate !== undefined);
    return [name, toChain(toTermination([certificate]))] as const;
  });
  return toTls(Object.fromEntries(chains));
}

async function open(t: TestContext, rig: Rig, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port: rig.port, host: "127.0.0.1", ca: authority.cert, ...options });
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

/** Sends and resolves with what came back once that ends as expected. */
async function converse(socket: TLSSocket, request: string, end: string): Promise<string> {
  let received = "";
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString("latin1");
  });
  socket.write(request, "latin1");
  await eventually(() => received.endsWith(end), { what: "the answer" });
  return received;
}

for (const sockets of ["tuned", "documented"] as const) {
  test(`requests pass inside TLS, large bodies too (${sockets})`, async (t) => {
    const body = randomBytes(150_000).toString("hex");
    const big = `HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const { rig, upstream } = await openPair(t, answer(big), { tls: tlsOf({ "a.test": "a.test" }), sockets });
    const socket = await open(t, rig, { servername: "a.test", ALPNProtocols: ["http/1.1"] });
    assert.equal(socket.alpnProtocol, "http/1.1");
    const post = `POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.equal(await converse(socket, post + GET, `${big}${big}`), `${big}${big}`);
    assert.equal(upstream.requests[0]?.message.body, body);
    assert.match(upstream.connections[0]?.received ?? "", /x-forwarded-proto: https/);
    const record = await recordOf(rig);
    assert.deepEqual([record.scheme, record.bytesReceived, record.bytesSent], ["https", body.length, body.length]);
    socket.end();
    await eventually(() => rig.bound.connections === 0);
    assert.deepEqual(rig.bugs, []);
  });
}

test("each name gets its certificate, and clients without a name the default", async (t) => {
  const rig = await openRig(t, { tls: tlsOf({ "a.test": "a.test", "b.test": "b.test", "": "default.test" }) });
  for (const [options, expected] of [
    [{ servername: "a.test" }, "a.test"],
    [{ servername: "B.TEST" }, "b.test"],
    [{ rejectUnauthorized: false }, "default.test"],
  ] as const) {
    const socket = await open(t, rig, options);
    assert.equal(socket.getPeerCertificate().subjectaltname, `DNS:${expected}`);
    socket.destroy();
  }
});

test("a name without a certificate fails the handshake", async (t) => {
  const rig = await openRig(t, { tls: tlsOf({ "a.test": "a.test" }) });
  await assert.rejects(open(t, rig, { servername: "c.test" }));
  await assert.rejects(open(t, rig, { rejectUnauthorized: false }));
  await eventually(() => rig.bound.connections === 0);
});

test("a changed certificate serves new connections, and old ones live on", async (t) => {
  const { rig } = await openPair(t, answer(OK), { tls: tlsOf({ "a.test": "a.test", "": "a.test" }) });
  const before = await open(t, rig, { servername: "a.test" });
  const old = before.getPeerCertificate().serialNumber;
  rig.change({ tls: tlsOf({ "a.test": "a2.test", "": "a2.test" }) });
  for (const options of [{ servername: "a.test" }, { rejectUnauthorized: false }]) {
    const after = await open(t, rig, options);
    assert.notEqual(after.getPeerCertificate().serialNumber, old);
    after.destroy();
  }
  assert.match(await converse(before, GET, "ok"), /^HTTP\/1\.1 200/);
});

test("plain HTTP on a TLS port is told so", async (t) => {
  const rig = await openRig(t, { tls: tlsOf({ "": "default.test" }) });
  const client = await rig.client();
  await client.send(GET);
  await client.signal.require(() => client.state !== "open", 2000, "the end");
  assert.equal(client.responses[0]?.status, 400);
  assert.match(client.received, /This port speaks TLS/);
  client.close();
  await eventually(() => rig.bound.connections === 0);
  assert.deepEqual(rig.counts.handshakes, ["failed"]);
  assert.equal(rig.records.length, 0);
});

test("protocols other than HTTP/1.1 and TLS before 1.2 are refused", async (t) => {
  const rig = await openRig(t, { tls: tlsOf({ "a.test": "a.test" }) });
  await assert.rejects(open(t, rig, { servername: "a.test", ALPNProtocols: ["h2"] }), /no application protocol/i);
  await assert.rejects(open(t, rig, { servername: "a.test", minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }));
});

test("a client that vanishes in the handshake leaves nothing behind", async (t) => {
  const rig = await openRig(t, { tls: tlsOf({ "a.test": "a.test" }) });
  const client = await rig.client();
  await client.send("\x16\x03\x01\x02\x00\x01");
  await eventually(() => rig.bound.connections === 1);
  client.reset();
  await eventually(() => rig.bound.connections === 0);
});

test("a cut answer ends the connection", async (t) => {
  const steps = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", { pause: 20 }, { do: "end" }] as const;
  const { rig } = await openPair(t, answer(...steps), { tls: tlsOf({ "a.test": "a.test" }) });
  const socket = await open(t, rig, { servername: "a.test" });
  const ended = once(socket, "close");
  await converse(socket, GET, "abc");
  await ended;
  assert.equal((await recordOf(rig)).flag, "UC");
});
