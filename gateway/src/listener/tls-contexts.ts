/** Secure contexts by certificate: made when a client first asks for one, because each costs about a millisecond and 50 kB. */
import { constants } from "node:crypto";
import type * as tls from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import type { CompiledTls } from "../router/contract.ts";

/** A certificate as the configuration knows it. */
export type ServerCertificate = NonNullable<ReturnType<CompiledTls["certificate"]>>;

/** What all contexts have in common: TLS 1.2 and 1.3, our order of ciphers, no renegotiation (CVE-2011-1473 and its kin). */
export const SECURE_DEFAULTS: SecureContextOptions = {
  minVersion: "TLSv1.2",
  secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_NO_RENEGOTIATION,
};

/**
 * Node's TLS, loaded when a port first needs it: an isolate that terminates no TLS does without, which spares it 4 MB (Node
 * reads the certificates of all the authorities it knows as soon as the module is loaded).
 */
export function openTls(): typeof tls {
  return process.getBuiltinModule("node:tls");
}

/** The contexts used last; those beyond the capacity are made anew when they are asked for again. */
export class SecureContexts {
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #contexts = new Map<string, SecureContext>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#contexts.size;
  }

  /** The context of a certificate. Throws where chain and key cannot be used, which validation should have found. */
  of(certificate: ServerCertificate): SecureContext {
    const known = this.#contexts.get(certificate.id);
    const context = known ?? openTls().createSecureContext(toContextOptions(certificate));
    if (known !== undefined) this.#contexts.delete(certificate.id);
    this.#contexts.set(certificate.id, context);
    if (this.#contexts.size > this.#capacity) {
      const oldest = this.#contexts.keys().next();
      if (oldest.done !== true) this.#contexts.delete(oldest.value);
    }
    return context;
  }
}

/** What node:tls takes for a certificate. */
export function toContextOptions(certificate: ServerCertificate): SecureContextOptions {
  return { ...SECURE_DEFAULTS, cert: certificate.chain, key: certificate.key };
}
