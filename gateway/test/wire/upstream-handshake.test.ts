/** TLS handshakes with endpoints that go wrong below the certificate, and what goes in front of them. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { attempt, echo, TlsUpstream } from "./tls-upstream.ts";
import { toTlsSettings } from "./tls-settings.ts";

const authority = await createAuthority("test root");
const good = await authority.issue({ names: ["upstream.test"] });

const trusting = (changes: Partial<UpstreamTlsSettings> = {}): UpstreamTlsSettings =>
  toTlsSettings({ authorities: [authority.cert], ...changes });

/** A server below TLS; resolves with its port. */
async function openRaw(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const BROKEN: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
  ["closes at once", (socket) => void socket.end(), /closed during the handshake/],
  ["closes after the ClientHello", (socket) => void socket.once("data", () => socket.end()), /closed during/],
  [
    "resets after the ClientHello",
    (socket) => void socket.once("data", () => socket.resetAndDestroy()),
    /closed during/,
  ],
  [
    "answers in the clear",
    (socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    /does not speak TLS/,
  ],
  [
    "answers garbage",
    (socket) => void socket.once("data", () => socket.write("\x16\x03\x03\x00\x08zzzzzzzz")),
    /handshake/,
  ],
];

for (const [what, serve, detail] of BROKEN) {
  test(`a server that ${what} is a failure of TLS, never a reason to speak in the clear`, async (t) => {
    let received = Buffer.alloc(0);
    let connections = 0;
    const port = await openRaw(t, (socket) => {
      connections++;
      socket.on("data", (bytes) => (received = Buffer.concat([received, bytes])));
      serve(socket);
    });
    const made = await attempt(t, port, trusting());
    assert.equal(made.outcome, "upstream-tls-failure");
    assert.match(made.detail, detail);
    assert.equal(connections, 1);
    assert.ok(received.length === 0 || received[0] === 0x16, "a TLS record");
  });
}

test("no common version is a failure that says so", async (t) => {
  const upstream = await TlsUpstream.open(t, { ...good, maxVersion: "TLSv1.2" });
  const made = await attempt(t, upstream.port, trusting({ minVersion: "1.3" }));
  assert.match(made.detail, /no common version/);
});

test("settings that OpenSSL cannot use are a failure of TLS, told later", async (t) => {
  for (const settings of [{ ciphers: ["NO-SUCH-SUITE"] }, { clientCertificate: { chain: "x", key: "y" } }]) {
    const upstream = await TlsUpstream.open(t, good);
    const made = await attempt(t, upstream.port, trusting(settings));
    assert.equal(made.outcome, "upstream-tls-failure");
    assert.equal(upstream.seen.length, 0);
  }
});

test("ciphers of one version leave the other as it is", async (t) => {
  const upstream = await TlsUpstream.open(t, good);
  const ciphers = ["ECDHE-ECDSA-AES256-GCM-SHA384"];
  const first = await attempt(t, upstream.port, trusting({ ciphers }));
  const second = await attempt(t, upstream.port, trusting({ ciphers, maxVersion: "1.2" }));
  await echo(first, "x");
  await echo(second, "x");
  const used = upstream.seen.map(({ socket }) => [socket.getProtocol(), socket.getCipher().name]);
  assert.deepEqual(used[0]?.[0], "TLSv1.3");
  assert.deepEqual(used[1], ["TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"]);
});

test("nobody listening is a failed connect, with TLS as without, and only addresses are dialled", async (t) => {
  const upstream = await TlsUpstream.open(t, good);
  const named = { address: "localhost", port: upstream.port, label: "localhost" };
  for (const tls of [trusting(), undefined]) {
    assert.equal((await attempt(t, upstream.port, tls, { endpoint: named })).outcome, "connect-failure");
    const made = await attempt(t, 1, tls);
    assert.deepEqual([made.outcome, made.detail, made.warnings.length], ["connect-failure", "", 0]);
  }
  assert.equal(upstream.seen.length, 0);
});

test("a preface goes out in front of TLS, and in front of everything in the clear", async (t) => {
  const preface = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
  const tlsServer = createTlsServer(good, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  const heads: string[] = [];
  const port = await openRaw(t, (socket) => {
    socket.once("readable", () => {
      heads.push(String(socket.read(preface.length)));
      tlsServer.emit("connection", socket);
    });
  });
  const made = await attempt(t, port, trusting(), { preface });
  assert.equal(made.outcome, "up");
  await echo(made, "inside");
  assert.deepEqual(heads, [preface.toString()]);
  let plain = "";
  const plainPort = await openRaw(t, (socket) => void socket.on("data", (bytes) => (plain += bytes.toString())));
  const clear = await attempt(t, plainPort, undefined, { preface });
  clear.upstream.socket.write("text");
  await eventually(() => plain === `${preface.toString()}text`, { what: "preface and text" });
});
