/**
 * One request and its answer: an explicit state machine between a downstream stream and an upstream one.
 *
 *   idle -> filtering -> acquiring -> forwarding -> answering -> over
 *                          ^  ^----------/  |  \-> tunnel   -> over
 *                          \---- waiting <--/
 *
 * Every phase can go to `over` at once: by a local reply, a fault, or because the client left. The phases themselves are
 * functions (request-phases.ts, answer-phases.ts, local-reply.ts); this class holds their state and is what codecs,
 * clusters and timers call.
 *
 * Objects are used again: begin() takes one from `idle`, and when it is over it goes back to its pool. So whoever calls
 * later (a filter's promise) checks `generation` first.
 */
import type { FaultReason, ResponseFlag } from "@sallyport/model/fault";
import type { ConnectionRequest, UpstreamCluster, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { CompiledBackend, CompiledBind, CompiledListener, CompiledRule, Runtime } from "../router/contract.ts";
import { endAnswer, failUpstream, passAnswerHead, passInterim } from "./answer-phases.ts";
import type {
  AnswerReceiver,
  BodyFraming,
  BodyLease,
  BodyMode,
  DownstreamStream,
  RequestReceiver,
  SendOutcome,
  TryProgress,
  UpstreamStream,
} from "./contract.ts";
import type { ExchangeDependencies } from "./dependencies.ts";
import { failExchange, finishExchange, leaveExchange } from "./local-reply.ts";
import type { Mirror } from "./mirror.ts";
import { LiveRecord } from "./record.ts";
import { beginRequest, sendRequest } from "./request-phases.ts";
import { dropKept, keepBody } from "./repetition.ts";
import { failTry, retryNow } from "./retries.ts";
import type { Retries } from "./retry-state.ts";
import { ExchangeTimers, type TimerKind } from "./timers.ts";

/** Where an exchange is. */
export type ExchangePhase =
  | "idle"
  | "filtering"
  | "acquiring"
  | "forwarding"
  /** For the next try, by the rule's retry policy. */
  | "waiting"
  | "answering"
  | "tunnel";

/** What a codec begins an exchange with. */
export interface ExchangeStart {
  readonly downstream: DownstreamStream;
  readonly runtime: Runtime;
  readonly bind: CompiledBind;
  /** The handshake of its connection proved what the port asked for then, and the port asks for something else by now. */
  readonly outdated: boolean;
  readonly head: RequestHead;
  /** performance.now() of the first byte of the head. */
  readonly startedAt: number;
}

/** One exchange. The fields are its phases' to change. */
export class Exchange implements RequestReceiver, AnswerReceiver, ConnectionRequest {
  readonly dependencies: ExchangeDependencies;
  readonly record: LiveRecord;
  phase: ExchangePhase = "idle";
  /** Counts the uses of this object. */
  generation = 0;

  start: ExchangeStart | undefined = undefined;
  listener: CompiledListener | undefined = undefined;
  rule: CompiledRule | undefined = undefined;
  backend: CompiledBackend | undefined = undefined;
  cluster: UpstreamCluster | undefined = undefined;
  upstream: UpstreamStream | undefined = undefined;
  /** That the last try was made on. */
  connection: UpstreamConnection | undefined = undefined;
  mirrors: readonly Mirror[] = [];
  answer: ResponseHead | undefined = undefined;

  /** How many filters of rule and backend have run: their response phases are due. */
  ruleFilters = 0;
  backendFilters = 0;
  /** A filter's promise is pending. */
  waiting = false;
  requestEnded = false;
  answerEnded = false;
  /** The body of the answer ends with what stands for its trailers. */
  closes = false;
  /** Its final head was sent. */
  answered = false;
  /** The connection answered before. */
  reused = false;
  /** How often the request went to an endpoint. */
  tries = 0;
  /** How often it went out again because nobody had seen it. */
  replays = 0;
  /** What the rule's retry policy made of it; undefined until there is a retry. */
  retries: Retries | undefined = undefined;
  /** How pieces of the request's body come; undefined until they are asked for. */
  bodyMode: BodyMode | undefined = undefined;
  /** Something of the request's body, or its end, went to a try. */
  bodyBegun = false;
  /** What came of the body, as latin1 text, while a try may have to be repeated; undefined: not kept, or too much. */
  kept: string | undefined = undefined;
  /** Of the request, once it has ended. */
  requestTrailers = "";
  /** The endpoint that could not be reached. */
  avoids: UpstreamEndpoint | undefined = undefined;

  status = 0;
  flag: ResponseFlag = "-";
  details = "";
  upstreamStartedAt = 0;
  /** The turn of reading in which the answer began has not ended: the clock need not be read again. */
  beganThisTurn = false;
  bytesSent = 0;
  /** Of the answer, for the record. */
  trailers = "";
  upstreamHost = "-";
  upstreamFailure = "";
  readonly timers: ExchangeTimers;

  get upgrades(): boolean {
    return this.start !== undefined && this.start.head.upgrade !== "";
  }

  /** Endpoints that tries failed on. */
  get tried(): readonly UpstreamEndpoint[] | undefined {
    return this.retries?.tried;
  }

  constructor(dependencies: ExchangeDependencies) {
    this.dependencies = dependencies;
    this.record = new LiveRecord(this);
    this.timers = new ExchangeTimers(this, dependencies.clocks.fine);
  }

  /** Begins with a complete head. May be over when it returns. */
  begin(start: ExchangeStart): void {
    this.#open(start);
    beginRequest(this, start);
  }

  /** Begins and ends with a request that could not be read; `head` is empty or what is known of it. */
  beginRefused(start: ExchangeStart, reason: FaultReason, detail: string): void {
    this.#open(start);
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
    if (this.kept !== undefined) keepBody(this, bytes, from, to);
    for (let i = 0; i < mirrors.length; i++) mirrors[i]?.sendBody(bytes, from, to);
    return upstream === undefined ? "taken" : upstream.sendBody(bytes, from, to, lease);
  }

  onRequestEnd(trailers: string): void {
    this.requestEnded = true;
    this.requestTrailers = trailers;
    this.bodyBegun = true;
    for (const mirror of this.mirrors) mirror.endBody(trailers);
    this.upstream?.endBody(trailers);
    if (this.phase === "tunnel" && this.answerEnded) finishExchange(this);
  }

  onRequestTurn(): "taken" | "full" {
    for (let i = 0; i < this.mirrors.length; i++) this.mirrors[i]?.flush();
    return this.upstream === undefined ? "taken" : this.upstream.flush();
  }

  onDownstreamDrain(): void {
    this.upstream?.resumeBody();
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
    if (failed === undefined) failTry(this, reason, "unseen");
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
    const downstream = this.start?.downstream;
    return downstream === undefined ? "taken" : downstream.sendBody(bytes, from, to, lease);
  }

  onAnswerEnd(trailers: string): void {
    endAnswer(this, trailers);
  }

  onAnswerTurn(): "taken" | "full" {
    const downstream = this.start?.downstream;
    this.beganThisTurn = false;
    return downstream === undefined ? "taken" : downstream.flush();
  }

  onUpstreamDrain(): void {
    this.start?.downstream.resumeBody();
  }

  onAnswerFailed(reason: FaultReason, progress: TryProgress): void {
    failUpstream(this, reason, progress);
  }

  onTimeout(kind: TimerKind): void {
    if (kind === "backoff") retryNow(this);
    else if (kind === "try")
      failTry(this, "upstream-timeout", this.connection?.connected === false ? "unseen" : "silent");
    else failExchange(this, "upstream-timeout");
  }

  /** Back to `idle`, for the next request; its record was handed over. */
  reset(): void {
    this.generation++;
    this.phase = "idle";
    this.start = undefined;
    this.listener = undefined;
    this.rule = undefined;
    this.backend = undefined;
    this.cluster = undefined;
    this.upstream = undefined;
    this.connection = undefined;
    this.avoids = undefined;
    if (this.kept !== undefined) dropKept(this);
    this.retries = undefined;
    this.requestTrailers = "";
    this.answer = undefined;
    if (this.mirrors.length > 0) this.mirrors = [];
  }

  #open(start: ExchangeStart): void {
    this.phase = "filtering";
    this.start = start;
    this.ruleFilters = 0;
    this.backendFilters = 0;
    this.waiting = false;
    this.requestEnded = false;
    this.answerEnded = false;
    this.closes = false;
    this.answered = false;
    this.reused = false;
    this.tries = 0;
    this.replays = 0;
    this.bodyMode = undefined;
    this.bodyBegun = false;
    this.status = 0;
    this.flag = "-";
    this.details = "";
    this.upstreamStartedAt = 0;
    this.beganThisTurn = false;
    this.bytesSent = 0;
    this.trailers = "";
    this.upstreamHost = "-";
    this.upstreamFailure = "";
  }
}
