import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createAuthority } from "@sallyport/testkit/certs";
import { isInForce, toClientCertificate, toRfc2253 } from "./client-certificate.ts";

test("a certificate is described as Envoy describes it", async () => {
  const authority = await createAuthority("Test Inc");
  const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000);
  const names = ["spiffe://a/ns/b, URI:spiffe://evil", "a.test", "*.b.test", "10.0.0.1"];
  const { cert } = await authority.issue({ names, commonName: "x", notAfter });
  const certificate = new X509Certificate(cert);
  const facts = toClientCertificate(certificate, true);
  assert.deepEqual([facts.subject, facts.issuer], ["CN=x", "CN=Test Inc"]);
  assert.match(facts.fingerprint, /^[0-9a-f]{64}$/);
  assert.match(facts.serialNumber, /^[0-9A-F]+$/);
  assert.deepEqual(facts.uriNames, ["spiffe://a/ns/b, URI:spiffe://evil"]);
  assert.deepEqual(facts.dnsNames, ["a.test", "*.b.test"]);
  assert.deepEqual(facts.notAfter, notAfter);
  assert.ok(isInForce(certificate, Date.now()));
  assert.ok(!isInForce(certificate, notAfter.getTime()));
  assert.ok(!isInForce(certificate, Date.now() - 7_200_000));
});

test("subjects are written as RFC 2253 does", () => {
  assert.equal(toRfc2253("C=DE\nO=Z\\, Inc.\nOU=y\nCN=x"), "CN=x,OU=y,O=Z\\, Inc.,C=DE");
  assert.equal(toRfc2253("O=z\nCN=x + UID=1\\+1"), "CN=x+UID=1\\+1,O=z");
  assert.equal(toRfc2253("CN=Zo\u00eb"), "CN=Zo\\C3\\AB");
  assert.equal(toRfc2253(""), "");
});
