/** Why TLS to an endpoint was not to be had, in fixed words: nothing a peer chose gets into logs this way. */

/** A failure, and what an operator does about it. */
export interface TlsFailure {
  /** For the access log and metrics of whoever counts: fixed words, then OpenSSL's or Node's code where there is one. */
  readonly detail: string;
  readonly hint: string;
}

/** An error as node:tls makes them. */
type CodedError = Error & { readonly code?: unknown; readonly reason?: unknown };

const CA_HINT = "trust the authority that issued the certificate, or let the server present its whole chain";
const RENEW_HINT = "renew the server's certificate, and compare the clocks of both machines";
const CLIENT_HINT = "set a client certificate for this backend that the server accepts";
const PORT_HINT = "check that this port speaks TLS, and the versions and ciphers that both sides allow";
const CRL_HINT =
  "every authority in the chain needs a revocation list that is in force; renew or add it, or remove all";

const ALPN_HINT = "serve the version of HTTP that the port's appProtocol names, or name another there";

const AUTHORITY = { words: "the certificate's authority is not trusted", hint: CA_HINT };
const NO_LIST = { words: "no revocation list in force covers the certificate", hint: CRL_HINT };

const BY_CODE: Readonly<Record<string, { readonly words: string; readonly hint: string }>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: { words: "the certificate is self-signed", hint: CA_HINT },
  SELF_SIGNED_CERT_IN_CHAIN: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: AUTHORITY,
  CERT_SIGNATURE_FAILURE: AUTHORITY,
  CERT_HAS_EXPIRED: { words: "a certificate of the chain has expired", hint: RENEW_HINT },
  CERT_NOT_YET_VALID: { words: "a certificate of the chain is not valid yet", hint: RENEW_HINT },
  CERT_REVOKED: { words: "a certificate of the chain is revoked", hint: "replace the server's certificate" },
  UNABLE_TO_GET_CRL: NO_LIST,
  CRL_HAS_EXPIRED: NO_LIST,
  CRL_NOT_YET_VALID: NO_LIST,
  CRL_SIGNATURE_FAILURE: NO_LIST,
  INVALID_PURPOSE: { words: "the certificate is not for servers", hint: "issue one with the usage serverAuth" },
  ECONNRESET: { words: "the server closed during the handshake", hint: PORT_HINT },
  EPIPE: { words: "the server closed during the handshake", hint: PORT_HINT },
  ERR_SSL_WRONG_VERSION_NUMBER: { words: "the server does not speak TLS", hint: PORT_HINT },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { words: "the server does not speak TLS", hint: PORT_HINT },
  ERR_SSL_UNSUPPORTED_PROTOCOL: { words: "no common version of TLS", hint: PORT_HINT },
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: { words: "no common version of TLS", hint: PORT_HINT },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: { words: "the server wants a client certificate", hint: CLIENT_HINT },
};

/** As BY_CODE, for the many names that OpenSSL has for one thing. */
const BY_PATTERN: readonly (readonly [RegExp, string, string])[] = [
  [/ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/, "the server refused the client certificate", CLIENT_HINT],
  [/ALERT_NO_APPLICATION_PROTOCOL/, "the server speaks no version of HTTP that was offered (ALPN)", ALPN_HINT],
  [/ALERT_UNRECOGNIZED_NAME/, "the server does not know the server name", "correct the hostname of the policy"],
  [/ALERT/, "the server refused the handshake", PORT_HINT],
];

/** The certificate of a peer names nobody who was asked for. Thrown by the check, before a byte is sent. */
export class IdentityError extends Error {
  /** What it names, for the process log; chosen by the peer. */
  readonly names: string;

  constructor(message: string, names: string) {
    super(message);
    this.names = names;
  }
}

/** The server chose no protocol, or another than the only one that will do. */
export class ProtocolError extends Error {}

/** What went wrong with TLS, told from the error that ended the connection. */
export function describeTlsFailure(error: Error): TlsFailure {
  if (error instanceof IdentityError)
    return { detail: error.message, hint: "correct the names of the policy, or the server's certificate" };
  if (error instanceof ProtocolError) return { detail: error.message, hint: ALPN_HINT };
  const { code } = error as CodedError;
  const known = typeof code === "string" ? code : "";
  const found = BY_CODE[known];
  if (found !== undefined) return { detail: withCode(found.words, known), hint: found.hint };
  for (const [pattern, words, hint] of BY_PATTERN)
    if (pattern.test(known)) return { detail: withCode(words, known), hint };
  return { detail: withCode("the handshake failed", known), hint: PORT_HINT };
}

/** Whether an error on an established connection is one of TLS: in TLS 1.3 a server judges the client's certificate then. */
export function isTlsError(error: Error): boolean {
  const { code } = error as CodedError;
  return typeof code === "string" && code.startsWith("ERR_SSL_");
}

function withCode(words: string, code: string): string {
  return /^[A-Z0-9_]{1,80}$/.test(code) ? `${words} (${code})` : words;
}
