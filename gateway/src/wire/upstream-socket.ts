/**
 * Opens sockets to endpoints, in the clear or with TLS. A TLS connection is up only when the chain of the peer's
 * certificate and its identity are verified; whoever writes waits for that, so that no byte of a request reaches anybody
 * else. There is no way back from TLS to the clear.
 */
import { X509Certificate } from "node:crypto";
import { isIP, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { UpstreamEndpoint, UpstreamTlsSettings } from "../cluster/contract.ts";
import type { Inlet } from "./inlet.ts";
import type { SocketWays } from "./outlet.ts";
import { isReserved } from "./own-ports.ts";
import { adoptReads, openSocket } from "./rehouse.ts";
import { describeTlsFailure, IdentityError, ProtocolError } from "./tls-failure.ts";
import { openTls } from "./tls-module.ts";
import { UpstreamContexts } from "./upstream-contexts.ts";
import { checkIdentity } from "./upstream-identity.ts";
import { UpstreamSessions } from "./upstream-sessions.ts";
import { UpstreamWarnings, type WarningLog } from "./upstream-warnings.ts";

/** Where to connect, and how. */
export interface UpstreamTarget {
  /** Key of the cluster, for logs. */
  readonly cluster: string;
  /** Only an IP literal is dialled. */
  readonly endpoint: Pick<UpstreamEndpoint, "address" | "port" | "label">;
  /** Undefined: in the clear. */
  readonly tls: UpstreamTlsSettings | undefined;
  /** Protocols to offer in the TLS handshake (RFC 7301), best first; empty: none. */
  readonly applicationProtocols: readonly string[];
  /** The server must choose this one; absent: it may choose, or not. */
  readonly required?: string;
  /** Goes out first, in front of TLS as well: a PROXY header. */
  readonly preface?: Buffer | undefined;
  /** As in OpenOptions. */
  readonly tcpKeepAlive?: number | undefined;
  /** Default `tuned`. */
  readonly ways?: SocketWays | undefined;
  readonly log: WarningLog;
}

/** Who wants the socket. Exactly one of these is called, later than connectUpstream returns, unless it destroys the socket before. */
export interface UpstreamSocketOwner {
  /** It is up (and the peer has proven who it is). Errors and the end are the owner's to listen to from now on. */
  onUp(): void;
  /** There will be no connection. `detail`: what is wrong with TLS, "" for everything else. The socket is destroyed. */
  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void;
}

/** A socket on its way. */
export interface UpstreamSocket {
  /** To write to once it is up (in the clear: at once) and to destroy whenever. Times out only if its owner sees to it. */
  readonly socket: Socket;
  /** How it is to be written to. */
  readonly ways: SocketWays;
}

/** A socket that is up, and what it is read by. */
export interface SettledSocket extends UpstreamSocket {
  readonly inlet: Inlet;
}

/** Milliseconds that a session may stand for a certificate that was verified. */
const SESSION_LIFE = 3_600_000;
/** Endpoints (each with its settings) whose sessions are kept. */
const SESSION_CAPACITY = 512;
const CONTEXT_CAPACITY = 128;

/** What the connections of this thread share. */
const contexts = new UpstreamContexts(CONTEXT_CAPACITY);
const sessions = new UpstreamSessions(SESSION_CAPACITY);
const warnings = new UpstreamWarnings("TLS to an upstream endpoint failed; requests to it are answered 503");
const refusals = new UpstreamWarnings("an upstream endpoint is the admin API of this proxy; nothing is sent to it");

/** Begins to connect. What is read goes to the inlet, which delivers only once the connection is up. */
export function connectUpstream(target: UpstreamTarget, inlet: Inlet, owner: UpstreamSocketOwner): UpstreamSocket {
  return target.tls === undefined
    ? connectPlain(target, inlet, owner)
    : new TlsHandshake(target, target.tls, { inlet, owner });
}

function connectPlain(target: UpstreamTarget, inlet: Inlet, owner: UpstreamSocketOwner): UpstreamSocket {
  const socket = openSocket(inlet);
  let settled = false;
  socket.once("connect", () => {
    settled = true;
    if (target.preface !== undefined) socket.write(target.preface);
    owner.onUp();
  });
  socket.on("error", () => {
    if (settled) return;
    settled = true;
    owner.onUpFailed("connect-failure", "");
  });
  dial(socket, target);
  return { socket, ways: target.ways ?? "tuned" };
}

const OWN_PORT = {
  detail: "its address is loopback, its port that of --admin",
  hint: "find out who wrote this Service: by it others could have read the configuration, or had the proxy drained",
};

/** A name would be looked up with the machine's resolver, and what that says is nobody's configuration. */
function dial(socket: Socket, { cluster, endpoint, tcpKeepAlive, log }: UpstreamTarget): boolean {
  const { address, port, label } = endpoint;
  if (isReserved(address, port)) {
    refusals.warn(log, { ...OWN_PORT, cluster, endpoint: label }, performance.now());
    socket.destroy(new Error(`${label} is the admin API`));
    return false;
  }
  const isLiteral = isIP(address) !== 0;
  // the kernel counts in seconds, and takes 0 for its own default of hours
  if (tcpKeepAlive !== undefined) socket.setKeepAlive(true, Math.max(1_000, tcpKeepAlive));
  if (isLiteral) socket.connect({ host: address, port });
  else socket.destroy(new Error(`${label} has no IP address`));
  return isLiteral;
}

/** From the first packet to a verified peer. */
class TlsHandshake implements UpstreamSocket {
  readonly socket: Socket;
  /** Over TLS every write completes a turn later: there is nothing to gain by tuning. */
  readonly ways = "documented";
  readonly #target: UpstreamTarget;
  readonly #settings: UpstreamTlsSettings;
  readonly #inlet: Inlet;
  readonly #owner: UpstreamSocketOwner;
  readonly #sessionKey: string;
  #phase: "connecting" | "securing" | "settled" = "connecting";
  /** When what the peer has proven gets too old for new connections; milliseconds since 1970. */
  #expires = 0;

  constructor(
    target: UpstreamTarget,
    settings: UpstreamTlsSettings,
    { inlet, owner }: { readonly inlet: Inlet; readonly owner: UpstreamSocketOwner },
  ) {
    const { address, port } = target.endpoint;
    this.#target = target;
    this.#settings = settings;
    this.#inlet = inlet;
    this.#owner = owner;
    this.#sessionKey = `${settings.id} ${address} ${port}`;
    this.socket = this.#open();
  }

  #open(): Socket {
    const { preface } = this.#target;
    const tcp = new Socket({ allowHalfOpen: true });
    tcp.setNoDelay(true);
    // first in line: TLS begins with this event too
    tcp.once("connect", () => {
      this.#phase = "securing";
      if (preface !== undefined) tcp.write(preface);
    });
    const dialled = dial(tcp, this.#target);
    const socket = dialled ? this.#secure(tcp) : tcp;
    socket.on("error", (error) => this.#fail(error));
    return socket;
  }

  #secure(tcp: Socket): Socket {
    try {
      const socket = openTls().connect(this.#toOptions(tcp));
      tcp.on("error", (error) => socket.destroy(error));
      socket.on("close", () => tcp.destroy());
      socket.once("secureConnect", () => this.#onSecured(socket));
      socket.on("session", (session) => this.#keepSession(socket, session));
      return socket;
    } catch (error) {
      // settings that OpenSSL cannot use; told when the caller has its socket
      this.#phase = "securing";
      tcp.destroy(error instanceof Error ? error : new Error(String(error)));
      return tcp;
    }
  }

  #toOptions(tcp: Socket): ConnectionOptions {
    const settings = this.#settings;
    const { serverName } = settings;
    const secureContext = contexts.of(settings);
    const kept = sessions.take(this.#sessionKey, Date.now());
    this.#expires = kept?.expires ?? 0;
    return {
      socket: tcp,
      secureContext,
      // said out loud, because an environment variable can change what Node does by default
      rejectUnauthorized: true,
      // not called for a resumed session: that one stands for a certificate checked under the same settings
      checkServerIdentity: (_name, { raw }) => this.#check(raw),
      ALPNProtocols: [...this.#target.applicationProtocols],
      // RFC 6066 section 3: no literal addresses
      ...(serverName !== "" && isIP(serverName) === 0 && { servername: serverName }),
      ...(kept !== undefined && { session: kept.session }),
    };
  }

  #check(raw: Buffer): Error | undefined {
    try {
      const certificate = new X509Certificate(raw);
      this.#expires = Math.min(Date.now() + SESSION_LIFE, Date.parse(certificate.validTo));
      return checkIdentity(certificate, this.#settings);
    } catch {
      return new IdentityError("the names of the certificate cannot be read", "");
    }
  }

  #onSecured(socket: TLSSocket): void {
    if (this.#phase === "settled") return;
    if (!socket.authorized) {
      socket.destroy(new Error("the certificate was not verified"));
      return;
    }
    const { required } = this.#target;
    if (required !== undefined && socket.alpnProtocol !== required) {
      socket.destroy(new ProtocolError(`the server did not choose the protocol ${required} (ALPN)`));
      return;
    }
    this.#phase = "settled";
    if (this.#target.ways === "documented" || !adoptReads(socket, this.#inlet)) this.#inlet.attachData(socket);
    if (this.#inlet.paused) socket.pause();
    this.#owner.onUp();
  }

  #keepSession(socket: TLSSocket, session: Buffer): void {
    const { authorized, destroyed } = socket;
    if (!authorized || destroyed || this.#expires <= Date.now()) return;
    const use = socket.getProtocol() === "TLSv1.3" ? "once" : "often";
    sessions.put(this.#sessionKey, { session, expires: this.#expires, use });
  }

  #fail(error: Error): void {
    const phase = this.#phase;
    if (phase === "settled") return;
    this.#phase = "settled";
    if (phase === "connecting") {
      this.#owner.onUpFailed("connect-failure", "");
      return;
    }
    sessions.drop(this.#sessionKey);
    const { cluster, endpoint, log } = this.#target;
    const { serverName } = this.#settings;
    const failure = describeTlsFailure(error);
    const names = error instanceof IdentityError ? error.names : undefined;
    warnings.warn(log, { ...failure, cluster, endpoint: endpoint.label, serverName, names }, performance.now());
    this.#owner.onUpFailed("upstream-tls-failure", failure.detail);
  }
}
