/** What clients must prove, in each mode, and that no session stands for more than what was proved for it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { before, test, type TestContext } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { createAuthority, type CertificateAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import type { DownstreamTls } from "../../src/exchange/contract.ts";
import type { TlsClientValidation, TlsTermination } from "../../src/router/contract.ts";
import { SharedSessionKeys } from "../../src/workers/session-keys.ts";
import { answer, OK, openPair } from "../http1/pair.ts";
import { recordOf, type Rig } from "../http1/rig.ts";
import { connectTls, earnSession, isLetIn, isServed } from "./front.ts";
import { toChain, toTermination, toTls } from "./tls-ways.ts";

let first: CertificateAuthority;
let second: CertificateAuthority;
let server: CertifiedKey;
let client: CertifiedKey;
let foreign: CertifiedKey;

before(async () => {
  [first, second] = await Promise.all([createAuthority("A"), createAuthority("B")]);
  server = await first.issue({ names: ["a.test"] });
  client = await first.issue({ names: ["spiffe://a.test/x", "x.test"], commonName: "x", usage: "client" });
  foreign = await second.issue({ names: ["y.test"], commonName: "y", usage: "client" });
});

const MODES = ["require", "optional", "request"] as const;
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

function toValidation(mode: TlsClientValidation["mode"], more: Partial<TlsClientValidation> = {}): TlsClientValidation {
  return { mode, authorities: [first.cert], revocations: [], ...more };
}

function validate(clientValidation: TlsClientValidation | undefined, name = "l"): TlsTermination {
  // as the compiler does: of the listener and everything a client must prove
  return toTermination([server], { clientValidation, sessionContext: `${name} ${JSON.stringify(clientValidation)}` });
}

async function open(t: TestContext, ways: Readonly<Record<string, TlsTermination>>): Promise<Rig> {
  const { rig } = await openPair(t, answer(OK), {
    tls: waysOf(ways),
    bind: { sessionKeys: new SharedSessionKeys() },
  });
  return rig;
}

function waysOf(ways: Readonly<Record<string, TlsTermination>>): ReturnType<typeof toTls> {
  return toTls(Object.fromEntries(Object.entries(ways).map(([name, termination]) => [name, toChain(termination)])));
}

const pinned = (version: (typeof VERSIONS)[number]): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  servername: "a.test",
});

for (const version of VERSIONS) {
  test(`each mode lets in whom it should (${version})`, async (t) => {
    const expired = await first.issue({ names: ["x.test"], notAfter: new Date(Date.now() - 60_000) });
    const notForClients = await first.issue({ names: ["x.test"], usage: "server" });
    const revoked = await first.issue({ names: ["x.test"], usage: "client" });
    const revocations = [await first.revoke([revoked.cert])];
    for (const mode of MODES) {
      const rig = await open(t, { "a.test": validate(toValidation(mode, { revocations })) });
      const seen: Record<string, boolean> = {};
      for (const [who, shown] of Object.entries({ nobody: {}, client, foreign, expired, notForClients, revoked }))
        seen[who] = await isLetIn(t, rig.port, { ...pinned(version), ...shown });
      const lax = mode === "request";
      assert.deepEqual(
        seen,
        {
          nobody: mode !== "require",
          client: true,
          foreign: lax,
          expired: lax,
          notForClients: lax,
          revoked: lax,
        },
        mode,
      );
      assert.deepEqual(
        rig.records.map(({ tls }) => tls?.clientCertificate?.verified),
        mode === "require"
          ? [true]
          : mode === "optional"
            ? [undefined, true]
            : [undefined, true, false, false, false, false],
        mode,
      );
    }
  });

  test(`who resumes a session is still who he was (${version})`, async (t) => {
    const rig = await open(t, { "a.test": validate(toValidation("require")) });
    const options = { ...pinned(version), ...client };
    const session = await earnSession(t, rig.port, options);
    const resumed = await connectTls(t, rig.port, { ...options, session });
    assert.ok(resumed.isSessionReused());
    assert.ok(await isServed(resumed));
    const facts = await Promise.all([0, 1].map(async (at) => toFacts((await recordOf(rig, at)).tls)));
    assert.deepEqual(facts[1], { ...facts[0], resumed: true });
    assert.deepEqual(facts[0], {
      version,
      serverName: "a.test",
      listenerKey: "test/gw/l",
      resumed: false,
      subject: "CN=x",
      uris: ["spiffe://a.test/x"],
      verified: true,
    });
    assert.deepEqual(rig.counts.handshakes, ["full", "resumed"]);
  });

  test(`a ticket earned without a certificate is worth nothing where one is required (${version})`, async (t) => {
    const lax = validate(toValidation("optional"));
    const rig = await open(t, { "a.test": lax });
    const session = await earnSession(t, rig.port, pinned(version));
    const resumed = await connectTls(t, rig.port, { ...pinned(version), session });
    assert.ok(resumed.isSessionReused(), "where none is required it is resumed");
    assert.ok(await isServed(resumed));
    assert.equal((await recordOf(rig, 1)).tls?.clientCertificate, undefined);
    rig.change({ tls: waysOf({ "a.test": validate(toValidation("require")) }) });
    assert.equal(await isLetIn(t, rig.port, { ...pinned(version), session }), false);
    // even if the compiler took both for one
    const careless = { ...validate(toValidation("require")), sessionContext: lax.sessionContext };
    rig.change({ tls: waysOf({ "a.test": careless }) });
    assert.equal(await isLetIn(t, rig.port, { ...pinned(version), session }), false);
  });

  test(`a ticket earned under one authority is worth nothing under another, nor after a change (${version})`, async (t) => {
    const mine = validate(toValidation("require"));
    const revocations = [await first.revoke([client.cert])];
    const rig = await open(t, {
      "a.test": mine,
      "b.test": validate(toValidation("require", { authorities: [second.cert] }), "b"),
      "c.test": validate(toValidation("require"), "c"),
    });
    const options = { ...pinned(version), ...client };
    const session = await earnSession(t, rig.port, options);
    const tryAs = (servername: string): Promise<boolean> => isLetIn(t, rig.port, { ...options, servername, session });
    assert.equal(await tryAs("b.test"), false, "another authority");
    const elsewhere = await connectTls(t, rig.port, { ...options, servername: "c.test", session });
    assert.equal(elsewhere.isSessionReused(), false, "another listener");
    for (const [what, changed] of [
      ["another authority", toValidation("require", { authorities: [second.cert] })],
      ["a revocation list", toValidation("require", { revocations })],
      ["a revocation list for who may come without", toValidation("optional", { revocations })],
    ] as const) {
      rig.change({ tls: waysOf({ "a.test": validate(changed) }) });
      assert.equal(await tryAs("a.test"), false, what);
    }
    rig.change({ tls: waysOf({ "a.test": validate(toValidation("request", { revocations })) }) });
    assert.equal(await tryAs("a.test"), true);
    const last = rig.records.at(-1)?.tls;
    assert.deepEqual(
      [last?.resumed, last?.clientCertificate?.verified],
      [false, false],
      "seen again, and not verified",
    );
    rig.change({ tls: waysOf({ "a.test": mine }) });
    assert.equal(await tryAs("a.test"), true, "as it was at first");
    assert.equal(rig.records.at(-1)?.tls?.resumed, true);
  });

  test(`a certificate that expires does not live on in its session (${version})`, async (t) => {
    // OpenSSL counts whole seconds
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000);
    const brief = await first.issue({ names: ["x.test"], usage: "client", notAfter });
    const rig = await open(t, { "a.test": validate(toValidation("require")) });
    const options = { ...pinned(version), ...brief };
    const session = await earnSession(t, rig.port, options);
    t.mock.timers.enable({ apis: ["Date"], now: notAfter.getTime() });
    assert.equal(await isLetIn(t, rig.port, { ...options, session }), false);
    t.mock.timers.setTime(notAfter.getTime() - 1000);
    assert.equal(await isLetIn(t, rig.port, { ...options, session }), true);
    assert.equal(rig.counts.handshakes.at(-1), "resumed");
  });
}

test("lists of several authorities in one text all count", async (t) => {
  const gone = await first.issue({ names: ["x.test"], usage: "client" });
  const revocations = [`${await second.revoke([])}\n${await first.revoke([gone.cert])}`];
  const authorities = [second.cert, first.cert];
  const rig = await open(t, { "a.test": validate(toValidation("require", { authorities, revocations })) });
  const seen: boolean[] = [];
  for (const shown of [client, foreign, gone])
    seen.push(await isLetIn(t, rig.port, { servername: "a.test", ...shown }));
  assert.deepEqual(seen, [true, true, false]);
});

test("a certificate with more names than can be passed on is refused in every mode", async (t) => {
  const names = Array.from({ length: 300 }, (_, at) => `spiffe://mesh/ns/a/${at}`);
  const endless = await first.issue({ names, usage: "client" });
  for (const mode of MODES) {
    const rig = await open(t, { "a.test": validate(toValidation(mode)) });
    assert.equal(await isLetIn(t, rig.port, { servername: "a.test", ...endless }), false, mode);
    assert.deepEqual(rig.counts.handshakes, ["failed"]);
  }
});

test("a client that lingers in its handshake comes in under what is asked for when it ends", async (t) => {
  const rig = await open(t, { "a.test": validate(undefined) });
  const relay = createServer((near) => {
    const far = connect(rig.port, "127.0.0.1");
    near.once("data", (hello) => {
      near.pause();
      far.write(hello);
    });
    far.once("data", () => {
      rig.change({ tls: waysOf({ "a.test": validate(toValidation("require")) }) });
      near.pipe(far);
    });
    far.pipe(near);
    for (const socket of [near, far]) socket.on("error", () => near.destroy());
    t.after(() => {
      for (const socket of [near, far]) socket.destroy();
    });
  });
  t.after(() => relay.close());
  await once(relay.listen(0, "127.0.0.1"), "listening");
  const address = relay.address();
  assert.ok(address !== null && typeof address !== "string");
  assert.equal(await isLetIn(t, address.port, { servername: "a.test" }), false);
  assert.deepEqual(rig.counts.handshakes, ["failed"]);
});

function toFacts(tls: DownstreamTls | undefined): object {
  const shown = tls?.clientCertificate;
  return {
    version: tls?.version,
    serverName: tls?.serverName,
    listenerKey: tls?.listenerKey,
    resumed: tls?.resumed,
    subject: shown?.subject,
    uris: shown?.uriNames,
    verified: shown?.verified,
  };
}
