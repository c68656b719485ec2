/** The authority of the mesh: opened from what a Secret holds, whoever made it; signs for proxies and for the controller itself. */
import "reflect-metadata";
import { createPrivateKey, X509Certificate, type KeyObject, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { fail, ok, type Result } from "@sallyport/model/result";
import { createKeys, issueCertificate, type Issuer, toCertificatePem, toKeyPem } from "./issuance.ts";
import { type RequestedKey, readRequest } from "./signing-request.ts";

/** How long certificates of proxies and controllers are good, in milliseconds. */
const CERTIFICATE_LIFE = 86_400_000;
/** Clocks of nodes differ: certificates begin this long before they are made. */
const BACKDATED = 60_000;

/** PEM texts of an authority. */
export interface AuthorityPem {
  /** Its certificate, then those that link it to the trusted ones. */
  readonly certificate: string;
  readonly key: string;
  /** What is trusted. */
  readonly trusted: string;
}

/** A certificate that was issued. */
export interface IssuedCertificate {
  /** PEM: it, and the authority's that signed it. */
  readonly chain: string;
  /** Milliseconds since 1970 at which half of its life is over. */
  readonly renewAt: number;
}

/** Why nothing is signed. */
export interface SigningRefusal {
  readonly kind: "request" | "authority";
  readonly message: string;
}

/** Signs. */
export class Authority {
  /** PEM of what is trusted: what proxies are given as ca.crt. */
  readonly trusted: string;
  readonly #chain: string;
  readonly #issuer: Issuer;
  readonly #validTo: number;

  constructor(pem: AuthorityPem, issuer: Issuer, validTo: number) {
    this.trusted = pem.trusted;
    this.#chain = pem.certificate;
    this.#issuer = issuer;
    this.#validTo = validTo;
  }

  /** A client certificate with this URI for the key of a PKCS #10 request (PEM), or what is wrong with the request or with us. */
  async signRequest(csr: string, uri: string): Promise<Result<IssuedCertificate, SigningRefusal>> {
    const requested = await readRequest(csr);
    if (!requested.ok) return fail({ kind: "request", message: requested.error });
    if (this.#validTo <= Date.now())
      return fail({
        kind: "authority",
        message:
          `the controller's authority expired at ${new Date(this.#validTo).toISOString()}; ` +
          "give it another one (Secret sallyport-ca) and restart the controller",
      });
    return ok(await this.#issue(requested.value, { names: [{ type: "url", value: uri }], usage: "client" }));
  }

  /** A server certificate for these host names, with a new key. */
  async issueServing(hosts: readonly string[]): Promise<IssuedCertificate & { readonly key: string }> {
    const keys = await createKeys();
    const names = hosts.map((value) => ({ type: "dns", value }) as const);
    return { ...(await this.#issue(keys.publicKey, { names, usage: "server" })), key: await toKeyPem(keys.privateKey) };
  }

  async #issue(
    publicKey: RequestedKey | webcrypto.CryptoKey,
    { names, usage }: { readonly names: readonly x509.JsonGeneralName[]; readonly usage: "client" | "server" },
  ): Promise<IssuedCertificate> {
    const now = Date.now();
    const end = Math.min(now + CERTIFICATE_LIFE, this.#validTo);
    const certificate = await issueCertificate(
      { names, usages: [usage], notBefore: new Date(now - BACKDATED), notAfter: new Date(end), publicKey },
      this.#issuer,
    );
    return {
      chain: toCertificatePem(certificate) + this.#chain,
      renewAt: Math.floor(now + Math.max(0, end - now) / 2),
    };
  }
}

/** Opens an authority, or says what is wrong with it. */
export async function openAuthority(pem: AuthorityPem): Promise<Result<Authority, string>> {
  x509.cryptoProvider.set(crypto);
  const chain = parseCertificates(pem.certificate);
  const trusted = parseCertificates(pem.trusted);
  const [own] = chain;
  if (own === undefined) return fail("tls.crt is no PEM certificate");
  if (trusted.length === 0) return fail("ca.crt is no PEM certificate");
  const key = parseKey(pem.key);
  if (key === undefined) return fail("tls.key is no PEM private key");
  const flaw = findFlaw(own, key) ?? findGap(chain, trusted);
  if (flaw !== undefined) return fail(flaw);
  const issuer = await toIssuer(own, key);
  if (issuer === undefined) return fail("tls.key must be ECDSA (P-256, P-384, P-521), RSA or Ed25519");
  const tidy = { ...pem, certificate: chain.map((each) => each.toString()).join("") };
  return ok(new Authority(tidy, issuer, own.validToDate.getTime()));
}

function parseCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // Why not may quote the key.
    return undefined;
  }
}

function findFlaw(own: X509Certificate, key: KeyObject): string | undefined {
  if (!own.ca) return "tls.crt is not the certificate of an authority (basicConstraints CA:TRUE)";
  if (!own.checkPrivateKey(key)) return "tls.key is not the key of tls.crt";
  if (own.validToDate.getTime() <= Date.now()) return `tls.crt expired at ${own.validToDate.toISOString()}`;
  if (own.validFromDate.getTime() > Date.now()) return `tls.crt is not valid before ${own.validFromDate.toISOString()}`;
  return undefined;
}

/** Proxies that trust ca.crt must be able to get from it to what tls.crt signs. */
function findGap(chain: readonly X509Certificate[], trusted: readonly X509Certificate[]): string | undefined {
  for (const [index, certificate] of chain.entries()) {
    if (trusted.some((root) => root.fingerprint256 === certificate.fingerprint256 || isSigner(root, certificate)))
      return undefined;
    const next = chain[index + 1];
    if (next !== undefined && !isSigner(next, certificate)) break;
  }
  return "no certificate of ca.crt signs tls.crt, directly or by those that follow it in tls.crt";
}

function isSigner(signer: X509Certificate, signed: X509Certificate): boolean {
  return signed.checkIssued(signer) && signed.verify(signer.publicKey);
}

const CURVES: Readonly<Record<string, readonly [namedCurve: string, hash: string]>> = {
  prime256v1: ["P-256", "SHA-256"],
  secp384r1: ["P-384", "SHA-384"],
  secp521r1: ["P-521", "SHA-512"],
};

async function toIssuer(own: X509Certificate, key: KeyObject): Promise<Issuer | undefined> {
  const algorithm = toAlgorithm(key);
  if (algorithm === undefined) return undefined;
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const imported = await crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), algorithm, false, ["sign"]);
  return { certificate: new x509.X509Certificate(own.raw), key: imported, signing: algorithm };
}

function toAlgorithm(
  key: KeyObject,
):
  | (webcrypto.EcKeyImportParams & webcrypto.EcdsaParams)
  | webcrypto.RsaHashedImportParams
  | { name: string }
  | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (asymmetricKeyType === "ed25519") return { name: "Ed25519" };
  const [namedCurve, hash] = CURVES[asymmetricKeyDetails?.namedCurve ?? ""] ?? [];
  if (asymmetricKeyType !== "ec" || namedCurve === undefined || hash === undefined) return undefined;
  return { name: "ECDSA", namedCurve, hash };
}
