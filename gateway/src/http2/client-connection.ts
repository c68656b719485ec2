/**
 * The client role of HTTP/2: many tries on one connection to an endpoint. An endpoint is trusted no more than a client: what it
 * sends is bounded by windows, by limits of heads, and by the abuse budget.
 */
import { performance } from "node:perf_hooks";
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, UpstreamEndpoint } from "../cluster/contract.ts";
import type { AnswerReceiver, UpstreamStream } from "../exchange/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import { LINGER } from "../exchange/lingering-close.ts";
import { UpstreamLife, type LivingConnection } from "../exchange/upstream-life.ts";
import type { SettledSocket } from "../wire/upstream-socket.ts";
import { UpstreamWarnings } from "../wire/upstream-warnings.ts";
import { AnswerFields, MAX_ANSWER_HEAD } from "./answer-fields.ts";
import type { Http2ClientOpening } from "./client.ts";
import { ClientStream } from "./client-stream.ts";
import { Http2Connection } from "./connection.ts";
import { classifyAnswerField } from "./field-checks.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode, MAX_STREAM_ID } from "./frames.ts";
import { NOBODY } from "./hpack/decoder.ts";
import { SignsOfLife, type Patient } from "./signs-of-life.ts";
import { WaitingStreams } from "./early-request.ts";
import { toMostStreams } from "./waiting-allowance.ts";

/** Streams at once until the endpoint's SETTINGS say how many. */
const ASSUMED_STREAMS = 100;
/** Servers confirm DATA in small steps and measure with PINGs: an endpoint has more to spend than a client. */
const ABUSE_BUDGET = 20_000;

const warnings = new UpstreamWarnings("an upstream endpoint broke the rules of HTTP/2; its requests are answered 502");

/** One connection. */
export class ClientConnection extends Http2Connection implements LivingConnection, Patient {
  readonly endpoint: UpstreamEndpoint;
  readonly settled = true;
  readonly scheme: "http" | "https";
  readonly answers = new AnswerFields();
  /** Why streams are lost with it. */
  lossReason: FaultReason = "upstream-protocol-error";
  readonly #opening: Http2ClientOpening;
  readonly dependencies: UpstreamDependencies;
  readonly #owner: ConnectionOwner;
  /** Tries on it, those that have no stream yet or whose answer waits included. */
  tries = 0;
  #draining = false;
  #closing = false;
  #toldCapacity = 0;
  readonly waiting = new WaitingStreams();
  readonly #life: UpstreamLife;
  readonly #signs: SignsOfLife;

  constructor(transport: SettledSocket, opening: Http2ClientOpening, dependencies: UpstreamDependencies) {
    super(transport, {
      role: "client",
      maxConcurrentStreams: toMostStreams(opening.http2),
      streamWindow: opening.http2.streamWindow,
      connectionWindow: opening.http2.connectionWindow,
      maxHeaderListSize: MAX_ANSWER_HEAD,
      abuseBudget: ABUSE_BUDGET,
      classify: classifyAnswerField,
      now: () => performance.now(),
    });
    this.endpoint = opening.endpoint;
    this.scheme = opening.tls === undefined ? "http" : "https";
    this.#opening = opening;
    this.#owner = opening.owner;
    this.dependencies = dependencies;
    this.#life = new UpstreamLife(this, opening, dependencies);
    this.#signs = new SignsOfLife(dependencies.clocks.coarse, opening.http2, this);
    this.#toldCapacity = this.capacity;
    this.inlet.deliverTo(this);
    this.socket.on("close", () => {
      this.inlet.close();
      this.lose("upstream-closed");
      dependencies.clocks.coarse.disarm(this);
    });
  }

  get connected(): boolean {
    return this.#life.connected;
  }

  get failureDetail(): string {
    return this.#life.failureDetail;
  }

  get capacity(): number {
    const { received, maxConcurrentStreams } = this.peer;
    return Math.min(this.options.maxConcurrentStreams, received ? maxConcurrentStreams : ASSUMED_STREAMS);
  }

  /** Until its SETTINGS came nobody knows: who asks then, waits for them. */
  get upgradable(): boolean {
    return !this.peer.received || this.peer.connectProtocol;
  }

  open(receiver: AnswerReceiver): UpstreamStream {
    if (this.tries++ === 0 && this.connected) this.#signs.watch();
    return new ClientStream(this, receiver);
  }

  close(): void {
    this.#closing = true;
    if (this.tries === 0) this.#shut();
  }

  /** Until the socket is up nothing is written. */
  awaitSocket(): void {
    this.output.hold();
    this.#life.awaitConnect();
  }

