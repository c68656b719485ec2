/**
 * Requests on TLS connections, under ports as the compiler makes them: what a connection was made for it is used for, and
 * backends hear of the certificate a client has proven.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { before, test, type TestContext } from "node:test";
import type { TLSSocket } from "node:tls";
import type { Resource } from "@sallyport/model/snapshot";
import { createAuthority, type CertificateAuthority, type CertifiedKey } from "@sallyport/testkit/certs";
import { TestCompiler, toAuthorities, toListener, toRoute, toRule, toSecret } from "../compile/resources.ts";
import { connectTls, converse } from "../listener/front.ts";
import { answer, OK, openPair } from "./pair.ts";
import { openRig, recordOf, type Rig, type RigOptions } from "./rig.ts";

let authority: CertificateAuthority;
let server: CertifiedKey;
let client: CertifiedKey;

before(async () => {
  authority = await createAuthority();
  server = await authority.issue({ names: ["*.test"] });
  client = await authority.issue({ names: ["spiffe://mesh/ns/a", "x.test"], commonName: 'x";URI=spiffe://admin' });
});

/** A listener of the TLS port, with one rule for `/rule` that has no backend: 500 tells that it was reached. */
function toSite(name: string, hostname: string | undefined, clients?: "require"): Resource[] {
  const clientValidation = { mode: "require" as const, authorities: ["ConfigMap/ns/ca"] };
  return [
    toListener(name, {
      protocol: "https",
      ...(hostname === undefined ? {} : { hostname }),
      tls: { certificates: ["ns/cert"], ...(clients === undefined ? {} : { clientValidation }) },
    }),
    toRoute(name, [toRule("/rule", "", { backends: [] })], {
      attachments: [{ listener: `ns/gateway/${name}`, hostnames: ["*"] }],
    }),
  ];
}

/** What a rig serves where these are compiled. */
function compile(...sites: readonly Resource[]): RigOptions {
  const shared = [toSecret("cert", server.cert, server.key), toAuthorities("ca", authority.cert)];
  const bind = new TestCompiler().activate([...shared, ...sites]).binds.get("0.0.0.0:8080");
  assert.ok(bind?.tls !== undefined);
  return { tls: bind.tls, route: (input) => bind.route(input) };
}

/** The status of a request for a host. */
async function ask(socket: TLSSocket, host: string, path = "/rule"): Promise<string> {
  const received = await converse(socket, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, ")\n");
  return received.slice("HTTP/1.1 ".length, "HTTP/1.1 421".length);
}

async function open(t: TestContext, rig: Rig, servername: string | undefined): Promise<TLSSocket> {
  return connectTls(t, rig.port, servername === undefined ? {} : { servername });
}

test("every request of a connection is held against the listener of its handshake", async (t) => {
  const rig = await openRig(t, compile(...toSite("a", "a.test"), ...toSite("b", "b.test"), ...toSite("w", "*.w.test")));
  const socket = await open(t, rig, "a.test");
  assert.deepEqual(
    [
      await ask(socket, "a.test"),
      await ask(socket, "b.test"),
      await ask(socket, "a.test"),
      await ask(socket, "c.test"),
    ],
    ["500", "421", "500", "421"],
  );
  const record = await recordOf(rig, 1);
  assert.deepEqual([record.status, record.flag, record.details, record.routeName], [421, "NR", "misdirected", ""]);
  const wild = await open(t, rig, "x.w.test");
  assert.deepEqual([await ask(wild, "y.w.test"), await ask(wild, "a.test")], ["500", "421"]);
});

/** The statuses of requests for these hosts on one connection of HTTP/2, as a client that coalesces names sends them. */
async function askTogether(t: TestContext, rig: Rig, servername: string, hosts: readonly string[]): Promise<number[]> {
  const socket = await connectTls(t, rig.port, { servername, ALPNProtocols: ["h2"] });
  const session = connect(`https://${servername}`, { createConnection: () => socket });
  const statuses = hosts.map(async (host) => {
    const stream = session.request({ ":path": "/rule", ":authority": host });
    const [head] = (await once(stream, "response")) as [{ readonly ":status": number }];
    stream.resume();
    await once(stream, "close");
    return head[":status"];
  });
  const all = await Promise.all(statuses);
  session.destroy();
  return all;
}

test("a connection of HTTP/2 is used for the names of its own listener alone, and goes on after others", async (t) => {
  const sites = [...toSite("all", undefined), ...toSite("b", "b.test"), ...toSite("w", "*.w.test")];
  const rig = await openRig(t, compile(...sites, ...toSite("x", "x.w.test")));
  const hosts = ["b.test", "other.test", "y.w.test", "x.w.test", "B.test:443"];
  assert.deepEqual(await askTogether(t, rig, "b.test", hosts), [500, 421, 421, 421, 500]);
  assert.deepEqual(await askTogether(t, rig, "y.w.test", hosts), [421, 421, 500, 421, 421]);
  assert.deepEqual(await askTogether(t, rig, "x.w.test", hosts), [421, 421, 421, 500, 421]);
  // a name that no listener has is of the one for all, and so are all requests for such names
  assert.deepEqual(await askTogether(t, rig, "unknown.test", [...hosts, "more.test"]), [421, 500, 421, 421, 421, 500]);
});

