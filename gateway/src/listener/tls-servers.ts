/**
 * Servers that terminate TLS and never listen, one for each way of terminating. A server of its own, and not a context by
 * SNICallback: client certificates, versions and application protocols differ by name, too, and the name is known already.
 * Each is made when a client first needs it (about a millisecond and 50 kB), so that thousands of certificates cost nothing.
 */
import { createHash, createHmac } from "node:crypto";
import type { Server, TLSSocket } from "node:tls";
import type { BugLog } from "../exchange/dependencies.ts";
import type { TlsTermination } from "../router/contract.ts";
import type { SessionKeys } from "./session-keys.ts";
import { openTls } from "../wire/tls-module.ts";
import { toServerOptions } from "./tls-policy.ts";

/** Milliseconds after which a server that nobody needed is let go: its configuration is most likely gone. */
const IDLE = 900_000;
/** Bytes that OpenSSL takes as a session id context. */
const CONTEXT_SIZE = 32;
/** Bytes of name, HMAC key and cipher key of session tickets. */
const TICKET_KEYS_SIZE = 48;

/** What servers are made with. */
export interface TlsServersOptions {
  /** Servers that are kept; those used last. */
  readonly capacity: number;
  /** Shared by all threads; undefined: sessions are resumed by the thread that made them alone. */
  readonly sessionKeys: SessionKeys | undefined;
  readonly log: BugLog;
  now(): number;
  /** A handshake has ended well, as far as OpenSSL is concerned. */
  onSecure(socket: TLSSocket): void;
}

interface Kept {
  readonly server: Server | undefined;
  /** Of the keys it has. */
  keys: number;
  usedAt: number;
}

/** The servers of one port. */
export class TlsServers {
  readonly #options: TlsServersOptions;
  /** By id of the termination, least recently used first. */
  readonly #servers = new Map<string, Kept>();

  constructor(options: TlsServersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#servers.size;
  }

  /** The server, with the session keys in force; undefined where certificates or authorities cannot be used, which is logged. */
  of(termination: TlsTermination): Server | undefined {
    const { id } = termination;
    const now = this.#options.now();
    let kept = this.#servers.get(id);
    if (kept === undefined) {
      kept = { server: this.#open(termination), keys: -1, usedAt: now };
      this.#tidy(now);
    } else this.#servers.delete(id);
    kept.usedAt = now;
    this.#servers.set(id, kept);
    this.#followKeys(kept, termination);
    return kept.server;
  }

  #open(termination: TlsTermination): Server | undefined {
    try {
      const server = openTls().createServer({
        ...toServerOptions(termination),
        sessionIdContext: toSessionIdContext(termination.sessionContext),
      });
      server.on("secureConnection", (socket) => this.#options.onSecure(socket));
      // the client's doing
      server.on("tlsClientError", (_error, socket) => socket.destroy());
      offerStaple(server, termination);
      return server;
    } catch (error) {
      this.#options.log.error("cannot terminate TLS: a certificate, key, authority or cipher list is unusable", {
        error,
        termination: termination.id,
      });
      return undefined;
    }
  }

  /** Makes room for one more. */
  #tidy(now: number): void {
    for (const [id, { usedAt }] of this.#servers) {
      if (this.#servers.size < this.#options.capacity && now - usedAt < IDLE) return;
      this.#servers.delete(id);
    }
  }

  #followKeys(kept: Kept, { sessionContext }: TlsTermination): void {
    const keys = this.#options.sessionKeys?.read();
    if (keys === undefined || keys.version === kept.keys) return;
    kept.keys = keys.version;
    kept.server?.setTicketKeys(deriveTicketKeys(keys.bytes, sessionContext));
  }
}

/**
 * Ticket keys of one session context: those of another cannot even be read, which is a second lock behind OpenSSL's own
 * comparison of contexts.
 */
function deriveTicketKeys(shared: Uint8Array, sessionContext: string): Buffer {
  return createHmac("sha512", shared).update(sessionContext).digest().subarray(0, TICKET_KEYS_SIZE);
}

function toSessionIdContext(sessionContext: string): string {
  return createHash("sha256").update(sessionContext).digest("hex").slice(0, CONTEXT_SIZE);
}

/**
 * Staples where there is one certificate: of several, Node does not say which one the client will be shown, and the status of
 * another certificate is worse than none.
 */
function offerStaple(server: Server, { certificates }: TlsTermination): void {
  const [only, another] = certificates;
  const staple = only?.ocspStaple;
  if (staple === undefined || another !== undefined) return;
  server.on("OCSPRequest", (_certificate, _issuer, callback) => callback(null, staple));
}
