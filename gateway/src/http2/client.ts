/**
 * The client role of HTTP/2: many tries on one connection to an endpoint. An endpoint is trusted no more than a client: what it
 * sends is bounded by windows, by limits of heads, and by the abuse budget.
 */
import { performance } from "node:perf_hooks";
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, OpenOptions, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../exchange/contract.ts";
import type { BugLog } from "../exchange/dependencies.ts";
import type { Recorder } from "../observe/contract.ts";
import type { Clocks } from "../time/ticker.ts";
import { Inlet } from "../wire/inlet.ts";
import type { SocketWays } from "../wire/outlet.ts";
import { describeTlsFailure, isTlsError } from "../wire/tls-failure.ts";
import { connectUpstream, type SettledSocket, type UpstreamSocketOwner } from "../wire/upstream-socket.ts";
import type { WarningLog } from "../wire/upstream-warnings.ts";
import { AnswerFields, MAX_ANSWER_HEAD } from "./answer-fields.ts";
import { ClientStream } from "./client-stream.ts";
import { Http2Connection, LINGER } from "./connection.ts";
import { classifyAnswerField } from "./field-checks.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode, MAX_STREAM_ID } from "./frames.ts";

/** What upstream connections stand on; one per thread. */
export interface Http2ClientDependencies {
  readonly clocks: Clocks;
  readonly recorder: Pick<Recorder, "upstreamConnect" | "upstreamClosed">;
  readonly log: BugLog & WarningLog;
  /** Default `tuned`. */
  readonly sockets?: SocketWays;
}

/** What opening takes. */
export type Http2ClientOpening = Pick<
  OpenOptions,
  "cluster" | "endpoint" | "tls" | "connectTimeout" | "owner" | "http2"
>;

/** What is offered in TLS handshakes; nothing else will do (RFC 9113 section 3.2). */
const PROTOCOLS = ["h2"];
/** Streams at once until the endpoint's SETTINGS say how many. */
const ASSUMED_STREAMS = 100;
/** After so many milliseconds of silence a request asks for a sign of life. */
const TRUSTED_SILENCE = 10_000;
/** Servers confirm DATA in small steps and measure with PINGs: an endpoint has more to spend than a client. */
const ABUSE_BUDGET = 20_000;

const IGNORED = { onField: (): void => undefined };

/** Opens a connection. Requests may be handed over before it is up; with TLS they wait until the peer is verified. */
export function openHttp2(options: Http2ClientOpening, dependencies: Http2ClientDependencies): UpstreamConnection {
  const { cluster, endpoint, tls } = options;
  const { log, sockets } = dependencies;
  const inlet = new Inlet();
  const waiting = new Waiting();
  const target = { cluster, endpoint, tls, applicationProtocols: PROTOCOLS, ways: sockets, log };
  const socket = connectUpstream(target, inlet, waiting);
  const client = new ClientConnection({ socket: socket.socket, ways: socket.ways, inlet }, options, dependencies);
  waiting.client = client;
  client.awaitSocket();
  return client;
}

/** Speaks HTTP/2 on a socket that is up, where TLS has chosen it. */
export function adoptHttp2(
  options: Http2ClientOpening,
  dependencies: Http2ClientDependencies,
  socket: SettledSocket,
): UpstreamConnection {
  const client = new ClientConnection(socket, options, dependencies);
  client.onUp();
  return client;
}

/** Passes on what becomes of a socket, which comes later than the connection made of it. */
class Waiting implements UpstreamSocketOwner {
  client: ClientConnection | undefined = undefined;

  onUp(): void {
    this.client?.onUp();
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    this.client?.onUpFailed(reason, detail);
  }
}

/** One connection. */
export class ClientConnection extends Http2Connection implements UpstreamConnection {
  readonly endpoint: UpstreamEndpoint;
  readonly settled = true;
  readonly scheme: "http" | "https";
  readonly answers = new AnswerFields();
  connected = false;
  failureDetail = "";
  /** Why streams are lost with it. */
  lossReason: FaultReason = "upstream-protocol-error";
  readonly #opening: Http2ClientOpening;
  readonly #dependencies: Http2ClientDependencies;
  readonly #owner: ConnectionOwner;
  /** Tries on it, those that have no stream yet or whose answer waits included. */
  #tries = 0;
  #draining = false;
  #closing = false;
  /** The owner was told. */
  #closed = false;
  #toldCapacity = 0;
  readonly #waiting = new Set<ClientStream>();
  /** When something was read last, and when a PING that was not answered went out; performance.now(). */
  #heardAt = 0;
  #askedAt = -1;

