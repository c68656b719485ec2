/** Revocation lists as node:tls takes them. */

const LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** Every list by itself: of several in one text OpenSSL's reader would take the first, and know nothing of other issuers'. */
export function splitRevocations(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.match(LIST) ?? [text]);
}