  onUp(): void {
    if (this.#life.closed) return;
    this.#life.guard(() => {
      this.#signs.heard();
      this.socket.on("end", () => this.lose("upstream-closed"));
      this.socket.on("error", (error) => this.lose(this.#life.reasonOf(error, !this.peer.received)));
      this.#life.up();
      if (this.tries > 0) this.#signs.watch();
      this.waiting.launch();
      this.output.release();
    });
  }

  onUpFailed(reason: "connect-failure" | "upstream-tls-failure", detail: string): void {
    if (this.#life.closed) return;
    this.#life.failed(detail);
    this.lose(reason);
  }

  override onBytes(...read: Parameters<Http2Connection["onBytes"]>): void {
    this.#signs.heard();
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

  /** A request was added. */
  sentRequest(): void {
    if (this.connected) this.#signs.trust();
  }

  /** Refuses a try, but not while it is being handed over. */
  refuseLater(stream: ClientStream, reason: FaultReason): void {
    setImmediate(() => this.#life.guard(() => stream.onRefused(reason)));
  }

  /** A try is over. */
  release(stream: ClientStream): void {
    this.waiting.delete(stream);
    this.tries--;
    if (this.#life.closed) return;
    this.#owner.onIdle(this);
    if (this.tries === 0 && (this.#draining || this.#closing)) this.#shut();
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
    this.waiting.refuse(this.lossReason);
  }

  onBlockBegun(): void {
    // how long an answer may take is the exchange's to say
  }

  /** It has lingered. */
  override onLate(): void {
    this.socket.destroy();
  }

  /** For a stream that is gone; there are no others, for we promised nobody to take pushes. */
  protected onNewBlock({ stream: id }: BlockFacts, bytes: Buffer, from: number, to: number): void {
    if (!this.decode(bytes, from, to, NOBODY)) return;
    if (this.isIdle(id)) this.fail(ErrorCode.PROTOCOL_ERROR, `HEADERS on idle stream ${id}`);
    else if (this.closedStreams.by(id) === "peer") this.fail(ErrorCode.STREAM_CLOSED, `HEADERS on closed stream ${id}`);
  }

  protected onSettings(): void {
    this.waiting.launch();
    const { capacity } = this;
    if (capacity === this.#toldCapacity || this.#life.closed) return;
    this.#toldCapacity = capacity;
    this.#owner.onCapacity(this);
  }

  /** RFC 9113 section 6.8: streams above were not and will not be looked at. */
  protected onGoaway(lastId: number, _code: number): void {
    this.#drain();
    const unseen = [...this.streams.values()].filter(({ id }) => id > lastId);
    for (const stream of unseen) this.reset(stream, ErrorCode.CANCEL);
    for (const stream of unseen) if (stream instanceof ClientStream) stream.onRefused("upstream-refused");
    if (this.tries === 0 && !this.#life.closed) this.#shut();
  }

  protected onPong(): void {
    this.#signs.answered();
  }

  protected onFailed(_code: ErrorCode, detail: string): void {
    const { cluster, endpoint } = this.#opening;
    const { clocks, log } = this.dependencies;
    const failed = { cluster, endpoint: endpoint.label, detail, hint: "check that this port speaks HTTP/2" };
    if (this.lossReason === "upstream-protocol-error") warnings.warn(log, failed, performance.now());
    clocks.coarse.arm(this, LINGER);
  }

  protected onBug(error: unknown): void {
    this.#life.onBug(error);
  }

  failInside(): void {
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
    if (this.#draining || this.#life.closed) return;
    this.#draining = true;
    this.#owner.onDraining(this);
  }

  /** The transport is gone, or of no use. */
  lose(reason: FaultReason): void {
    this.socket.destroy();
    if (this.#life.closed) return;
    this.lossReason = reason;
    this.ended = true;
    this.reader.stop();
    this.output.discard();
    this.#life.guard(() => {
      this.#tellClosed(this.connected ? undefined : reason);
      this.waiting.refuse(this.lossReason);
      this.loseStreams();
    });
  }

  /** Nothing is on it any more: GOAWAY, FIN, and a while for both to arrive. */
  #shut(): void {
    if (this.#life.closed) return;
    this.#tellClosed();
    if (!this.connected) {
      this.ended = true;
      this.output.discard();
      this.socket.destroy();
      return;
    }
    this.goaway(0, ErrorCode.NO_ERROR, "");
    this.end();
    this.dependencies.clocks.coarse.arm(this, LINGER);
  }

  #tellClosed(failure?: FaultReason): void {
    if (this.#life.closed) return;
    this.#signs.stop();
    this.#life.close(failure);
  }
}
