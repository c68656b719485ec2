/**
 * The server role of HTTP/1.x: one client connection, one exchange at a time, pipelined requests answered in order.
 *
 * What a client may not have is the benefit of the doubt: after a request that cannot be trusted the connection answers
 * and ends. It ends with FIN and is read on for a while, because a reset would eat the answer.
 */
import type { Socket } from "node:net";
import type { BodyFraming, BodyLease, BodyMode, DownstreamStream, SendOutcome } from "../exchange/contract.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { withAccept } from "../head/websocket.ts";
import { Timed } from "../time/wheel.ts";
import type { ByteReader, Inlet } from "../wire/inlet.ts";
import { AnswerWriter, type AnswerTerms } from "./answer-writer.ts";
import { afterEnd, betweenRequests, LINGER } from "./patience.ts";
import { RequestInput, type RequestInputOwner } from "./request-input.ts";
import { RequestReader, type Refusal } from "./request-reader.ts";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";

/** One client connection. */
export class Http1Server extends Timed implements DownstreamStream, ByteReader, RequestInputOwner {
  /** What ends the connection ends the exchange. */
  readonly gone = false;
  readonly connection: AcceptedSocket["about"];
  readonly #port: ServerPort;
  readonly #socket: Socket;
  readonly #inlet: Inlet;
  readonly #reader: RequestReader;
  readonly #input: RequestInput;
  readonly #writer: AnswerWriter;
  readonly #terms: AnswerTerms = { old: false, persistent: true, bodiless: false };
  #exchange: Exchange | undefined = undefined;
  #inTurn = false;
  /** Our half of a tunnel has ended. */
  #answerEnded = false;

