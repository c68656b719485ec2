/** A request and its answer on an HTTP/2 connection of a client. Objects are used again, whatever connection they were on. */
import { invariant } from "@sallyport/model/result";
import type { FaultReason } from "@sallyport/model/fault";
import type {
  BodyFraming,
  BodyLease,
  BodyMode,
  DownstreamConnection,
  DownstreamStream,
  SendOutcome,
} from "../exchange/contract.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeStart } from "../exchange/exchange-state.ts";
import { NO_RUNTIME, withoutRoutes } from "../exchange/in-force.ts";
import { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { CompiledBind } from "../router/contract.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode, errorName } from "./frames.ts";
import { LingeringStream } from "./lingering-stream.ts";
import { parsePriority } from "./priority.ts";
import { toLines, type StreamStart } from "./stream-start.ts";
import { TrailerFields } from "./trailer-fields.ts";

/** Streams kept for later. */
const SPARES = 256;
const spares: ServerStream[] = [];
const trailerFields = new TrailerFields();

/** One exchange. */
export class ServerStream extends LingeringStream implements DownstreamStream, ExchangeStart {
  readonly downstream = this;
  head = new RequestHead();
  runtime = NO_RUNTIME;
  outdated = false;
  startedAt = 0;
  #bind: CompiledBind | undefined = undefined;
  #exchange: Exchange | undefined = undefined;
  /** The head of the answer, while nothing that follows it was sent. */
  #answer: ResponseHead | undefined = undefined;
  #framing: BodyFraming = "none";
  #tunnel = false;
  /** Our half of a tunnel has ended; the client's was delivered. */
  #answerEnded = false;
  #requestEnded = false;

  /** One that was used before, or a new one. */
  static open(start: StreamStart): ServerStream {
    const stream = spares.pop() ?? new ServerStream(start.server);
    stream.#open(start);
    return stream;
  }

  get bind(): CompiledBind {
    invariant(this.#bind !== undefined, "a stream in use has a bind");
    return this.#bind;
  }

  get connection(): DownstreamConnection {
    return this.owner.about;
  }

  /** The head is complete: begins its exchange. `prioritised`: it has the field that says so. */
  serve(prioritised: boolean): void {
    const { head } = this;
    if (prioritised) this.priority = parsePriority(head.header("priority") ?? "");
    const exchange = (this.#exchange = this.owner.takeExchange());
    this.#armFor(head.framing === "none" ? "stream" : "body");
    exchange.begin(this);
    // its rule is known by now
    if (exchange.rule?.limits !== undefined && head.framing === "none") this.#armFor("stream");
  }

  /** There is no head that could be served. */
  refuse(reason: FaultReason, detail: string): void {
    if (this.head.text !== "") this.head = new RequestHead();
    this.head.version = "HTTP/2";
    this.head.scheme = this.connection.scheme;
    this.#exchange = this.owner.takeExchange();
    this.#exchange.beginRefused(this, reason, detail);
  }

  override takeBody(mode: BodyMode): void {
    this.#emitHead();
    super.takeBody(mode);
  }

  awaitTurn(): boolean {
    if (!this.owner.inTurn) return false;
    this.owner.touch(this);
    return true;
  }

  override pauseBody(): void {
    super.pauseBody();
    this.#armFor("stream");
  }

  override resumeBody(): void {
    if (!this.remoteClosed) this.#armFor("body");
    super.resumeBody();
  }

  sendInterim(head: ResponseHead): void {
    if (this.gone || head.status === 101) return;
    this.owner.sendBlock(this, this.owner.encoder.response(head.status, head.toFieldLines()), false);
  }

  sendHead(head: ResponseHead, framing: BodyFraming, _mode: BodyMode): void {
    if (this.gone) return;
    this.#answer = head;
    this.#framing = framing;
    this.#armFor("stream");
    if (framing !== "tunnel") return;
    this.#tunnel = true;
    this.#requestEnded = false;
    this.beginTunnel();
  }

  retractHead(): boolean {
    const retracted = this.#answer !== undefined && !this.#tunnel;
    this.#answer = undefined;
    return retracted;
  }

  override sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    this.#emitHead();
    this.#armFor("stream");
    return super.sendBody(bytes, from, to, lease);
  }

  override endBody(trailers: string): void {
    if (this.#tunnel) {
      this.#answerEnded = true;
      if (this.#requestEnded) this.#exchange = undefined;
    } else this.#exchange = undefined;
    if (!this.gone) {
      this.#emitHead();
      super.endBody(trailers);
    }
    if (this.#exchange !== undefined) return;
    if (this.gone) this.recycle();
    else this.ignoreBody();
  }

  override flush(): "taken" | "full" {
    this.#emitHead();
    return super.flush();
  }

  override sendRest(most: number): boolean {
    this.#armFor("stream");
    return super.sendRest(most);
  }

  abort(): void {
    this.#exchange = undefined;
    this.owner.reset(this, ErrorCode.INTERNAL_ERROR);
    this.recycle();
  }

  onTurn(): "taken" | "full" {
    if (this.#exchange !== undefined) return this.#exchange.onRequestTurn();
    this.endIfSated();
    return "taken";
  }

  /** Trailers. */
  onBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    trailerFields.begin();
    if (!this.owner.decode(bytes, from, to, trailerFields)) return;
    const { lines, refused, detail } = trailerFields;
    if (this.remoteClosed) this.owner.resetFor(this, ErrorCode.STREAM_CLOSED, "HEADERS behind END_STREAM");
    else if (!facts.endStream || facts.selfDependent)
      this.owner.resetFor(this, ErrorCode.PROTOCOL_ERROR, "HEADERS that are no trailers");
    else if (refused) this.owner.resetFor(this, ErrorCode.PROTOCOL_ERROR, detail);
    else this.owner.endReceived(this, lines);
  }

  onReset(): void {
    this.#leaveExchange();
  }

  onConnectionLost(): void {
    this.#leaveExchange();
  }

  onFault(code: ErrorCode, detail: string): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onDownstreamFault("bad-request", `${errorName(code)}: ${detail}`);
    this.recycle();
  }

  onComplete(): void {
    if (this.#exchange === undefined) this.recycle();
  }

  onHalfClosed(): void {
    if (!this.#tunnel) this.linger();
  }

  override onLate(): void {
    const outermost = this.owner.enterTurn();
    const exchange = this.#exchange;
    if (exchange !== undefined)
      exchange.onDownstreamFault(this.owed && !exchange.answered ? "body-timeout" : "stream-idle-timeout");
    else if (!this.gone) this.giveUp();
    if (outermost) this.owner.leaveTurn();
  }

  /** An exchange that went upstream needs its routes no more: tunnels outlive any number of configurations. */
  override onVisit(): void {
    if (this.#bind === undefined || this.runtime === NO_RUNTIME || this.#exchange?.upstream === undefined) return;
    if (this.owner.isInForce(this.runtime)) return;
    this.#bind = withoutRoutes(this.#bind);
    this.runtime = NO_RUNTIME;
    this.head.routedBy = undefined;
  }

  protected onPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    const exchange = this.#exchange;
    if (exchange === undefined) return "taken";
    this.#armFor(this.#tunnel ? "stream" : "body");
    try {
      return exchange.onRequestBody(bytes, from, to, lease);
    } catch (error) {
      exchange.failInside(error);
      return "taken";
    }
  }

  protected onEnd(trailers: string): void {
    const exchange = this.#exchange;
    this.#requestEnded = true;
    this.#armFor("stream");
    if (this.#answerEnded) this.#exchange = undefined;
    if (exchange === undefined) return;
    try {
      exchange.onRequestEnd(trailers);
    } catch (error) {
      exchange.failInside(error);
    }
  }

  protected onDrain(): void {
    this.#armFor("stream");
    this.#exchange?.onDownstreamDrain();
  }

  #open({ server, id, runtime, bind, outdated, startedAt }: StreamStart): void {
    this.owner = server;
    this.begin(id, server.peer.initialWindow, server.initialReceiveWindow);
    this.runtime = runtime;
    this.#bind = bind;
    this.outdated = outdated;
    this.startedAt = startedAt;
    this.#answer = undefined;
    this.#tunnel = this.#answerEnded = this.#requestEnded = false;
    if (this.head.abandoned) this.head = new RequestHead();
  }

  #leaveExchange(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onDownstreamClosed();
    this.recycle();
  }

  /** The head goes out with what follows it: until then it can be taken back. */
  #emitHead(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    if (this.gone) return;
    const status = this.#tunnel ? 200 : answer.status;
    this.owner.sendBlock(this, this.owner.encoder.response(status, toLines(answer)), this.#framing === "none");
  }

  /** Its part of everything is over. */
  protected recycle(): void {
    if (this.#bind === undefined) return;
    this.owner.coarse.disarm(this);
    this.dropWaiting();
    this.#bind = undefined;
    this.runtime = NO_RUNTIME;
    this.#answer = undefined;
    this.head.routedBy = undefined;
    this.head.route = undefined;
    if (spares.length < SPARES) spares.push(this);
  }

  #armFor(what: "stream" | "body"): void {
    if (this.#bind === undefined) return;
    const { streamIdleTimeout, bodyIdleTimeout } = this.#bind.http;
    const silence = this.#exchange?.limitSilence(streamIdleTimeout) ?? streamIdleTimeout;
    this.owner.coarse.arm(this, what === "stream" ? silence : bodyIdleTimeout);
  }
}
