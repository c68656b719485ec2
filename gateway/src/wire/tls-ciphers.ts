/**
 * Cipher suites towards clients and endpoints, best first: AES-128 costs least where there are instructions for it. No CBC
 * (Lucky 13 and its kin), no key exchange without forward secrecy; every peer since 2014 has one of these.
 */

const SUITES_13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const SUITES_12 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** OpenSSL's list. One for one version leaves that of the other as it is: who tightens TLS 1.2 does not turn TLS 1.3 off. */
export function toCiphers(ciphers: readonly string[] | undefined): string {
  const suites13 = ciphers?.filter((name) => name.startsWith("TLS_")) ?? [];
  const suites12 = ciphers?.filter((name) => !name.startsWith("TLS_")) ?? [];
  return [...(suites13.length > 0 ? suites13 : SUITES_13), ...(suites12.length > 0 ? suites12 : SUITES_12)].join(":");
}
