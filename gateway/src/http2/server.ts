/**
 * The server role of HTTP/2: one client connection, an exchange for each stream. Which configuration counts is asked when a
 * stream begins; an idle connection holds none that is not in force.
 */
import { DEFAULT_HTTP2_SERVER_OPTIONS, type HttpServerOptions } from "@sallyport/model/listener";
import { type ConnectionTerm, followTerm } from "../exchange/connection-term.ts";
import type { DownstreamConnection } from "../exchange/contract.ts";
import { Exchange } from "../exchange/exchange.ts";
import { isOutdated } from "../exchange/in-force.ts";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import type { Wheel } from "../time/wheel.ts";
import { Price } from "./abuse-budget.ts";
import { Http2Connection, LINGER } from "./connection.ts";
import { classifyRequestField } from "./field-checks.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode, errorName, MAX_STREAM_ID } from "./frames.ts";
import { NOBODY } from "./hpack/decoder.ts";
import type { Http2Options } from "./receiving-side.ts";
import { RequestFields } from "./request-fields.ts";
import { ServerStream } from "./server-stream.ts";
import { isSameHttp2 } from "./settings.ts";

/** One client connection. */
export class Http2Server extends Http2Connection {
  readonly about: DownstreamConnection;
  readonly #port: ServerPort;
  #runtime: Runtime;
  #bind: CompiledBind;
  #outdated: boolean;
  #fields: RequestFields | undefined = undefined;
  #term: ConnectionTerm | undefined;
  /** GOAWAY: none, all streams still welcome, or no new ones. */
  #leaving: "no" | "announced" | "final" = "no";
  /** The client opens no more streams. */
  #peerLeft = false;
  /** A deadline of the connection itself runs: for its SETTINGS, or the rest of a frame or head. */
  #owing = true;
  /** performance.now() of the first byte of a head that came in parts; 0: there is none. */
  #begunAt = 0;