  constructor(transport: SettledSocket, opening: Http2ClientOpening, dependencies: Http2ClientDependencies) {
    const { maxConcurrentStreams, streamWindow, connectionWindow } = opening.http2;
    super(transport, {
      role: "client",
      maxConcurrentStreams,
      streamWindow,
      connectionWindow,
      maxHeaderListSize: MAX_ANSWER_HEAD,
      abuseBudget: ABUSE_BUDGET,
      classify: classifyAnswerField,
      now: () => performance.now(),
    });
    this.endpoint = opening.endpoint;
    this.scheme = opening.tls === undefined ? "http" : "https";
    this.#opening = opening;
    this.#owner = opening.owner;
    this.#dependencies = dependencies;
    this.#toldCapacity = this.capacity;
    this.inlet.deliverTo(this);
    this.socket.on("close", () => this.#onClose());
  }

  get capacity(): number {
    const { received, maxConcurrentStreams } = this.peer;
    return Math.min(this.#opening.http2.maxConcurrentStreams, received ? maxConcurrentStreams : ASSUMED_STREAMS);
  }

  /** Until its SETTINGS came nobody knows: who asks then, waits for them. */
  get upgradable(): boolean {
    return !this.peer.received || this.peer.connectProtocol;
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    if (this.#tries++ === 0 && this.connected) this.#watch();
    return new ClientStream(this, receiver);
  }

  close(): void {
    this.#closing = true;
    if (this.#tries === 0) this.#shut();
  }

  /** Until the socket is up nothing is written. */
  awaitSocket(): void {
    this.output.hold();
    this.#dependencies.clocks.coarse.arm(this, this.#opening.connectTimeout);
  }

  onUp(): void {
    if (this.#closed) return;
    this.#guard(() => {
      const { clocks, recorder } = this.#dependencies;
      this.connected = true;
      this.#heardAt = performance.now();
      clocks.coarse.disarm(this);
      this.socket.on("end", () => this.#lose("upstream-closed"));
      this.socket.on("error", (error) => this.#onError(error));
      recorder.upstreamConnect("success");
      this.#owner.onConnected(this);
      if (this.#tries > 0) this.#watch();
      this.output.release();
    });
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#closed) return;
    this.failureDetail = detail;
    this.#dependencies.recorder.upstreamConnect("failure");
    this.#lose(reason);
  }

  override onBytes(...read: Parameters<Http2Connection["onBytes"]>): void {
    this.#heardAt = performance.now();
    super.onBytes(...read);
  }

  /** The id of the next stream; 0 where there can be none. */
  takeId(): number {
    if (this.#draining || this.ended) return 0;
    const id = this.lastId === 0 ? 1 : this.lastId + 2;
    this.lastId = id;
    if (id + 2 > MAX_STREAM_ID) this.#drain();
    return id;
  }

  /** A request was added: asks for a sign of life where there was none for long. */
  sentRequest(): void {
    const now = performance.now();
    if (!this.connected || this.#askedAt >= 0 || now - this.#heardAt < TRUSTED_SILENCE) return;
    this.#ask(now);
  }

  /** A try waits to hear whether the endpoint takes extended CONNECT. */
  awaitSettings(stream: ClientStream): void {
    this.#waiting.add(stream);
  }

  /** Refuses a try, but not while it is being handed over. */
  refuseLater(stream: ClientStream, reason: FaultReason): void {
    setImmediate(() => this.#guard(() => stream.onRefused(reason)));
  }

  /** A try is over. */
  release(stream: ClientStream): void {
    this.#waiting.delete(stream);
    this.#tries--;
    if (this.#closed) return;
    this.#owner.onIdle(this);
    if (this.#tries === 0 && (this.#draining || this.#closing)) this.#shut();
  }

  /** Ours: the endpoint opened no streams. */
  override goaway(_lastId: number, code: ErrorCode, detail: string): void {
    super.goaway(0, code, detail);
  }

  /** The owner is told first, so that no replay comes back here. */
  override fail(code: ErrorCode, detail: string): void {
    if (this.ended) return;
    this.#tellClosed();
    super.fail(code, detail);
  }

  onBlockBegun(): void {
    // how long an answer may take is the exchange's to say
  }

  /** The connect timeout, a silent connection, or the end of lingering. */
  override onLate(): void {
    if (this.#closed) this.socket.destroy();
    else if (this.connected) this.#guard(() => this.#checkLife());
    else {
      this.#dependencies.recorder.upstreamConnect("timeout");
      this.#lose("connect-timeout");
    }
  }

  /** For a stream that is gone; there are no others, for we promised nobody to take pushes. */
  protected onNewBlock({ stream: id }: BlockFacts, bytes: Buffer, from: number, to: number): void {
    if (!this.decode(bytes, from, to, IGNORED)) return;
    if (this.isIdle(id)) this.fail(ErrorCode.PROTOCOL_ERROR, `HEADERS on idle stream ${id}`);
    else if (this.closedStreams.by(id) === "peer") this.fail(ErrorCode.STREAM_CLOSED, `HEADERS on closed stream ${id}`);
  }

  protected onSettings(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const stream of waiting) stream.onPeerSettings();
    const { capacity } = this;
    if (capacity === this.#toldCapacity || this.#closed) return;
    this.#toldCapacity = capacity;
    this.#owner.onCapacity(this);
  }

  /** RFC 9113 section 6.8: streams above were not and will not be looked at. */
  protected onGoaway(lastId: number, _code: number): void {
    this.#drain();
    const unseen = [...this.streams.values()].filter(({ id }) => id > lastId);
    for (const stream of unseen) this.reset(stream, ErrorCode.CANCEL);
    for (const stream of unseen) if (stream instanceof ClientStream) stream.onRefused("upstream-refused");
    if (this.#tries === 0 && !this.#closed) this.#shut();
  }

  protected onPong(): void {
    this.#askedAt = -1;
  }

  protected onFailed(_code: ErrorCode, detail: string): void {
    const { cluster, endpoint } = this.#opening;
    if (this.lossReason === "upstream-protocol-error")
      this.#dependencies.log.warn("an upstream endpoint broke the rules of HTTP/2; its requests are answered 502", {
        cluster,
        endpoint: endpoint.label,
        reason: detail,
        do: "check that this port speaks HTTP/2",
      });
    this.#dependencies.clocks.coarse.arm(this, LINGER);
  }

  /** A bug of ours: logged once, exchanges answer 500, the connection goes. */
  protected onBug(error: unknown): void {
    this.#dependencies.log.error("bug on an upstream connection", { error, endpoint: this.endpoint.label });
    this.lossReason = "internal-error";
    this.fail(ErrorCode.INTERNAL_ERROR, "");
  }

  protected onStreamGone(): void {
    // the stream says itself when its try is over
  }

  protected onTurnEnd(): void {
    // nothing is kept for the end of a turn
  }

  #drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    this.#owner.onDraining(this);
  }

  /** Looks after the connection while tries are on it. */
  #watch(): void {
    const { pingInterval } = this.#opening.http2;
    if (pingInterval > 0 && this.deadline < 0) this.#dependencies.clocks.coarse.arm(this, pingInterval);
  }

  #ask(now: number): void {
    this.#askedAt = now;
    this.ping();
    this.#dependencies.clocks.coarse.arm(this, this.#opening.http2.pingTimeout);
  }

  #checkLife(): void {
    const { pingInterval } = this.#opening.http2;
    const now = performance.now();
    if (this.#askedAt >= 0 && this.#heardAt < this.#askedAt) {
      this.#lose("upstream-closed");
      return;
    }
    this.#askedAt = -1;
    if (this.#tries === 0 || pingInterval === 0) return;
    const silence = now - this.#heardAt;
    if (silence >= pingInterval) this.#ask(now);
    else this.#dependencies.clocks.coarse.arm(this, pingInterval - silence);
  }

  /** A reset; or a server that does not like the client's certificate, which TLS 1.3 tells behind the handshake. */
  #onError(error: Error): void {
    const isTls = isTlsError(error) && !this.peer.received;
    if (isTls) this.failureDetail = describeTlsFailure(error).detail;
    this.#lose(isTls ? "upstream-tls-failure" : "upstream-reset");
  }

  #onClose(): void {
    this.inlet.close();
    this.#lose("upstream-closed");
    this.#dependencies.clocks.coarse.disarm(this);
  }

  /** The transport is gone, or of no use. */
  #lose(reason: FaultReason): void {
    this.socket.destroy();
    if (this.#closed) return;
    this.lossReason = reason;
    this.ended = true;
    this.reader.stop();
    this.output.discard();
    this.#guard(() => {
      const waiting = [...this.#waiting];
      this.#tellClosed(this.connected ? undefined : reason);
      for (const stream of waiting) stream.onRefused(reason);
      this.loseStreams();
    });
  }

  /** Nothing is on it any more: GOAWAY, FIN, and a while for both to arrive. */
  #shut(): void {
    if (this.#closed) return;
    this.#tellClosed();
    if (!this.connected) {
      this.ended = true;
      this.output.discard();
      this.socket.destroy();
      return;
    }
    this.goaway(0, ErrorCode.NO_ERROR, "");
    this.end();
    this.#dependencies.clocks.coarse.arm(this, LINGER);
  }

  #tellClosed(failure?: FaultReason): void {
    if (this.#closed) return;
    this.#closed = true;
    const { clocks, recorder } = this.#dependencies;
    clocks.coarse.disarm(this);
    if (this.connected) recorder.upstreamClosed();
    if (failure === undefined) this.#owner.onClosed(this);
    else this.#owner.onClosed(this, failure);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.onBug(error);
    }
  }
}
