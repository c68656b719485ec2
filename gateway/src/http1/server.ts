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
import type { ByteReader } from "../wire/inlet.ts";
import { AnswerWriter, type AnswerTerms } from "./answer-writer.ts";
import { ConnectionLife, type LifeOwner } from "./connection-life.ts";
import { RequestInput, type RequestInputOwner } from "./request-input.ts";
import { RequestReader, type Refusal } from "./request-reader.ts";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";

/** One client connection. */
export class Http1Server implements DownstreamStream, ByteReader, RequestInputOwner, LifeOwner {
  /** What ends the connection ends the exchange. */
  readonly gone = false;
  readonly connection: AcceptedSocket["about"];
  readonly #port: ServerPort;
  readonly #socket: Socket;
  readonly #reader: RequestReader;
  readonly #input: RequestInput;
  readonly #writer: AnswerWriter;
  readonly #life: ConnectionLife;
  readonly #terms: AnswerTerms = { old: false, persistent: true, bodiless: false };
  #exchange: Exchange | undefined = undefined;
  #inTurn = false;
  /** Our half of a tunnel has ended. */
  #answerEnded = false;

  constructor(accepted: AcceptedSocket, port: ServerPort) {
    const { socket, inlet, about, ways } = accepted;
    this.connection = about;
    this.#port = port;
    this.#socket = socket;
    this.#reader = new RequestReader(port, this);
    this.#input = new RequestInput(this, this.#reader, inlet);
    this.#writer = new AnswerWriter(socket, ways, () => this.#turn(() => this.#onDrain()));
    const { outlet } = this.#writer;
    this.#life = new ConnectionLife({ port, socket, inlet, reader: this.#reader, input: this.#input, outlet }, this);
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

  get wentUpstream(): boolean {
    return this.#exchange?.upstream !== undefined;
  }

  /** Lets the client go as soon as nothing is under way. */
  drain(): void {
    this.#life.drain();
  }

  onClosed(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#life.close();
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
    this.#goOn();
  }

  pauseBody(): void {
    this.#input.pause();
    this.#life.awaitExchange(this.#exchange);
  }

  resumeBody(): void {
    this.#input.unpause();
    if (this.#input.owedBody) this.#life.awaitBody();
    this.#goOn();
  }

  sendInterim(head: ResponseHead): void {
    this.#writer.interim(head, this.#terms);
  }

  sendHead(head: ResponseHead, framing: BodyFraming, mode: BodyMode): void {
    const request = this.#reader.head;
    this.#terms.persistent = this.#life.mayGoOn;
    this.#terms.bodiless = request.method === "HEAD";
    this.#writer.head(framing === "tunnel" ? withAccept(head, request) : head, framing, mode, this.#terms);
    this.#life.awaitExchange(this.#exchange);
    if (framing === "tunnel") this.#input.tunnel();
  }

  retractHead(): boolean {
    return this.#input.state !== "tunnel" && this.#writer.retractHead();
  }

  sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    this.#life.awaitExchange(this.#exchange);
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
    else this.#life.end();
  }

  flush(): "taken" | "full" {
    const outcome = this.#writer.outlet.flush();
    if (outcome === "full" && this.#exchange === undefined) this.#life.awaitExchange(undefined);
    return outcome;
  }

  abort(): void {
    this.#exchange = undefined;
    this.#input.ignore();
    if (!this.#writer.cut(this.connection.scheme)) this.#life.end();
  }

  onHeadBegun(): void {
    this.#reader.startedAt = this.#port.dependencies.now();
    this.#life.awaitHead();
  }

  onRequestHead(): void {
    const { head } = this.#reader;
    const exchange = this.#open(head.version === "HTTP/1.0");
    if (head.framing === "none") this.#life.awaitExchange(undefined);
    else this.#life.awaitBody();
    exchange.begin(this.#reader);
    // its rule is known by now
    if (exchange.rule?.limits !== undefined && !this.#input.owedBody) this.#life.awaitExchange(exchange);
  }

  onRequestRefused(refusal: Refusal): void {
    this.#reader.clear();
    this.#open(refusal.old).beginRefused(this.#reader, refusal.reason, refusal.detail);
  }

  onRequestPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (this.#input.state === "tunnel") this.#life.awaitExchange(this.#exchange);
    else this.#life.awaitBody();
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
    this.#life.awaitExchange(exchange);
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
    this.#life.end();
  }

  takesHead(): boolean {
    return !this.#writer.outlet.clogged;
  }

  onLate(): void {
    this.#turn(() => this.#expire());
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
    this.#life.awaitRequest();
    // outside of a turn the upstream connection must first be free again
    if (!this.#inTurn && this.#input.heldUp) queueMicrotask(() => this.#goOn());
  }

  /** Goes on with what waits; within a turn, reading does. */
  #goOn(): void {
    if (!this.#inTurn) this.#turn(() => this.#input.run());
  }

  #onDrain(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined) this.#life.awaitExchange(exchange);
    else if (this.#input.state === "head") this.#life.awaitRequest();
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
}
