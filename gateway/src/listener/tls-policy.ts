/**
 * What is offered in TLS handshakes. The defaults are those that testssl.sh and sslyze grade clean (Mozilla's "intermediate"
 * without finite-field DHE, whose parameters cost a handshake ten times as much):
 * - TLS 1.2 with ECDHE and AEAD ciphers alone. CBC suites (Lucky 13 and its kin) and key exchange without forward secrecy are
 *   left out; every client since 2014 has one of the others.
 * - AES-128 first, which costs least where there are instructions for it, and ChaCha20 for clients that put it first because
 *   they have none.
 * - No SHA-1 or SHA-224 signatures, neither of ours nor of client certificates.
 * - The hybrid of ML-KEM and X25519 (draft-ietf-tls-ecdhe-mlkem) where this OpenSSL has it, then plain elliptic curves.
 */
import { constants } from "node:crypto";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { TlsTermination } from "../router/contract.ts";
import { splitRevocations } from "../wire/revocation-lists.ts";
import { toCiphers } from "../wire/tls-ciphers.ts";
import { openTls } from "../wire/tls-module.ts";

const SIGNATURES = [
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "ecdsa_secp521r1_sha512",
  "ed25519",
  "ed448",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
  "rsa_pss_pss_sha256",
  "rsa_pss_pss_sha384",
  "rsa_pss_pss_sha512",
  "rsa_pkcs1_sha256",
  "rsa_pkcs1_sha384",
  "rsa_pkcs1_sha512",
].join(":");
const CURVES = "X25519:prime256v1:secp384r1";
const HYBRID_CURVES = `X25519MLKEM768:${CURVES}`;

/** Seconds a session can be resumed, as Envoy has it. */
const SESSION_LIFE = 7_200;

/** Our order of ciphers counts; no renegotiation (CVE-2009-3555, CVE-2011-1473). */
const SECURE_OPTIONS =
  constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
  constants.SSL_OP_PRIORITIZE_CHACHA |
  constants.SSL_OP_NO_RENEGOTIATION |
  constants.SSL_OP_NO_COMPRESSION;

const known: { curves: string | undefined } = { curves: undefined };

/** The options of a server that terminates like this. */
export function toServerOptions(termination: TlsTermination): TlsOptions {
  const { certificates, clientValidation, applicationProtocols, minVersion, maxVersion } = termination;
  return {
    cert: certificates.map(({ chain }) => chain),
    key: certificates.map(({ key }) => key),
    minVersion: `TLSv${minVersion}`,
    maxVersion: `TLSv${maxVersion}`,
    ciphers: toCiphers(termination.ciphers),
    sigalgs: SIGNATURES,
    ecdhCurve: (known.curves ??= chooseCurves()),
    secureOptions: SECURE_OPTIONS,
    sessionTimeout: SESSION_LIFE,
    ...(applicationProtocols.length > 0 && { ALPNProtocols: [...applicationProtocols] }),
    ...toValidation(clientValidation),
  };
}

/**
 * `require` is enforced by OpenSSL; in the other modes everybody gets through the handshake and is judged behind it. The
 * list of authorities is never left out: Node would trust, and parse, the public ones.
 */
function toValidation(validation: TlsTermination["clientValidation"]): TlsOptions {
  if (validation === undefined) return { ca: [] };
  const { mode, authorities, revocations } = validation;
  const trust: SecureContextOptions = {
    ca: [...authorities],
    // an authority that was named counts as it stands, also where another one signed it
    allowPartialTrustChain: true,
    ...(revocations.length > 0 && { crl: splitRevocations(revocations) }),
  };
  return { ...trust, requestCert: true, rejectUnauthorized: mode === "require" };
}

function chooseCurves(): string {
  try {
    openTls().createSecureContext({ ecdhCurve: HYBRID_CURVES, ca: [] });
    return HYBRID_CURVES;
  } catch {
    // OpenSSL before 3.5
    return CURVES;
  }
}
