/** Handshakes: what is offered, sessions over threads and certificates, how many at a time, and changes meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createAuthority, type CertificateAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import { captureClientHello } from "@sallyport/testkit/raw-tls";
import { TurnBudget } from "../../src/listener/turn-budget.ts";
import { SharedSessionKeys } from "../../src/workers/session-keys.ts";
import { answer, GET, OK, openPair } from "../http1/pair.ts";
import type { Rig } from "../http1/rig.ts";
import { connectTls, converse, earnSession, isServed } from "./front.ts";
import { toChain, toTermination, toTls } from "./tls-ways.ts";

let authority: CertificateAuthority;
let ecdsa: CertifiedKey;
let rsa: CertifiedKey;

before(async () => {
  authority = await createAuthority();
  ecdsa = await authority.issue({ names: ["a.test"] });
  rsa = await authority.issue({ names: ["a.test"], keys: "rsa" });
});

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const NAME = { servername: "a.test" };

const waysOf = (...of: Parameters<typeof toTermination>): ReturnType<typeof toTls> =>
  toTls({ "a.test": toChain(toTermination(...of)) });

async function openServed(
  t: TestContext,
  tls: ReturnType<typeof toTls>,
  bind: { sessionKeys?: SharedSessionKeys; handshakes?: TurnBudget } = {},
): Promise<Rig> {
  return (await openPair(t, answer(OK), { tls, bind })).rig;
}

test("a client gets the certificate of a key it can use", async (t) => {
  const rig = await openServed(t, waysOf([ecdsa, rsa]));
  for (const [sigalgs, expected] of [
    ["ecdsa_secp256r1_sha256", ecdsa],
    ["rsa_pss_rsae_sha256", rsa],
  ] as const) {
    const socket = await connectTls(t, rig.port, { ...NAME, sigalgs });
    assert.equal(socket.getPeerX509Certificate()?.toString().trim(), expected.cert.trim());
    socket.destroy();
  }
  const old = await connectTls(t, rig.port, { ...NAME, maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" });
  assert.equal(old.getPeerX509Certificate()?.toString().trim(), rsa.cert.trim());
});

test("nothing weak is negotiated by default, and our order counts", async (t) => {
  const rig = await openServed(t, waysOf([ecdsa, rsa]));
  const old = { ...NAME, maxVersion: "TLSv1.2" } as const;
  for (const options of [
    { ...old, ciphers: "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0" },
    { ...old, ciphers: "AES128-GCM-SHA256" },
    { ...old, ciphers: "DHE-RSA-AES128-GCM-SHA256" },
    { ...old, sigalgs: "RSA+SHA1:ECDSA+SHA1", ciphers: "DEFAULT:@SECLEVEL=0" },
    { ...NAME, minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" },
  ] as const satisfies readonly ConnectionOptions[])
    await assert.rejects(connectTls(t, rig.port, options), JSON.stringify(options));
  const ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
  const picky = await connectTls(t, rig.port, { ...old, ciphers });
  assert.equal(picky.getCipher().name, "ECDHE-ECDSA-AES128-GCM-SHA256");
  const mobile = await connectTls(t, rig.port, { ...old, ciphers: `ECDHE-ECDSA-CHACHA20-POLY1305:${ciphers}` });
  assert.equal(mobile.getCipher().name, "ECDHE-ECDSA-CHACHA20-POLY1305");
  const hybrid = await connectTls(t, rig.port, { ...NAME, ecdhCurve: "X25519MLKEM768" });
  assert.ok(await isServed(hybrid));
});

test("versions and ciphers are as configured, and a list for TLS 1.2 leaves TLS 1.3 alone", async (t) => {
  const ciphers = ["ECDHE-ECDSA-AES256-GCM-SHA384"];
  const rig = await openServed(t, waysOf([ecdsa], { ciphers }));
  const old = await connectTls(t, rig.port, { ...NAME, maxVersion: "TLSv1.2" });
  assert.equal(old.getCipher().name, ciphers[0]);
  assert.equal((await connectTls(t, rig.port, NAME)).getProtocol(), "TLSv1.3");
  rig.change({ tls: waysOf([ecdsa], { minVersion: "1.3" }) });
  await assert.rejects(connectTls(t, rig.port, { ...NAME, maxVersion: "TLSv1.2" }));
  rig.change({ tls: waysOf([ecdsa], { maxVersion: "1.2" }) });
  assert.equal((await connectTls(t, rig.port, NAME)).getProtocol(), "TLSv1.2");
});

test("a client cannot renegotiate", async (t) => {
  const rig = await openServed(t, waysOf([ecdsa]));
  const socket = await connectTls(t, rig.port, { ...NAME, maxVersion: "TLSv1.2" });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.on("error", resolve);
  socket.renegotiate({}, resolve);
  assert.match(String(await promise), /no.renegotiation|reset/i);
  await eventually(() => rig.counts.handshakes.length === 1);
});

test("an OCSP response is stapled for clients that ask", async (t) => {
  const staple = Buffer.from("an OCSP response");
  const rig = await openServed(t, waysOf([{ ...ecdsa, staple }]));
  const socket = connect({ port: rig.port, host: "127.0.0.1", rejectUnauthorized: false, requestOCSP: true, ...NAME });
  t.after(() => socket.destroy());
  assert.deepEqual(await once(socket, "OCSPResponse"), [staple]);
  assert.ok(await isServed(await connectTls(t, rig.port, NAME)));
});

test("a certificate that cannot be used closes its own connections alone, and is told of", async (t) => {
  const other = await authority.issue({ names: ["b.test"] });
  const broken = toChain(toTermination([{ ...ecdsa, key: other.key }]));
  const tls = toTls({ "a.test": toChain(toTermination([ecdsa])), "b.test": broken });
  const rig = await openServed(t, tls);
  await assert.rejects(connectTls(t, rig.port, { servername: "b.test" }));
  assert.match(rig.bugs[0] ?? "", /cannot terminate TLS.*key values mismatch/s);
  assert.ok(await isServed(await connectTls(t, rig.port, NAME)));
});

for (const version of VERSIONS) {
  const pinned = { ...NAME, minVersion: version, maxVersion: version } as const;

  test(`a session is resumed by another thread, with other certificates, until the keys change (${version})`, async (t) => {
    const supervisor = new SharedSessionKeys();
    const open = (): Promise<Rig> =>
      openServed(t, waysOf([ecdsa]), { sessionKeys: new SharedSessionKeys(supervisor.buffer) });
    const [one, other] = [await open(), await open()];
    const resumes = async (rig: Rig, session: Buffer): Promise<boolean> => {
      const socket = await connectTls(t, rig.port, { ...pinned, session });
      assert.ok(await isServed(socket));
      return socket.isSessionReused();
    };
    const session = await earnSession(t, one.port, pinned);
    assert.equal(await resumes(other, session), true);
    other.change({ tls: waysOf([rsa]) });
    assert.equal(await resumes(other, session), true, "what a server shows is not what a client proved");
    supervisor.rotate();
    assert.deepEqual([await resumes(one, session), await resumes(other, session)], [false, false]);
    const next = await earnSession(t, one.port, pinned);
    assert.equal(await resumes(other, next), true);
  });
}

test("a flood of hellos begins so many handshakes a turn, and who is served already is served in between", async (t) => {
  const handshakes = new TurnBudget(1);
  const rig = await openServed(t, waysOf([ecdsa]), { handshakes });
  const served = await connectTls(t, rig.port, NAME);
  assert.ok(await isServed(served));
  const hello = (await captureClientHello(NAME)).toString("latin1");
  const flood = await Promise.all(Array.from({ length: 40 }, () => rig.client()));
  // the loop accepts one connection a turn, so the flood is let in first
  await eventually(() => rig.bound.connections === flood.length + 1);
  for (const client of flood) void client.send(hello);
  while (handshakes.waiting <= 10) await setImmediate();
  let answered = "";
  served.on("data", (bytes: Buffer) => (answered += bytes.toString("latin1")));
  served.write(GET, "latin1");
  let turns = 0;
  let waiting = handshakes.waiting;
  while (!answered.endsWith("ok")) {
    await setImmediate();
    turns++;
    // the queue may grow meanwhile, but shrinks by one a turn at most
    assert.ok(waiting - handshakes.waiting <= 1, "more than one in a turn");
    waiting = handshakes.waiting;
    assert.ok(turns < 40, "the answer waits for the flood");
  }
  assert.ok(handshakes.waiting > 0, "the flood is not over");
  await eventually(() => flood.every((client) => client.received.length > 1000), { what: "answers to all hellos" });
});

test("a certificate that changes all the time costs no connection and no request", async (t) => {
  const certificates = await Promise.all(Array.from({ length: 20 }, () => authority.issue({ names: ["a.test"] })));
  const ways = certificates.map((certificate) => waysOf([certificate]));
  const { rig } = await openPair(t, answer(OK), { tls: ways[0]! });
  const upstream = rig.cluster;
  const old = await connectTls(t, rig.port, NAME);
  const seen = new Set<string>();
  for (let round = 0; round < 60; round++) {
    rig.change({ tls: ways[round % ways.length]! });
    const started = [connectTls(t, rig.port, NAME), connectTls(t, rig.port, NAME)];
    assert.ok(await isServed(old), `round ${round}`);
    for (const socket of await Promise.all(started)) {
      seen.add(shown(socket));
      assert.ok(await isServed(socket));
      socket.destroy();
    }
  }
  assert.equal(seen.size, 20, "each was shown");
  assert.equal(upstream.refuseWith, undefined);
  assert.ok(rig.counts.handshakes.every((outcome) => outcome !== "failed"));
  assert.match(await converse(old, GET, "ok"), /^HTTP\/1\.1 200/);
});

function shown(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.serialNumber ?? "";
}
