// What clients offer in a TLS handshake. Each offers one choice only, so that every proxy does the same cryptography
// whatever it prefers: a server on OpenSSL 3.5 would otherwise answer a client of its own kind with a post-quantum key
// exchange, and one on OpenSSL 3.0 could not.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";

/** The one version, cipher and group. */
export const offered = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", group: "X25519" } as const;

/** The offer in words, for reports. */
export const offeredTls: string = Object.values(offered).join(", ");

/** The offer for clients on node:tls, which trust this certificate and no other. */
export function pinnedContext(ca: string | Buffer): SecureContext {
  const { version, cipher, group } = offered;
  return createSecureContext({ minVersion: version, maxVersion: version, ciphers: cipher, ecdhCurve: group, ca });
}

/** The same offer as a file that OPENSSL_CONF names, for clients that have no option for it. */
export function writeOpensslConfig(directory: string): string {
  const { version, cipher, group } = offered;
  const file = join(directory, "openssl.cnf");
  writeFileSync(
    file,
    `openssl_conf = library
[library]
ssl_conf = modules
[modules]
system_default = offer
[offer]
MinProtocol = ${version}
MaxProtocol = ${version}
Ciphersuites = ${cipher}
Groups = ${group}
`,
  );
  return file;
}

/** Throws when the connection uses something else than what was offered. */
export function assertNegotiated(socket: TLSSocket): void {
  const { version, cipher, group } = offered;
  const key = socket.getEphemeralKeyInfo();
  const negotiated = [socket.getProtocol(), socket.getCipher().name, key !== null && "name" in key ? key.name : ""];
  if (negotiated.join() !== [version, cipher, group].join())
    throw new Error(`TLS with ${negotiated.join(", ")} instead of ${offeredTls}`);
}
