/** What a listener for HTTPS offers in ALPN. */
import type { ListenerTls } from "@sallyport/model/listener";

const ALL = ["h2", "http/1.1"];
const WITHOUT_HTTP2 = ["http/1.1"];

/** What is left of TLS 1.2 for HTTP/2 (RFC 9113 section 9.2.2): ephemeral keys and AEAD, by their names of OpenSSL. */
const FIT = /^(?:EC)?DHE-.*(?:GCM|CCM8?|POLY1305)/;

/**
 * The protocols, best first. HTTP/2 is left out where a client of TLS 1.2 that has the suites HTTP/2 asks for could be given another
 * one, for it would end such a connection: where the user's list puts one that is not fit before one that is, or has none that is.
 */
export function toApplicationProtocols({ ciphers = [], minVersion }: ListenerTls): readonly string[] {
  const suites = ciphers.filter((name) => !name.startsWith("TLS_"));
  if (minVersion === "1.3" || suites.length === 0) return ALL;
  const firstUnfit = suites.findIndex((name) => !FIT.test(name));
  const lastFit = suites.findLastIndex((name) => FIT.test(name));
  return lastFit >= 0 && (firstUnfit < 0 || lastFit < firstUnfit) ? ALL : WITHOUT_HTTP2;
}
