// Certificates for tests: a CA, leaves it signs, and leaves that sign themselves. ECDSA P-256, PEM, made in about a millisecond.
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate and its key, both PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** What a leaf certificate says. */
export interface LeafOptions {
  /** Subject alternative names: DNS names, wildcards, IP literals, or URIs (SPIFFE ids). */
  readonly names: readonly string[];
  readonly commonName?: string;
  /** Default: both. */
  readonly usage?: "server" | "client";
  /** Default: ecdsa (P-256). rsa is of 2048 bits and takes a tenth of a second. */
  readonly keys?: "ecdsa" | "rsa";
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in a day. */
  readonly notAfter?: Date;
}

/** A certificate authority. */
export interface CertificateAuthority {
  /** PEM of its own certificate, for trust stores. */
  readonly cert: string;
  /** Issues a leaf. Serial numbers are random. */
  issue(options: LeafOptions): Promise<CertifiedKey>;
  /** A revocation list of these certificates (PEM), with a day to go; may be empty. PEM. */
  revoke(certificates: readonly string[]): Promise<string>;
  /** Makes an authority below this one; put its `cert` after the leaf's to present a chain. */
  intermediate(commonName: string): Promise<CertificateAuthority>;
}

interface Issuer {
  readonly name: string;
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
} as const;
const HOUR = 3_600_000;

/** Makes a self-signed authority, valid for a day. */
export async function createAuthority(commonName = "Sallyport test CA"): Promise<CertificateAuthority> {
  return authority(commonName, undefined);
}

/** Makes a leaf that signed itself. */
export async function createSelfSigned(options: LeafOptions): Promise<CertifiedKey> {
  return issue(options, undefined);
}

async function authority(commonName: string, parent: Issuer | undefined): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: parent?.name ?? `CN=${commonName}`,
    ...validity({}),
    publicKey: keys.publicKey,
    signingKey: parent?.privateKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const self: Issuer = { name: `CN=${commonName}`, certificate, privateKey: keys.privateKey };
  return {
    cert: pem(certificate),
    issue: (options) => issue(options, self),
    revoke: (certificates) => revoke(certificates, self),
    intermediate: (name) => authority(name, self),
  };
}

async function revoke(certificates: readonly string[], issuer: Issuer): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.name,
    thisUpdate: new Date(Date.now() - HOUR),
    nextUpdate: new Date(Date.now() + 24 * HOUR),
    entries: certificates.map((text) => ({
      serialNumber: new x509.X509Certificate(text).serialNumber,
      revocationDate: new Date(Date.now() - HOUR),
    })),
    signingKey: issuer.privateKey,
    signingAlgorithm: ALGORITHM,
  });
  return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
}

async function issue(options: LeafOptions, issuer: Issuer | undefined): Promise<CertifiedKey> {
  const keys = await generateKeys(options.keys);
  const name = `CN=${options.commonName ?? "test"}`;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: issuer?.name ?? name,
    ...validity(options),
    publicKey: keys.publicKey,
    signingKey: issuer?.privateKey ?? keys.privateKey,
    signingAlgorithm: issuer === undefined && options.keys === "rsa" ? RSA : ALGORITHM,
    extensions: await leafExtensions(options, issuer),
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: pem(certificate), key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n` };
}

async function leafExtensions(options: LeafOptions, issuer: Issuer | undefined): Promise<x509.Extension[]> {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const usages = { server: [serverAuth], client: [clientAuth], both: [serverAuth, clientAuth] };
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    // RSA keys encipher as well, in handshakes of old
    new x509.KeyUsagesExtension(
      options.keys === "rsa"
        ? x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment
        : x509.KeyUsageFlags.digitalSignature,
      true,
    ),
    new x509.ExtendedKeyUsageExtension(usages[options.usage ?? "both"]),
    ...(options.names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(options.names.map(toName))]),
    ...(issuer === undefined ? [] : [await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate)]),
  ];
}

function toName(value: string): x509.JsonGeneralName {
  if (isIP(value) !== 0) return { type: "ip", value };
  return value.includes("://") ? { type: "url", value } : { type: "dns", value };
}

function validity({ notBefore, notAfter }: Pick<LeafOptions, "notBefore" | "notAfter">): {
  notBefore: Date;
  notAfter: Date;
} {
  return {
    notBefore: notBefore ?? new Date(Date.now() - HOUR),
    notAfter: notAfter ?? new Date(Date.now() + 24 * HOUR),
  };
}

async function generateKeys(kind: LeafOptions["keys"] = "ecdsa"): Promise<webcrypto.CryptoKeyPair> {
  return kind === "rsa"
    ? crypto.subtle.generateKey(RSA, true, ["sign", "verify"])
    : crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
