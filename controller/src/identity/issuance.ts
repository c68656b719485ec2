/** Makes certificates: authorities, and what they sign. ECDSA P-256 where the key is ours, whatever an authority brings else. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** Who signs. */
export interface Issuer {
  /** Absent: the certificate signs itself. */
  readonly certificate?: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly signing: webcrypto.AlgorithmIdentifier | webcrypto.EcdsaParams;
}

/** A certificate and its keys. */
export interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a certificate is to say. */
export interface CertificateOrder {
  /** Of the subject; absent: it has no name but the alternative ones, which are critical then (RFC 5280 section 4.2.1.6). */
  readonly commonName?: string;
  readonly names: readonly x509.JsonGeneralName[];
  readonly usages: readonly ("server" | "client")[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: x509.PublicKey | webcrypto.CryptoKey;
}

/** New keys. */
export function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** An authority that signs itself, from now on. */
export async function createAuthority(commonName: string, days: number): Promise<Issued> {
  x509.cryptoProvider.set(crypto);
  const keys = await createKeys();
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    notBefore: new Date(now),
    notAfter: new Date(now + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

/** The issuer that these keys are; `certificate` is of an authority that has them. */
export function toIssuer(keys: webcrypto.CryptoKeyPair, certificate?: x509.X509Certificate): Issuer {
  return { key: keys.privateKey, signing: ALGORITHM, ...(certificate && { certificate }) };
}

/** A certificate of an end entity with a random serial number. */
export async function issueCertificate(order: CertificateOrder, issuer: Issuer): Promise<x509.X509Certificate> {
  x509.cryptoProvider.set(crypto);
  const subject = order.commonName === undefined ? [] : [{ CN: [order.commonName] }];
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const usages = order.usages.map((usage) => (usage === "server" ? serverAuth : clientAuth));
  const { certificate } = issuer;
  return x509.X509CertificateGenerator.create({
    subject,
    issuer: certificate?.subjectName.toJSON() ?? subject,
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    signingAlgorithm: issuer.signing,
    publicKey: order.publicKey,
    signingKey: issuer.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      new x509.SubjectAlternativeNameExtension([...order.names], order.commonName === undefined),
      ...(certificate ? [await x509.AuthorityKeyIdentifierExtension.create(certificate)] : []),
    ],
  });
}

/** PEM of a certificate, ended by a line feed. */
export function toCertificatePem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

/** PEM of a private key (PKCS #8), ended by a line feed. */
export async function toKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