  constructor(accepted: AcceptedSocket, port: ServerPort) {
    const runtime = port.runtime();
    const bind = port.bindOf(runtime);
    super(
      accepted,
      toOptions(bind.http, () => port.dependencies.now()),
    );
    this.about = accepted.about;
    this.#port = port;
    this.#runtime = runtime;
    this.#bind = bind;
    this.#outdated = isOutdated(this.about, bind);
    this.#term = followTerm(undefined, bind.http, this, port.dependencies);
    this.coarse.arm(this, bind.http.headTimeout);
    accepted.socket.on("end", () => this.#onFin());
  }

  /** The wheel of connections and streams. */
  get coarse(): Wheel {
    return this.#port.dependencies.clocks.coarse;
  }

  /** Whether a runtime is the one in force. */
  isInForce(runtime: Runtime): boolean {
    return runtime === this.#port.runtime();
  }

  /** One for a stream. */
  takeExchange(): Exchange {
    const { dependencies } = this.#port;
    return dependencies.pool.pop() ?? new Exchange(dependencies);
  }

  /** Lets the client go: what it has begun is finished (RFC 9113 section 6.8, graceful shutdown). */
  drain(): void {
    if (this.ended || this.#leaving !== "no") return;
    this.#leaving = "announced";
    this.goaway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    this.ping();
    this.coarse.arm(this, LINGER);
  }

  /** The socket is closed. */
  onClosed(): void {
    this.ended = true;
    this.reader.stop();
    this.loseStreams();
    this.coarse.disarm(this);
    this.#term?.close();
    this.output.discard();
    this.inlet.close();
  }

  onBlockBegun(): void {
    this.#begunAt = this.#port.dependencies.now();
  }

  override onLate(): void {
    if (this.ended) {
      this.socket.destroy();
      return;
    }
    const outermost = this.enterTurn();
    if (this.#leaving === "announced") this.#stopTaking();
    else if (!this.acknowledged) this.fail(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS not acknowledged");
    else if (this.reader.owed) this.fail(ErrorCode.PROTOCOL_ERROR, "a frame or header block that does not go on");
    else if (this.streams.size === 0 && this.#leaving === "no") {
      this.goaway(this.lastId, ErrorCode.NO_ERROR, "");
      this.#close();
    }
    if (outermost) this.leaveTurn();
  }

  override onVisit(): void {
    if (this.ended || this.streams.size > 0) return;
    const runtime = this.#port.runtime();
    if (runtime !== this.#runtime) this.#follow(runtime);
    if (this.#isUnwelcome) this.drain();
  }

  protected onNewBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const id = facts.stream;
    if (id <= this.lastId || id % 2 === 0) {
      this.#onStrayBlock(id, bytes, from, to);
      return;
    }
    if (this.#leaving === "final") {
      // RFC 9113 section 6.8: nothing is done with it, but the table is shared
      this.decode(bytes, from, to, NOBODY);
      return;
    }
    const runtime = this.#port.runtime();
    if (runtime !== this.#runtime) this.#follow(runtime);
    const fields = (this.#fields ??= new RequestFields(this.about, this.#bind.http));
    fields.begin();
    if (!this.decode(bytes, from, to, fields)) return;
    this.lastId = id;
    if (this.streams.size >= this.options.maxConcurrentStreams) {
      this.refuse(id, ErrorCode.REFUSED_STREAM, Price.refused);
      return;
    }
    this.#beginStream(facts, fields);
    this.#begunAt = 0;
    this.#term?.count();
    if (this.#isUnwelcome) this.drain();
  }

  /** RFC 9113 section 6.8: frames of streams that came too late are ignored; the client did not know. */
  protected override isIdle(id: number): boolean {
    return super.isIdle(id) && (this.#leaving !== "final" || id % 2 === 0);
  }

  protected onSettings(): void {
    // what it changes is done where it came
  }

  protected onGoaway(): void {
    this.#peerLeft = true;
    if (this.streams.size === 0) this.#leave();
  }

  protected onPong(): void {
    if (this.#leaving === "announced") this.#stopTaking();
  }

  protected onFailed(code: ErrorCode, detail: string): void {
    this.coarse.arm(this, LINGER);
    if (code === ErrorCode.INTERNAL_ERROR) return;
    // as a request that could not be read: so it is seen in access log and metrics
    const stream = this.#openStream(this.lastId);
    stream.gone = true;
    stream.refuse("bad-request", `${errorName(code)}: ${detail}`);
  }

  protected onBug(error: unknown): void {
    this.#port.dependencies.log.error("bug on a client connection", { error });
    this.fail(ErrorCode.INTERNAL_ERROR, "internal error");
  }

  protected onStreamGone(): void {
    if (this.streams.size > 0 || this.ended) return;
    if (this.#leaving === "final" || this.#peerLeft) this.#leave();
  }

  protected onTurnEnd(): void {
    if (this.ended) return;
    const owing = !this.acknowledged || this.reader.owed;
    if (this.#leaving === "announced" || (owing && this.#owing)) return;
    this.#owing = owing;
    const { headTimeout, idleTimeout } = this.#bind.http;
    this.coarse.arm(this, owing ? headTimeout : idleTimeout);
  }

  /** Its next request could only be misdirected, its term is over, or there is no room to wait for one. */
  get #isUnwelcome(): boolean {
    return this.#outdated || this.#term?.isOver === true || this.#port.dependencies.pressure.stopKeepAlive;
  }

  #beginStream(facts: BlockFacts, fields: RequestFields): void {
    const stream = this.#openStream(facts.stream);
    const accepted = fields.finish(stream.head, facts.endStream);
    const malformed = fields.malformed || facts.selfDependent;
    if (!malformed) {
      this.streams.set(stream.id, stream);
      stream.remoteClosed = facts.endStream;
      stream.expected = facts.endStream ? -1 : fields.contentLength;
      if (accepted) stream.serve(fields.prioritised);
      else stream.refuse(fields.fault, fields.detail);
      return;
    }
    stream.gone = true;
    // nothing is sent on a stream that is gone: the exchange is a record alone
    stream.refuse("bad-request", fields.malformed ? fields.detail : "a stream that depends on itself");
    this.refuse(facts.stream, ErrorCode.PROTOCOL_ERROR, Price.reset);
  }

  #openStream(id: number): ServerStream {
    const startedAt = this.#begunAt === 0 ? this.#port.dependencies.now() : this.#begunAt;
    return ServerStream.open({
      server: this,
      id,
      runtime: this.#runtime,
      bind: this.#bind,
      outdated: this.#outdated,
      startedAt,
    });
  }

  /** HEADERS for a stream that is closed, or that no client may open (RFC 9113 sections 5.1 and 5.1.1). */
  #onStrayBlock(id: number, bytes: Buffer, from: number, to: number): void {
    if (!this.decode(bytes, from, to, NOBODY)) return;
    const by = id % 2 === 0 ? undefined : this.closedStreams.by(id);
    if (by === "us") return;
    const code = by === "peer" ? ErrorCode.STREAM_CLOSED : ErrorCode.PROTOCOL_ERROR;
    this.fail(code, `HEADERS on stream ${id}, which is not to be opened`);
  }

  #stopTaking(): void {
    this.#leaving = "final";
    this.goaway(this.lastId, ErrorCode.NO_ERROR, "");
    if (this.streams.size === 0) this.#leave();
  }

  /** All that was asked is answered: a client that reads slowly must not lose what is not sent yet. */
  #leave(): void {
    this.end();
    this.coarse.arm(this, this.#bind.http.streamIdleTimeout);
    this.socket.once("finish", () => this.coarse.arm(this, LINGER));
  }

  /** No stream is left: FIN behind the last frame. */
  #close(): void {
    this.end();
    this.coarse.arm(this, LINGER);
  }

  /**
   * The client sends nothing more, so it is gone: without acknowledgements and windows there is no HTTP/2, and nobody closes
   * half a connection to get answers. What runs upstream for it is cancelled at once.
   */
  #onFin(): void {
    if (this.ended) return;
    const outermost = this.enterTurn();
    this.loseStreams();
    // the last stream to go may have closed it already
    if (!this.ended) this.#close();
    if (outermost) this.leaveTurn();
  }

  #follow(runtime: Runtime): void {
    const bind = this.#port.bindOf(runtime);
    if (bind.http !== this.#bind.http) this.#followOptions(bind.http);
    if (bind !== this.#bind) this.#outdated = isOutdated(this.about, bind);
    this.#runtime = runtime;
    this.#bind = bind;
  }

  /** What was said in SETTINGS holds as long as the connection does: where that is another by now, the client is to make a new one. */
  #followOptions(http: HttpServerOptions): void {
    this.#fields = undefined;
    this.#term = followTerm(this.#term, http, this, this.#port.dependencies);
    if (!isSameHttp2(http, this.#bind.http)) this.drain();
  }
}

function toOptions(http: HttpServerOptions, now: () => number): Http2Options {
  const { maxConcurrentStreams, streamWindow, connectionWindow, abuseBudget } =
    http.http2 ?? DEFAULT_HTTP2_SERVER_OPTIONS;
  return {
    role: "server",
    maxConcurrentStreams,
    streamWindow,
    connectionWindow,
    maxHeaderListSize: http.maxHeadBytes,
    abuseBudget,
    classify: classifyRequestField,
    now,
  };
}
