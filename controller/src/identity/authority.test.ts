import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createAuthority as createTestAuthority } from "@sallyport/testkit/certs";
import { IdentityApi } from "@sallyport/testkit/identity-api";
import { ApiFailure } from "../api/contract.ts";
import { AUTHORITY_SECRET, AuthorityFailure, readAuthority } from "./authority-secret.ts";
import { openAuthority } from "./authority.ts";
import { createAuthority, toCertificatePem, toKeyPem } from "./issuance.ts";

const PATH = `/api/v1/namespaces/ns/secrets/${AUTHORITY_SECRET}`;

function openApi(): IdentityApi {
  return new IdentityApi((status, reason) => new ApiFailure(reason, { status, reason }));
}

test("replicas that come at once have one authority", async () => {
  const api = openApi();
  const authorities = await Promise.all([readAuthority(api, "ns"), readAuthority(api, "ns"), readAuthority(api, "ns")]);
  assert.equal(new Set(authorities.map(({ trusted }) => trusted)).size, 1);
  const root = new X509Certificate(authorities[0].trusted);
  assert.ok(root.ca);
  const { chain, renewAt } = await authorities[2].issueServing(["sallyport-controller.ns.svc"]);
  const leaf = new X509Certificate(chain);
  assert.ok(leaf.verify(root.publicKey) && leaf.checkIssued(root) && !leaf.ca);
  assert.equal(leaf.subjectAltName, "DNS:sallyport-controller.ns.svc");
  assert.ok(renewAt > Date.now() + 11 * 3_600_000 && renewAt < Date.now() + 13 * 3_600_000);
});

test("a Secret that cannot sign is told with what to do, and left alone", async () => {
  const api = openApi();
  const { cert, key } = await (await createTestAuthority()).issue({ names: ["leaf.example"] });
  const data = { "tls.crt": btoa(cert), "tls.key": btoa(key) };
  api.secrets.set(PATH, { data });
  await assert.rejects(readAuthority(api, "ns"), (error) => {
    return error instanceof AuthorityFailure && /not the certificate of an authority.*; correct it/.test(error.message);
  });
  assert.equal(api.secrets.get(PATH)?.["data"], data);
});

test("an authority must have the key of its certificate, and be trusted by ca.crt", async () => {
  const { certificate, keys } = await createAuthority("one", 1);
  const other = await createAuthority("two", 1);
  const pem = toCertificatePem(certificate);
  const wrongKey = await openAuthority({ certificate: pem, trusted: pem, key: await toKeyPem(other.keys.privateKey) });
  assert.ok(!wrongKey.ok && wrongKey.error.includes("not the key"));
  const trusted = toCertificatePem(other.certificate);
  const stranger = await openAuthority({ certificate: pem, trusted, key: await toKeyPem(keys.privateKey) });
  assert.ok(!stranger.ok && stranger.error.includes("no certificate of ca.crt signs tls.crt"));
  const both = await openAuthority({ certificate: pem, trusted: trusted + pem, key: await toKeyPem(keys.privateKey) });
  assert.ok(both.ok);
});
