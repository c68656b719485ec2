/**
 * A connection from accept to where somebody serves it: the PROXY header of a trusted peer is read, then a ClientHello, then
 * TLS is terminated or passed on. All of this has one time limit, so that a flood of silent connections holds nothing for long.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { BodyLease, DownstreamTls } from "../exchange/contract.ts";
import { LINGER } from "../exchange/lingering-close.ts";
import type { CompiledBind, CompiledTlsChain, TlsTermination } from "../router/contract.ts";
import { Timed } from "../time/wheel.ts";
import type { ByteReader, Inlet } from "../wire/inlet.ts";
import { ClientHelloSniffer } from "./client-hello.ts";
import { closeUnserved } from "./close-unserved.ts";
import { describeProxied, type ConnectionEnds } from "./ends.ts";
import { parseProxyHeader } from "./proxy-header.ts";
import { describeTls } from "./tls-facts.ts";
import type { Terminating } from "./tls-terminator.ts";
import { PLAIN_ON_TLS, readsAsHttp } from "./plain-http.ts";
import type { ArrivalOwner } from "./arrival-owner.ts";

/** `header`, `hello`: bytes are read; `handshake`: terminating, or waiting for that; `refused`: answered, lingers; `over`: served or closed. */
type State = "header" | "hello" | "handshake" | "refused" | "over";

const NOTHING = Buffer.alloc(0);

/** One connection on its way. */
export class Arrival extends Timed implements ByteReader, Terminating {
  readonly socket: Socket;
  readonly pair: string;
  readonly #inlet: Inlet;
  readonly #owner: ArrivalOwner;
  /** In force when it was accepted: what the port is does not change for it. */
  readonly #bind: CompiledBind;
  #ends: ConnectionEnds;
  #state: State = "header";
  /** Of a header that is not complete. */
  #early: Buffer = NOTHING;
  #sniffer: ClientHelloSniffer | undefined = undefined;
  #serverName: string | undefined = undefined;
  #chain: CompiledTlsChain | undefined = undefined;

  constructor(socket: Socket, inlet: Inlet, ends: ConnectionEnds, owner: ArrivalOwner) {
    super();
    this.socket = socket;
    this.pair = `${ends.peer} ${ends.local}`;
    this.#inlet = inlet;
    this.#ends = ends;
    this.#owner = owner;
    this.#bind = owner.currentBind();
  }

  get closed(): boolean {
    return this.#state === "over";
  }

  get head(): Buffer {
    return this.#sniffer?.bytes ?? NOTHING;
  }

  get termination(): TlsTermination {
    const termination = this.#chain?.termination;
    if (termination === undefined) throw new Error("nothing to terminate");
    return termination;
  }

