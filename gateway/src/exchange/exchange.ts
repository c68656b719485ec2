/**
 * One request and its answer: an explicit state machine between a downstream stream and an upstream one.
 *
 *   idle -> filtering -> acquiring -> forwarding -> answering -> over
 *                          ^  ^----------/  |  \-> tunnel   -> over
 *                          \---- waiting <--/
 *
 * Every phase can go to `over` at once: by a local reply, a fault, or because the client left. The phases themselves are
 * functions (request-phases.ts, answer-phases.ts, local-reply.ts), their state is in exchange-state.ts; this class is what
 * codecs, clusters and timers call.
 *
 * Objects are used again: begin() takes one from `idle`, and when it is over it goes back to its pool. So whoever calls
 * later (a filter's promise) checks `generation` first.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { HashKey } from "@sallyport/model/traffic";
import type { ConnectionRequest, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { hashRequest } from "./affinity.ts";
import { endAnswer, failUpstream, passAnswerHead, passInterim } from "./answer-phases.ts";
import { freeRoom } from "./body-room.ts";
import type {
  AnswerReceiver,
  BodyFraming,
  BodyLease,
  BodyMode,
  RequestReceiver,
  SendOutcome,
  TryProgress,
} from "./contract.ts";
import type { ExchangeDependencies } from "./dependencies.ts";
import { ExchangeState, type ExchangeStart } from "./exchange-state.ts";
import { completesBody, holdsPiece } from "./request-body.ts";
import { failExchange, finishAnswer, finishExchange, leaveExchange } from "./local-reply.ts";
import { LiveRecord } from "./record.ts";
import { noteTimeout } from "./outcomes.ts";
import { acquireConnection, beginRequest, sendRequest } from "./request-phases.ts";
import { keepBody } from "./repetition.ts";
import { failTry, retryNow } from "./retries.ts";
import { ExchangeTimers, type TimerKind } from "./timers.ts";

/** Milliseconds (30 years): who waits so long is looked at all the while, as everybody is who waits. */
const FOREVER = 1e12;

/** One exchange. */
export class Exchange extends ExchangeState implements RequestReceiver, AnswerReceiver, ConnectionRequest {
  readonly dependencies: ExchangeDependencies;
  readonly record: LiveRecord;
  readonly timers: ExchangeTimers;

  get upgrades(): boolean {
    return this.start !== undefined && this.start.head.upgrade !== "";
  }

  /** Endpoints that tries failed on, unless they are as good as others. */
  get tried(): readonly UpstreamEndpoint[] | undefined {
    const { retries } = this;
    return retries === undefined || this.rule?.retry?.samePlace === true ? undefined : retries.tried;
  }

  get session(): string | undefined {
    return this.affinity?.token?.endpoint;
  }

  hashOf(keys: readonly HashKey[]): number | undefined {
    return hashRequest(this, keys);
  }

  constructor(dependencies: ExchangeDependencies) {
    super();
    this.dependencies = dependencies;
    this.record = new LiveRecord(this);
    this.timers = new ExchangeTimers(this, dependencies.clocks);
  }

  /** Begins with a complete head. May be over when it returns. */
  begin(start: ExchangeStart): void {
    this.open(start);
    try {
      beginRequest(this, start);
    } catch (error) {
      // here and not further out: what is read behind this head must be gone on with
      this.failInside(error);
    }
  }

  /** Milliseconds of silence that end it: as its rule says, else as its listener does. */
  limitSilence(ofListener: number): number {
    const own = this.rule?.limits?.idleTimeout;
    if (own === undefined) return ofListener;
    return own === 0 ? FOREVER : own;
  }

  /** Begins and ends with a request that could not be read; `head` is empty or what is known of it. */
  beginRefused(start: ExchangeStart, reason: FaultReason, detail: string): void {
    this.open(start);
    failExchange(this, reason, detail);
  }

  /** Something is wrong with us: logs it once and answers 500 where that is still possible. */
  failInside(error: unknown): void {
    this.dependencies.log.error("bug in an exchange", { error, phase: this.phase, route: this.record.routeName });
    if (this.phase !== "idle") failExchange(this, "internal-error");
  }

  onRequestBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    const { mirrors, upstream } = this;
    this.bodyBegun = true;
    if (this.content !== undefined && holdsPiece(this, bytes, from, to)) return "taken";
    if (this.kept !== undefined) keepBody(this, bytes, from, to);
    for (let i = 0; i < mirrors.length; i++) mirrors[i]?.sendBody(bytes, from, to);
    return upstream === undefined ? "taken" : upstream.sendBody(bytes, from, to, lease);
  }

  onRequestEnd(trailers: string): void {
    this.requestEnded = true;
    this.requestTrailers = trailers;
    this.bodyBegun = true;
    for (const mirror of this.mirrors) mirror.endBody(trailers);
    if (this.content !== undefined && completesBody(this, trailers)) acquireConnection(this);
    else this.upstream?.endBody(trailers);
    if (this.phase === "tunnel" && this.answerEnded) finishExchange(this);
  }

  onRequestTurn(): "taken" | "full" {
    for (let i = 0; i < this.mirrors.length; i++) this.mirrors[i]?.flush();
    return this.upstream === undefined ? "taken" : this.upstream.flush();
  }

  onDownstreamDrain(): void {
    const encoder = this.content?.encoder;
    if (encoder === undefined) this.upstream?.resumeBody();
    else encoder.drain();
  }

  onDownstreamClosed(): void {
    if (this.flag === "-" && !this.answerEnded) {
      this.flag = "DC";
      this.details = "downstream-closed";
    }
    leaveExchange(this);
  }

  onDownstreamFault(reason: FaultReason, detail?: string): void {
    failExchange(this, reason, detail);
  }

  assign(connection: UpstreamConnection, reused: boolean): void {
    this.reused = reused;
    sendRequest(this, connection);
  }

  refuse(reason: FaultReason, failed?: UpstreamConnection): void {
    // where another endpoint was asked for and there is none, the try that failed is what the policy is asked about
    if (failed === undefined) failTry(this, reason === "connect-failure" ? this.avoidedFor : reason, "unseen");
    else {
      this.tries++;
      this.connection = failed;
      this.upstreamHost = failed.endpoint.label;
      this.upstreamFailure = failed.failureDetail;
      failUpstream(this, reason, "unseen");
    }
  }

  onInterim(head: ResponseHead): void {
    passInterim(this, head);
  }

  onAnswerHead(head: ResponseHead, framing: BodyFraming): BodyMode {
    return passAnswerHead(this, head, framing);
  }

  onAnswerBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    const encoder = this.content?.encoder;
    if (encoder !== undefined) return encoder.write(bytes, from, to);
    const downstream = this.start?.downstream;
    return downstream === undefined ? "taken" : downstream.sendBody(bytes, from, to, lease);
  }

  onAnswerEnd(trailers: string): void {
    endAnswer(this, trailers);
  }

  onAnswerTurn(): "taken" | "full" {
    const downstream = this.start?.downstream;
    this.beganThisTurn = false;
    const outcome = this.content?.encoder?.endTurn();
    const flushed = downstream === undefined ? "taken" : downstream.flush();
    // the client's drain is the encoder's, which says itself when its source may go on
    return outcome ?? flushed;
  }

  /** Its encoder has given out the last of the answer. */
  onEncodedEnd(trailers: string): void {
    this.answerEnded = true;
    finishAnswer(this, trailers);
  }

  onUpstreamDrain(): void {
    this.start?.downstream.resumeBody();
  }

  onAnswerFailed(reason: FaultReason, progress: TryProgress): void {
    failUpstream(this, reason, progress);
  }

  onTimeout(kind: TimerKind): void {
    if (kind === "backoff") {
      retryNow(this);
      return;
    }
    if (kind === "life") {
      failExchange(this, "lifetime-exceeded");
      return;
    }
    noteTimeout(this);
    if (kind === "try") failTry(this, "upstream-timeout", this.connection?.connected === false ? "unseen" : "silent");
    else failExchange(this, "upstream-timeout");
  }

  /** Back to `idle`, for the next request; its record was handed over. */
  reset(): void {
    if (this.room !== undefined) freeRoom(this);
    this.release();
  }
}
