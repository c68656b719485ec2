import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, createServer, type ConnectionOptions, type TlsOptions } from "node:tls";
import { createAuthority, createSelfSigned } from "./certs.ts";

async function handshake(t: TestContext, server: TlsOptions, client: ConnectionOptions): Promise<boolean> {
  const listener = createServer(server, (socket) => socket.end("hello"));
  t.after(() => listener.close());
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, servername: "a.example.com", ...client });
  t.after(() => socket.destroy());
  socket.resume();
  await once(socket, "secureConnect");
  return socket.authorized;
}

test("a leaf is trusted by who trusts its authority", async (t) => {
  const authority = await createAuthority();
  const leaf = await authority.issue({ names: ["a.example.com"] });
  assert.equal(await handshake(t, leaf, { ca: authority.cert }), true);
});

test("a leaf below an intermediate is trusted when the chain is presented", async (t) => {
  const authority = await createAuthority();
  const intermediate = await authority.intermediate("below");
  const leaf = await intermediate.issue({ names: ["a.example.com"] });
  const server = { cert: leaf.cert + intermediate.cert, key: leaf.key };
  assert.equal(await handshake(t, server, { ca: authority.cert }), true);
});

test("a leaf is refused for another name, by another authority's truster, and after its time", async (t) => {
  const authority = await createAuthority();
  const other = await createAuthority();
  const wrongName = await authority.issue({ names: ["b.example.com"] });
  const past = { notBefore: new Date(Date.now() - 2000), notAfter: new Date(Date.now() - 1000) };
  const expired = await authority.issue({ names: ["a.example.com"], ...past });
  const good = await authority.issue({ names: ["a.example.com"] });
  await assert.rejects(handshake(t, wrongName, { ca: authority.cert }), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  await assert.rejects(handshake(t, good, { ca: other.cert }), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  await assert.rejects(handshake(t, expired, { ca: authority.cert }), { code: "CERT_HAS_EXPIRED" });
});

test("names become DNS, IP and URI alternative names", async () => {
  const { cert } = await createSelfSigned({
    names: ["*.example.com", "127.0.0.1", "spiffe://cluster.local/ns/a/sa/b"],
  });
  const parsed = new X509Certificate(cert);
  assert.equal(parsed.subjectAltName, "DNS:*.example.com, IP Address:127.0.0.1, URI:spiffe://cluster.local/ns/a/sa/b");
  assert.ok(parsed.verify(parsed.publicKey));
});

test("a revoked leaf is trusted no more, and its sibling with an RSA key is", async (t) => {
  const authority = await createAuthority();
  const revoked = await authority.issue({ names: ["a.example.com"] });
  const good = await authority.issue({ names: ["a.example.com"], keys: "rsa" });
  const crl = await authority.revoke([revoked.cert]);
  assert.equal(await handshake(t, good, { ca: authority.cert, crl }), true);
  await assert.rejects(handshake(t, revoked, { ca: authority.cert, crl }), { code: "CERT_REVOKED" });
  assert.equal(new X509Certificate(good.cert).publicKey.asymmetricKeyType, "rsa");
});