test("a connection for all hosts does not open the listener of one", async (t) => {
  const rig = await openRig(t, compile(...toSite("all", undefined), ...toSite("b", "b.test", "require")));
  for (const name of [undefined, "other.test"]) {
    const socket = await open(t, rig, name);
    assert.deepEqual(
      [await ask(socket, "b.test"), await ask(socket, "other.test"), await ask(socket, "other.test", "/none")],
      ["421", "500", "404"],
    );
  }
});

test("neither a path to be normalised nor a hop count is answered for another listener", async (t) => {
  const rig = await openRig(t, compile(...toSite("a", "a.test"), ...toSite("b", "b.test")));
  const socket = await open(t, rig, "a.test");
  assert.equal(await ask(socket, "b.test", "/x%2Fy"), "421");
  const hops = "OPTIONS /rule HTTP/1.1\r\nHost: b.test\r\nMax-Forwards: 0\r\n\r\n";
  const received = await converse(socket, hops, ")\n");
  assert.match(
    received,
    /^HTTP\/1\.1 421 Misdirected Request\r\n[^]*\r\n\r\n421 Misdirected Request \(misdirected\)\n$/,
  );
  assert.doesNotMatch(received, /b\.test|gateway|allow|connection: close/i);
});

test("a reload that compiles listeners anew keeps connections, one that gives their name away ends them", async (t) => {
  const rig = await openRig(t, compile(...toSite("a", "a.test")));
  const socket = await open(t, rig, "a.test");
  assert.equal(await ask(socket, "a.test"), "500");
  rig.change(compile(...toSite("a", "a.test"), ...toSite("b", "b.test")));
  assert.equal(await ask(socket, "a.test"), "500");
  rig.change(compile(...toSite("renamed", "a.test")));
  const received = await converse(socket, "GET /rule HTTP/1.1\r\nHost: a.test\r\n\r\n", ")\n");
  assert.match(received, /^HTTP\/1\.1 421 [^]*connection: close\r\n/i);
});

test("what a handshake proved counts until its listener asks for something else", async (t) => {
  const lax = compile(...toSite("a", "a.test"));
  const rig = await openRig(t, lax);
  const [busy, fresh] = [await open(t, rig, "a.test"), await open(t, rig, "a.test")];
  assert.equal(await ask(busy, "a.test"), "500");
  rig.change(compile(...toSite("a", "a.test", "require")));
  for (const socket of [busy, fresh]) {
    const received = await converse(socket, "GET /rule HTTP/1.1\r\nHost: a.test\r\n\r\n", ")\n");
    assert.match(received, /^HTTP\/1\.1 421 [^]*connection: close\r\n/i);
  }
  const proven = await connectTls(t, rig.port, { servername: "a.test", cert: client.cert, key: client.key });
  assert.equal(await ask(proven, "a.test"), "500");
  rig.change(compile(...toSite("a", "a.test", "require"), ...toSite("b", "b.test")));
  assert.equal(await ask(proven, "a.test"), "500");
  rig.change(lax);
  assert.equal(await ask(proven, "a.test"), "421", "nor is a certificate passed on that nobody checks any more");
});

test("an idle connection that could only be refused is ended before its next request", async (t) => {
  const rig = await openRig(t, compile(...toSite("a", "a.test")));
  const [stale, other] = [await open(t, rig, "a.test"), await open(t, rig, "a.test")];
  for (const socket of [stale, other]) assert.equal(await ask(socket, "a.test"), "500");
  rig.change(compile(...toSite("a", "a.test"), ...toSite("b", "b.test")));
  rig.advance(20_000);
  assert.equal(await ask(other, "a.test"), "500", "another listener is no reason");
  const ended = once(stale, "end");
  rig.change(compile(...toSite("a", "a.test", "require")));
  rig.advance(20_000);
  await ended;
});

test("a connection without TLS is not served once its port speaks TLS", async (t) => {
  const { rig } = await openPair(t, answer(OK));
  const plain = await rig.client();
  await plain.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await plain.signal.require(() => plain.responses.length === 1, 2000, "the first answer");
  rig.change(compile(...toSite("a", "a.test", "require")));
  await plain.send("GET /rule HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await plain.signal.require(() => plain.state !== "open", 2000, "the end");
  assert.match(plain.received, /HTTP\/1\.1 421 [^]*connection: close\r\n[^]*\(misdirected\)\n$/i);
});

test("the certificate a client has proven is told upstream, and no name in it can say more", async (t) => {
  const options = compile(...toSite("a", "a.test", "require"));
  const route: RigOptions["route"] = (_input, rule, listener) => {
    return { listener: { ...listener, key: "ns/gateway/a" }, rule, matchedPrefix: undefined, cacheable: true };
  };
  const { rig, upstream } = await openPair(t, answer(OK), { ...options, route });
  const credentials = { servername: "a.test", cert: client.cert, key: client.key };
  const socket = await connectTls(t, rig.port, credentials);
  const claim = 'X-Forwarded-Client-Cert: Hash=0;Subject="CN=admin"';
  await converse(socket, `GET / HTTP/1.1\r\nHost: a.test\r\n${claim}\r\n\r\n`, "ok");
  const lines = (upstream.connections[0]?.received ?? "").split("\r\n").filter((line) => /client-cert/i.test(line));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^x-forwarded-client-cert: Hash=[0-9a-f]{64};Subject="CN=x\\22\\?;URI\\?=spiffe:\/\/admin";URI=spiffe:\/\/mesh\/ns\/a;DNS=x\.test$/,
  );
  const record = await recordOf(rig);
  assert.deepEqual([record.tls?.clientCertificate?.verified, record.tls?.serverName], [true, "a.test"]);
});
