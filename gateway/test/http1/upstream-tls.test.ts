/** Requests to endpoints over TLS: held back until the peer is verified, failed with a reason where it is not. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { eventually } from "@sallyport/testkit/eventually";
import type { AnswerReceiver } from "../../src/exchange/contract.ts";
import { openHttp1 } from "../../src/http1/client.ts";
import { Wheel } from "../../src/time/wheel.ts";
import { toTlsSettings } from "../wire/tls-settings.ts";
import { TlsUpstream } from "../wire/tls-upstream.ts";
import { openRig, recordOf } from "./rig.ts";
import { CARELESS, UNHEARD } from "../unheard.ts";

const authority = await createAuthority("test root");
const good = await authority.issue({ names: ["upstream.test"] });
const trusting = toTlsSettings({ authorities: [authority.cert] });
const GET = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A server of one certificate whose every connection answers each piece it gets. */
async function openAnswering(t: TestContext, options: TlsOptions): Promise<TlsUpstream> {
  const upstream = await TlsUpstream.open(t, options);
  upstream.reply = ANSWER;
  return upstream;
}

test("requests share a verified connection", async (t) => {
  const upstream = await openAnswering(t, good);
  const rig = await openRig(t, { upstream: upstream.port, upstreamTls: trusting });
  for (let i = 0; i < 3; i++) assert.match(await rig.exchange(GET), /^HTTP\/1.1 200/);
  assert.equal(upstream.seen.length, 1);
  assert.equal(rig.cluster.opened, 1);
});

test("a renewed client certificate is shown by new connections, while open ones go on", async (t) => {
  const upstream = await openAnswering(t, { ...good, ca: [authority.cert], requestCert: true });
  const show = async (commonName: string): Promise<typeof trusting> => {
    const { cert: chain, key } = await authority.issue({ names: [], commonName, usage: "client" });
    return toTlsSettings({ ...trusting, id: commonName, clientCertificate: { chain, key } });
  };
  const rig = await openRig(t, { upstream: upstream.port, upstreamTls: await show("old") });
  await rig.exchange(GET);
  rig.cluster.tls = await show("new");
  await rig.exchange(GET);
  assert.deepEqual(
    upstream.seen.map(({ client }) => client),
    ["old"],
  );
  rig.cluster.idle.length = 0;
  await rig.exchange(GET);
  assert.deepEqual(
    upstream.seen.map(({ client, reused }) => [client, reused]),
    [
      ["old", false],
      ["new", false],
    ],
  );
});

test("a peer with a wrong certificate gets not one byte of a request, body included", async (t) => {
  const upstream = await openAnswering(t, await authority.issue({ names: ["other.test"] }));
  const rig = await openRig(t, { upstream: upstream.port, upstreamTls: trusting });
  const body = "x".repeat(200_000);
  const answer = await rig.exchange(
    `POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.match(answer, /^HTTP\/1.1 503/);
  const record = await recordOf(rig);
  assert.deepEqual([record.flag, record.details], ["UF", "upstream-tls-failure"]);
  assert.equal(rig.cluster.opened, 1);
  assert.equal(upstream.received, "");
  assert.equal(rig.warnings.length, 1);
});

test("a body that comes before the peer is verified goes out whole", async (t) => {
  const upstream = await TlsUpstream.open(t, good);
  upstream.reply = "";
  const rig = await openRig(t, { upstream: upstream.port, upstreamTls: trusting });
  const client = await rig.client();
  const body = "0123456789".repeat(30_000);
  void client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await eventually(() => upstream.received.endsWith(body) && upstream.received.length > body.length, {
    what: "the request",
  });
});

test("a server that wants a client certificate and gets none fails the request, whatever the version", async (t) => {
  for (const maxVersion of ["1.2", "1.3"] as const) {
    const upstream = await openAnswering(t, {
      ...good,
      ca: [authority.cert],
      requestCert: true,
      rejectUnauthorized: true,
    });
    const rig = await openRig(t, {
      upstream: upstream.port,
      upstreamTls: toTlsSettings({ ...trusting, id: maxVersion, maxVersion }),
    });
    assert.match(await rig.exchange(GET), /^HTTP\/1.1 503/);
    assert.equal((await recordOf(rig)).details, "upstream-tls-failure");
  }
});

test("the connect timeout covers the handshake, and the failure has its words", async (t) => {
  const server = createServer();
  let received = Buffer.alloc(0);
  server.on("connection", (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => (received = Buffer.concat([received, bytes])));
    t.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const rig = await openRig(t, { upstream: port, upstreamTls: trusting });
  const answer = rig.exchange(GET);
  await eventually(() => received.length > 0, { what: "a ClientHello" });
  rig.advance(6000);
  assert.match(await answer, /^HTTP\/1.1 503/);
  assert.equal((await recordOf(rig)).details, "connect-timeout");
  assert.equal(received[0], 0x16);
  assert.ok(!received.includes("GET /"));
});

test("a failed connection says what was wrong with TLS before its receiver hears of it", async (t) => {
  const upstream = await openAnswering(t, await authority.issue({ names: ["other.test"] }));
  const { port } = upstream;
  const outcome = await new Promise((resolve) => {
    const connection = openHttp1(
      {
        cluster: "test/main:80",
        endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}`, active: () => 0, ...UNHEARD },
        tls: trusting,
        connectTimeout: 5000,
        owner: CARELESS,
      },
      {
        clocks: { coarse: new Wheel(250), fine: new Wheel(4) },
        recorder: { upstreamConnect: () => undefined, upstreamClosed: () => undefined },
        log: { error: () => undefined, warn: () => undefined },
      },
    );
    assert.equal(connection.failureDetail, "");
    const onAnswerFailed: AnswerReceiver["onAnswerFailed"] = (reason) => resolve([reason, connection.failureDetail]);
    // nothing else of the receiver can be called before an answer
    connection.open({ onAnswerFailed, onAnswerTurn: () => "taken" } as unknown as AnswerReceiver);
  });
  assert.deepEqual(outcome, ["upstream-tls-failure", "the certificate does not name upstream.test"]);
});
