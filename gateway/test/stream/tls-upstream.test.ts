/** Streams to endpoints that speak TLS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { createAuthority } from "@sallyport/testkit/certs";
import { toTlsSettings } from "../wire/tls-settings.ts";
import { LeasingCluster } from "./leasing-cluster.ts";
import { decodeProxyHeader } from "./proxy-decoder.ts";
import { endOf, openStreamRig, readAll, recordOf, serve } from "./rig.ts";

const authority = await createAuthority();
const stranger = await createAuthority("another");
const server = await authority.issue({ names: ["a.test"] });
const options = { isServer: true, cert: server.cert, key: server.key };

test("bytes go both ways through TLS to the endpoint, behind a PROXY header in the clear", async (t) => {
  const header = Promise.withResolvers<string>();
  const port = await serve(t, (socket) => {
    socket.once("readable", () => {
      const bytes: unknown = socket.read();
      assert.ok(Buffer.isBuffer(bytes));
      const seen = decodeProxyHeader(bytes);
      header.resolve(seen.from);
      socket.unshift(bytes.subarray(seen.length));
      const secure = new TLSSocket(socket, options);
      secure.on("error", () => undefined);
      secure.write("ready");
      secure.on("data", (piece: Buffer) => secure.write(piece));
      secure.on("end", () => secure.end());
    });
  });
  const cluster = new LeasingCluster("ns/s:1", port);
  cluster.terms = {
    tls: toTlsSettings({ authorities: [authority.cert], serverName: "a.test" }),
    proxyProtocol: "v2",
  };
  const rig = await openStreamRig(t, { cluster, about: { remote: "203.0.113.9:4711", local: "198.51.100.1:25" } });
  const client = await rig.client();
  const all = readAll(client);
  const sent = Buffer.alloc(1_000_000, "sallyport");
  client.end(sent);
  const received = await all;
  assert.equal(await header.promise, "203.0.113.9:4711");
  assert.ok(received.equals(Buffer.concat([Buffer.from("ready"), sent])));
  assert.equal((await recordOf(rig)).flag, "-");
});

test("an endpoint that cannot prove itself gets no byte, and no other one is tried", async (t) => {
  let received = 0;
  const port = await serve(t, (socket) => {
    const secure = new TLSSocket(socket, options);
    secure.on("error", () => undefined);
    secure.on("data", (piece: Buffer) => {
      received += piece.length;
    });
  });
  const cluster = new LeasingCluster("ns/s:1", port, port + 1);
  cluster.terms = { tls: toTlsSettings({ authorities: [stranger.cert], serverName: "a.test" }) };
  const rig = await openStreamRig(t, { cluster, source: { head: Buffer.from("secret") } });
  assert.equal(await endOf(await rig.client()), "fin");
  const record = await recordOf(rig);
  assert.equal(record.flag, "UF");
  assert.match(record.details, /certificate/);
  assert.deepEqual([received, rig.connects.failure, rig.warnings.length], [0, 1, 1]);
});
