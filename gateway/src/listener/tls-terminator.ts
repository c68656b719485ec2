/**
 * TLS of one port: a server that never listens and is fed accepted sockets. Certificates come from the configuration in
 * force when a handshake asks for one; what fails before a request can be read (a bad handshake, plain HTTP, no
 * certificate for the name) closes the connection without an answer.
 */
import type { Socket } from "node:net";
import type { SecureContext, Server, TLSSocket } from "node:tls";
import type { BugLog } from "../exchange/dependencies.ts";
import type { CompiledTls } from "../router/contract.ts";
import { openTls, SECURE_DEFAULTS, SecureContexts, toContextOptions } from "./tls-contexts.ts";

/** Contexts kept by one port. */
const CONTEXTS = 512;
/** Milliseconds for a handshake. */
const HANDSHAKE_TIMEOUT = 10_000;

/** What terminating takes. */
export interface TlsTerminatorOptions {
  /** The certificates in force; undefined where the port has none any more. */
  certificates(): CompiledTls | undefined;
  onSecure(socket: TLSSocket): void;
  readonly log: BugLog;
  /** 48 bytes that all threads share, so that a session can be resumed on any of them. */
  readonly ticketKeys?: Buffer;
}

/** Terminates TLS. */
export class TlsTerminator {
  readonly #options: TlsTerminatorOptions;
  readonly #server: Server;
  readonly #contexts = new SecureContexts(CONTEXTS);
  /** The certificate for clients that send no name; "" for none. */
  #defaultId = "";

  constructor(options: TlsTerminatorOptions) {
    this.#options = options;
    this.#server = openTls().createServer({
      ...SECURE_DEFAULTS,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      SNICallback: (name, callback) => this.#choose(name, callback),
    });
    this.#shareTickets();
    this.#server.on("secureConnection", (socket) => options.onSecure(socket));
    // the client's doing; node closes the socket
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Takes over an accepted socket. */
  accept(raw: Socket): void {
    this.#followDefault();
    this.#server.emit("connection", raw);
  }

  /** Clients without SNI get the context of the server itself, so that has to follow the configuration. */
  #followDefault(): void {
    const certificate = this.#options.certificates()?.certificate(undefined);
    const id = certificate?.id ?? "";
    if (id === this.#defaultId) return;
    try {
      this.#server.setSecureContext(certificate === undefined ? SECURE_DEFAULTS : toContextOptions(certificate));
      this.#shareTickets();
    } catch (error) {
      this.#options.log.error("cannot use a certificate", { error, certificate: id });
    }
    this.#defaultId = id;
  }

  #choose(name: string, callback: (error: Error | null, context?: SecureContext) => void): void {
    const certificate = this.#options.certificates()?.certificate(name.toLowerCase());
    if (certificate === undefined) {
      callback(new Error("no certificate for this name"));
      return;
    }
    try {
      callback(null, this.#contexts.of(certificate));
    } catch (error) {
      this.#options.log.error("cannot use a certificate", { error, certificate: certificate.id });
      callback(new Error("unusable certificate"));
    }
  }

  #shareTickets(): void {
    if (this.#options.ticketKeys !== undefined) this.#server.setTicketKeys(this.#options.ticketKeys);
  }
}
