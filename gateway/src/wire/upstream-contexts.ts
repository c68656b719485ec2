/**
 * Secure contexts towards endpoints: made when a connection first needs one, kept while they are used. Clusters that differ
 * only in the names they want share one: with the machine's authorities it costs 13 ms and over a megabyte.
 */
import { constants, createHash } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import type { UpstreamTlsSettings } from "../cluster/contract.ts";
import { splitRevocations } from "./revocation-lists.ts";
import { toCiphers } from "./tls-ciphers.ts";
import { openTls } from "./tls-module.ts";

/** No renegotiation (CVE-2009-3555), no compression (CVE-2012-4929). */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION;

/** The contexts used last; those beyond the capacity are made anew when they are asked for again. */
export class UpstreamContexts {
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #contexts = new Map<string, SecureContext>();
  readonly #keys = new WeakMap<UpstreamTlsSettings, string>();
  #systemAuthorities: string[] | undefined = undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Contexts kept now. */
  get size(): number {
    return this.#contexts.size;
  }

  /** The context of these settings. Throws where OpenSSL cannot use them. */
  of(settings: UpstreamTlsSettings): SecureContext {
    let key = this.#keys.get(settings);
    if (key === undefined) this.#keys.set(settings, (key = toKey(settings)));
    const known = this.#contexts.get(key);
    const context = known ?? openTls().createSecureContext(this.#toOptions(settings));
    if (known !== undefined) this.#contexts.delete(key);
    this.#contexts.set(key, context);
    if (this.#contexts.size > this.#capacity) {
      const oldest = this.#contexts.keys().next();
      if (oldest.done !== true) this.#contexts.delete(oldest.value);
    }
    return context;
  }

  #toOptions(settings: UpstreamTlsSettings): SecureContextOptions {
    const { authorities, revocations, clientCertificate, minVersion, maxVersion, ciphers } = settings;
    const crl = splitRevocations(revocations);
    return {
      ca: authorities === undefined ? this.#findSystemAuthorities() : [...authorities],
      // an authority that was named counts as it stands, also where another one signed it
      allowPartialTrustChain: authorities !== undefined,
      ...(crl.length > 0 && { crl }),
      ...(clientCertificate !== undefined && { cert: clientCertificate.chain, key: clientCertificate.key }),
      minVersion: `TLSv${minVersion}`,
      maxVersion: `TLSv${maxVersion}`,
      ciphers: toCiphers(ciphers),
      secureOptions: SECURE_OPTIONS,
    };
  }

  /**
   * The trust store of this machine (SSL_CERT_FILE and SSL_CERT_DIR, else OpenSSL's default places), as other proxies have
   * it; where there is none, as in an image without ca-certificates, the list of Mozilla that Node brings along.
   */
  #findSystemAuthorities(): string[] {
    if (this.#systemAuthorities !== undefined) return this.#systemAuthorities;
    const { getCACertificates } = openTls();
    // a directory with links to its files has everything several times
    const system = [...new Set(getCACertificates("system"))];
    this.#systemAuthorities = system.length > 0 ? system : getCACertificates("bundled");
    return this.#systemAuthorities;
  }
}

/** All that goes into a context. */
function toKey(settings: UpstreamTlsSettings): string {
  const { authorities, revocations, clientCertificate, minVersion, maxVersion, ciphers } = settings;
  const { chain, key } = clientCertificate ?? {};
  const all = JSON.stringify([authorities ?? "system", revocations, chain, key, minVersion, maxVersion, ciphers]);
  return createHash("sha256").update(all).digest("base64");
}