  /** Starts; `proxied`: a PROXY header may or must come first. */
  begin(proxied: "proxied" | "direct"): void {
    this.#inlet.deliverTo(this);
    this.socket.on("end", closeUnserved);
    if (proxied === "direct") this.#classify(NOTHING, 0, 0, undefined);
    if (!this.closed) this.#owner.dependencies.clocks.coarse.arm(this, this.#owner.timeLimit);
  }

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    try {
      if (this.#state === "header") this.#readHeader(bytes, from, to, lease);
      else if (this.#state === "hello") this.#readHello(bytes, from, to);
    } catch (error) {
      this.#failInside(error);
    }
  }

  /** The socket is closed. */
  onClosed(): void {
    if (this.#state === "handshake") {
      this.#owner.terminator.forget(this);
      this.#count("failed");
    } else if (this.#state === "hello" && this.head.length > 0) this.#count("failed");
    this.#leave();
    this.#inlet.close();
  }

  override onLate(): void {
    // who may send a header and says nothing may be a client that waits for the server to speak first
    if (this.#state === "header" && this.#mayGoOn()) this.#classify(NOTHING, 0, 0, undefined);
    else this.socket.destroy();
  }

  onSecure(secure: TLSSocket): void {
    try {
      this.#beginSecure(secure);
    } catch (error) {
      // an event nobody else guards
      this.#failInside(error);
    }
  }

  #failInside(error: unknown): void {
    this.#owner.dependencies.log.error("bug on a new connection", { error });
    this.socket.destroy();
  }

  #beginSecure(secure: TLSSocket): void {
    const chain = this.#chain;
    const tls =
      chain === undefined || !this.#isInForce(chain)
        ? undefined
        : describeTls(secure, chain, this.#serverName, Date.now());
    if (chain === undefined || tls === undefined) {
      // still a handshake: onClosed() counts it as failed
      secure.destroy();
      return;
    }
    this.#count(tls.resumed ? "resumed" : "full");
    this.#leave();
    this.#serveSecure(secure, chain, tls);
  }

  /** A client that lingers in its handshake comes in under what is asked for when it ends, not when it began. */
  #isInForce({ listener, termination }: CompiledTlsChain): boolean {
    const now = this.#findChain(this.#serverName);
    return now?.listener.key === listener.key && now.termination?.sessionContext === termination?.sessionContext;
  }

  #findChain(serverName: string | undefined): CompiledTlsChain | undefined {
    return (this.#owner.currentBind().tls ?? this.#bind.tls)?.choose(serverName);
  }

  #serveSecure(secure: TLSSocket, chain: CompiledTlsChain, tls: DownstreamTls): void {
    const about = { scheme: "https", ...this.#ends, tls } as const;
    if (chain.carries === "http") this.#owner.serveSecureHttp(secure, this.socket, about);
    else
      this.#owner.serveSecureStream(secure, this.socket, {
        about,
        listener: chain.listener,
        route: chain.stream,
        protocol: "TLS",
        serverName: this.#serverName,
        head: undefined,
      });
  }

  #mayGoOn(): boolean {
    return this.#bind.transport === "tcp" && this.#bind.proxyProtocol?.required === false && this.#early.length === 0;
  }

  #readHeader(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    if (this.#early.length > 0) {
      const joined = Buffer.concat([this.#early, bytes.subarray(from, to)]);
      this.#early = NOTHING;
      this.#decideHeader(joined, 0, joined.length, undefined);
    } else this.#decideHeader(bytes, from, to, lease);
  }

  #decideHeader(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const outcome = parseProxyHeader(bytes, from, to);
    switch (outcome.kind) {
      case "more":
        this.#early = Buffer.from(bytes.subarray(from, to));
        return;
      case "malformed":
        this.socket.destroy();
        return;
      case "absent":
        if (this.#bind.proxyProtocol?.required === true) this.socket.destroy();
        else this.#classify(bytes, from, to, lease);
        return;
      case "header": {
        const { ends } = outcome.header;
        if (ends !== undefined) this.#ends = describeProxied(this.#ends, ends.source, ends.destination);
        this.#classify(bytes, from + outcome.length, to, lease);
      }
    }
  }

  /** The header is done with: bytes[from, to) are the client's first. */
  #classify(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    switch (this.#bind.transport) {
      case "tls":
        this.#state = "hello";
        if (to > from) this.#readHello(bytes, from, to);
        return;
      case "http": {
        this.#leave();
        const reader = this.#owner.serveHttp(this.socket, this.#inlet, {
          scheme: "http",
          ...this.#ends,
          tls: undefined,
        });
        if (to > from) reader.onBytes(bytes, from, to, lease);
        return;
      }
      default:
        this.#leave();
        this.#owner.serveStream(this.socket, this.#inlet, {
          about: { scheme: "http", ...this.#ends, tls: undefined },
          listener: this.#bind.fallback,
          route: this.#owner.currentBind().stream,
          protocol: "TCP",
          serverName: undefined,
          head: to > from ? Buffer.from(bytes.subarray(from, to)) : undefined,
        });
    }
  }

  #readHello(bytes: Buffer, from: number, to: number): void {
    this.#sniffer ??= new ClientHelloSniffer();
    const outcome = this.#sniffer.push(bytes, from, to);
    if (outcome.kind === "hello") this.#choose(outcome.hello.serverName);
    else if (outcome.kind === "malformed") this.socket.destroy();
    else if (outcome.kind === "plain") this.#refusePlain(this.#sniffer.bytes);
  }

  #choose(serverName: string | undefined): void {
    const chain = this.#findChain(serverName);
    const stays =
      chain !== undefined && (chain.carries === "http" ? chain.termination !== undefined : chain.stream !== undefined);
    if (!stays) {
      // no alert: it would say that there is somebody, and who waits for a closed connection gets one
      this.#owner.dependencies.recorder.handshake(this.#bind.fallback.metrics, "refused");
      this.#leave();
      this.socket.destroy();
      return;
    }
    this.#chain = chain;
    this.#serverName = serverName;
    if (chain.termination === undefined) this.#passOn(chain);
    else {
      this.#state = "handshake";
      this.#inlet.pause();
      this.#owner.terminator.terminate(this);
    }
  }

  #passOn(chain: CompiledTlsChain): void {
    const head = this.head;
    this.#leave();
    this.#owner.serveStream(this.socket, this.#inlet, {
      about: { scheme: "https", ...this.#ends, tls: undefined },
      listener: chain.listener,
      route: chain.stream,
      protocol: "TLS",
      serverName: this.#serverName,
      head,
    });
  }

  #refusePlain(bytes: Buffer): void {
    const reading = readsAsHttp(bytes);
    if (reading === "perhaps") return;
    if (reading === "no") {
      this.socket.destroy();
      return;
    }
    this.#count("failed");
    this.#state = "refused";
    this.#sniffer = undefined;
    this.socket.end(PLAIN_ON_TLS, "latin1");
    this.#owner.dependencies.clocks.coarse.arm(this, LINGER);
  }

  #count(outcome: "full" | "resumed" | "failed"): void {
    const { metrics } = this.#chain?.listener ?? this.#bind.fallback;
    this.#owner.dependencies.recorder.handshake(metrics, outcome);
  }

  /** No longer on its way. */
  #leave(): void {
    this.#state = "over";
    this.#sniffer = undefined;
    this.socket.off("end", closeUnserved);
    this.#owner.dependencies.clocks.coarse.disarm(this);
  }
}