  constructor(accepted: AcceptedSocket, port: ServerPort) {
    super();
    const { socket, inlet, about, ways } = accepted;
    this.connection = about;
    this.#port = port;
    this.#socket = socket;
    this.#inlet = inlet;
    this.#reader = new RequestReader(port, this);
    this.#input = new RequestInput(this, this.#reader, inlet);
    this.#writer = new AnswerWriter(socket, ways, () => this.#turn(() => this.#onDrain()));
    this.#arm(this.#reader.bind.http.idleTimeout);
    socket.on("end", () => this.#turn(() => this.#input.end()));
  }

  get takesRaw(): boolean {
    return !this.#terms.old;
  }

  get offersRaw(): boolean {
    return this.#reader.head.framing === "stream";
  }

  get bodyBytes(): number {
    return this.#input.bodyBytes;
  }

  /** Between requests it closes; otherwise the answer under way will say Connection: close. */
  drain(): void {
    if (this.#input.idle) this.#end();
  }

  onClosed(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#port.dependencies.clocks.coarse.disarm(this);
    this.#reader.term?.close();
    this.#inlet.close();
    if (exchange !== undefined) this.#turn(() => exchange.onDownstreamClosed());
  }

  onBytes(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    this.#inTurn = true;
    try {
      this.#input.read(bytes, from, to, lease);
    } catch (error) {
      this.#failInside(error);
    }
    this.#endTurn();
  }

  takeBody(mode: BodyMode): void {
    this.#input.take(mode);
    if (!this.#inTurn) this.#turn(() => this.#input.run());
  }

  pauseBody(): void {
    this.#input.pause();
    this.#armStream();
  }

  resumeBody(): void {
    this.#input.unpause();
    if (this.#input.owedBody) this.#arm(this.#reader.bind.http.bodyIdleTimeout);
    if (!this.#inTurn) this.#turn(() => this.#input.run());
  }

  sendInterim(head: ResponseHead): void {
    this.#writer.interim(head, this.#terms);
  }

  sendHead(head: ResponseHead, framing: BodyFraming, mode: BodyMode): void {
    const { draining, dependencies } = this.#port;
    const { complete, ended } = this.#input;
    const { head: request, persists } = this.#reader;
    this.#terms.persistent = persists && complete && !ended && !draining && !dependencies.pressure.stopKeepAlive;
    this.#terms.bodiless = request.method === "HEAD";
    this.#writer.head(framing === "tunnel" ? withAccept(head, request) : head, framing, mode, this.#terms);
    this.#armStream();
    if (framing === "tunnel") this.#input.tunnel();
  }

  retractHead(): boolean {
    return this.#input.state !== "tunnel" && this.#writer.retractHead();
  }

  sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    this.#armStream();
    return this.#writer.body(bytes, from, to, lease);
  }

  endBody(trailers: string): void {
    this.#writer.end(trailers);
    if (this.#input.state === "tunnel") {
      this.#answerEnded = true;
      this.#writer.outlet.end();
      if (this.#input.ended) this.#exchange = undefined;
      return;
    }
    this.#exchange = undefined;
    if (this.#terms.persistent && this.#reader.persists) this.#nextRequest();
    else this.#end();
  }

  flush(): "taken" | "full" {
    const outcome = this.#writer.outlet.flush();
    if (outcome === "full" && this.#exchange === undefined) this.#armStream();
    return outcome;
  }

  abort(): void {
    this.#exchange = undefined;
    this.#input.ignore();
    if (!this.#writer.cut(this.connection.scheme)) this.#end();
  }

  onHeadBegun(): void {
    this.#reader.startedAt = this.#port.dependencies.now();
    this.#arm(this.#reader.bind.http.headTimeout);
  }

  onRequestHead(): void {
    const { head, bind } = this.#reader;
    const exchange = this.#open(head.version === "HTTP/1.0");
    this.#arm(head.framing === "none" ? bind.http.streamIdleTimeout : bind.http.bodyIdleTimeout);
    exchange.begin(this.#reader);
    // its rule is known by now
    if (exchange.rule?.limits !== undefined && !this.#input.owedBody) this.#armStream();
  }

  onRequestRefused(refusal: Refusal): void {
    this.#reader.clear();
    this.#open(refusal.old).beginRefused(this.#reader, refusal.reason, refusal.detail);
  }

  onRequestPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (this.#input.state === "tunnel") this.#armStream();
    else this.#arm(this.#reader.bind.http.bodyIdleTimeout);
    const exchange = this.#exchange;
    if (exchange === undefined) return "taken";
    try {
      return exchange.onRequestBody(bytes, from, to, lease);
    } catch (error) {
      exchange.failInside(error);
      return "taken";
    }
  }

  onRequestComplete(trailers: string): void {
    const exchange = this.#exchange;
    this.#armStream();
    if (this.#answerEnded) this.#exchange = undefined;
    exchange?.onRequestEnd(trailers);
  }

  onRequestLost(why: "malformed" | "cut"): void {
    const exchange = this.#exchange;
    if (why === "malformed") exchange?.onDownstreamFault("bad-request");
    else {
      this.#socket.destroy();
      this.#exchange = undefined;
      exchange?.onDownstreamClosed();
    }
  }

  onInputEnded(): void {
    this.#end();
  }

  takesHead(): boolean {
    return !this.#writer.outlet.clogged;
  }

  override onLate(): void {
    this.#turn(() => this.#expire());
  }

  override onVisit(): void {
    if (this.#input.idle) {
      this.#reader.forget();
      // its next request could only be misdirected
      if (this.#reader.outdated) this.#end();
    } else if (this.#exchange?.upstream !== undefined) this.#reader.forgetRoutes();
  }

  #expire(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined)
      exchange.onDownstreamFault(this.#input.owedBody && !exchange.answered ? "body-timeout" : "stream-idle-timeout");
    else if (this.#input.begun && !this.#writer.outlet.clogged) {
      this.#input.ignore();
      this.onRequestRefused({ reason: "head-timeout", detail: "head-timeout", old: false });
    } else this.#socket.destroy();
  }

  #open(old: boolean): Exchange {
    const { dependencies } = this.#port;
    const exchange = dependencies.pool.pop() ?? new Exchange(dependencies);
    if (this.#reader.startedAt === 0) this.#reader.startedAt = dependencies.now();
    this.#terms.old = old;
    this.#exchange = exchange;
    return exchange;
  }

  #nextRequest(): void {
    this.#reader.startedAt = 0;
    this.#input.next();
    this.#armBetween();
    // outside of a turn the upstream connection must first be free again
    if (!this.#inTurn && this.#input.heldUp) queueMicrotask(() => this.#turn(() => this.#input.run()));
  }

  /** FIN behind the last byte; what comes is ignored for a while from then on. */
  #end(): void {
    const { outlet } = this.#writer;
    outlet.end();
    this.#input.ignore();
    this.#arm(afterEnd(this.#reader.bind.http, outlet));
    if (outlet.unsent) this.#socket.once("finish", () => this.#arm(LINGER));
  }

  #onDrain(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined) this.#armStream();
    else if (this.#input.state === "head") this.#armBetween();
    if (exchange === undefined) this.#input.run();
    else exchange.onDownstreamDrain();
  }

  /** Whatever is thrown inside is a bug of ours and ends here. */
  #turn(run: () => void): void {
    this.#inTurn = true;
    try {
      run();
    } catch (error) {
      this.#failInside(error);
    }
    this.#endTurn();
  }

  #endTurn(): void {
    this.#inTurn = false;
    if (this.#exchange !== undefined && this.#exchange.onRequestTurn() === "full") this.pauseBody();
  }

  /** Nobody knows any more what of the input was used: the connection ends. */
  #failInside(error: unknown): void {
    this.#port.dependencies.log.error("bug on a client connection", { error });
    this.#exchange?.onDownstreamFault("internal-error");
    this.#socket.destroy();
  }

  #armBetween(): void {
    this.#arm(betweenRequests(this.#reader.bind.http, this.#writer.outlet, this.#input.begun));
  }
  #armStream(): void {
    const { streamIdleTimeout } = this.#reader.bind.http;
    this.#arm(this.#exchange?.limitSilence(streamIdleTimeout) ?? streamIdleTimeout);
  }
  #arm(milliseconds: number): void {
    this.#port.dependencies.clocks.coarse.arm(this, milliseconds);
  }
}
