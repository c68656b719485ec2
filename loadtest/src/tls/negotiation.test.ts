import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, createServer, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createSelfSigned } from "@sallyport/testkit/certs";
import { openerFor } from "../open-loop/opener.ts";
import { benchHost } from "../requests.ts";
import { assertNegotiated, pinnedContext } from "./negotiation.ts";

async function serve(t: TestContext): Promise<{ port: number; cert: string }> {
  const certificate = await createSelfSigned({ names: [benchHost] });
  const server = createServer(certificate, (socket) =>
    socket
      .on("error", () => {})
      .resume()
      .write("hello"),
  );
  server.on("tlsClientError", () => {});
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port, cert: certificate.cert };
}

async function open(t: TestContext, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", servername: benchHost, ...options });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

test("what is offered is what a server takes that has more to choose from", async (t) => {
  const { port, cert } = await serve(t);
  assertNegotiated(await open(t, port, { secureContext: pinnedContext(cert) }));
});

test("another version, cipher or group is told", async (t) => {
  const { port, cert } = await serve(t);
  const others = [
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256", ecdhCurve: "X25519:P-256" },
    { ciphers: "TLS_AES_256_GCM_SHA384" },
    { ecdhCurve: "P-256" },
  ] as const;
  for (const other of others) {
    const socket = await open(t, port, { ca: cert, ecdhCurve: "X25519", ciphers: "TLS_AES_128_GCM_SHA256", ...other });
    assert.throws(
      () => assertNegotiated(socket),
      /instead of TLSv1\.3, TLS_AES_128_GCM_SHA256, X25519/,
      JSON.stringify(other),
    );
  }
});

test("connections of the open loop go over TLS where there is a certificate, and to no other server", async (t) => {
  const { port, cert } = await serve(t);
  const received: string[] = [];
  const opener = openerFor(port, Buffer.from(cert));
  const socket = opener.open((bytes) => received.push(bytes.toString()));
  t.after(() => socket.destroy());
  await once(socket, opener.openEvent);
  await once(socket, "data");
  assert.deepEqual(received, ["hello"]);
  const stranger = await createSelfSigned({ names: [benchHost] });
  const refused = openerFor(port, Buffer.from(stranger.cert)).open(() => {});
  await assert.rejects(once(refused, "secureConnect"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});
