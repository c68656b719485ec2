/**
 * The life of a client connection of HTTP/2 beside its streams: how long its client is waited for, which configuration counts, how it
 * is let go (RFC 9113 section 6.8, graceful shutdown), and its end.
 */
import { DEFAULT_HTTP2_SERVER_OPTIONS, type HttpServerOptions } from "@sallyport/model/listener";
import type { DownstreamConnection } from "../exchange/contract.ts";
import { FollowedBind } from "../exchange/followed-bind.ts";
import { LINGER, lingerBehindAnswer } from "../exchange/lingering-close.ts";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";
import type { Wheel } from "../time/wheel.ts";
import { Http2Connection } from "./connection.ts";
import { classifyRequestField } from "./field-checks.ts";
import { ErrorCode, MAX_STREAM_ID } from "./frames.ts";
import type { Http2Options } from "./receiving-side.ts";
import { isSameHttp2 } from "./settings.ts";

/** Milliseconds that a client has to answer the PING behind the GOAWAY that lets it go: until then its streams cross that. */
const CROSSING = 1500;

/** What lives. */
export abstract class ServerLife extends Http2Connection {
  readonly about: DownstreamConnection;
  protected readonly port: ServerPort;
  protected readonly config: FollowedBind;
  /** GOAWAY: none, all streams still welcome, or no new ones. */
  #leaving: "no" | "announced" | "final" = "no";
  /** The client opens no more streams. */
  #peerLeft = false;
  /** A deadline of the connection itself runs: for its SETTINGS, or the rest of a frame or head. */
  #owing = true;

  constructor(accepted: AcceptedSocket, port: ServerPort) {
    const { http } = port.bindOf(port.runtime());
    super(
      accepted,
      toOptions(http, () => port.dependencies.now()),
    );
    this.about = accepted.about;
    this.port = port;
    this.config = new FollowedBind(port, accepted.about, this);
    this.coarse.arm(this, http.headTimeout);
    accepted.socket.on("end", () => this.#onFin());
  }

  /** The options of HTTP are others by now. */
  protected abstract onOptions(): void;

  /** The wheel of connections and streams. */
  get coarse(): Wheel {
    return this.port.dependencies.clocks.coarse;
  }

  /** Streams that begin now are served. */
  protected get takesStreams(): boolean {
    return this.#leaving !== "final";
  }

  /** Lets the client go: what it has begun is finished. */
  drain(): void {
    if (this.ended || this.#leaving !== "no") return;
    this.#leaving = "announced";
    this.goaway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    this.ping();
    this.coarse.arm(this, CROSSING);
  }

  /** The socket is closed. */
  onClosed(): void {
    this.ended = true;
    this.reader.stop();
    this.loseStreams();
    this.coarse.disarm(this);
    this.config.term?.close();
    this.output.discard();
    this.inlet.close();
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
    this.follow();
    this.dismiss();
  }

  /**
   * Takes over the configuration in force. What was said in SETTINGS holds as long as the connection does: where that is another by now,
   * the client is to make a new one.
   */
  protected follow(): void {
    const { http } = this.config.bind;
    if (!this.config.follow()) return;
    this.onOptions();
    if (!isSameHttp2(this.config.bind.http, http)) this.drain();
  }

  /** Lets the client go where its next request could only be misdirected, its term is over, or there is no room to wait for one. */
  protected dismiss(): void {
    const { outdated, term } = this.config;
    if (outdated || term?.isOver === true || this.port.dependencies.pressure.stopKeepAlive) this.drain();
  }

  protected onGoaway(): void {
    this.#peerLeft = true;
    if (this.streams.size === 0) this.#leave();
  }

  protected onPong(): void {
    if (this.#leaving === "announced") this.#stopTaking();
  }

  /** Who broke the rules is not waited for any longer than GOAWAY takes to arrive. */
  protected onFailed(_code: ErrorCode, _detail: string): void {
    this.coarse.arm(this, LINGER);
  }

  protected onBug(error: unknown): void {
    this.port.dependencies.log.error("bug on a client connection", { error });
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
    const { headTimeout, idleTimeout } = this.config.bind.http;
    this.coarse.arm(this, owing ? headTimeout : idleTimeout);
  }

  #stopTaking(): void {
    this.#leaving = "final";
    this.goaway(this.lastId, ErrorCode.NO_ERROR, "");
    if (this.streams.size === 0) this.#leave();
  }

  /** All that was asked is answered: a client that reads slowly must not lose what is not sent yet. */
  #leave(): void {
    this.end();
    lingerBehindAnswer(this, this.coarse, this.socket, this.config.bind.http.streamIdleTimeout);
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
