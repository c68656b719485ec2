/** One try of a request on an HTTP/2 connection to an endpoint: its head out, the answer's heads in, and how it ended. */
import type { FaultReason } from "@sallyport/model/fault";
import type {
  AnswerReceiver,
  BodyFraming,
  BodyLease,
  BodyMode,
  SendOutcome,
  TryProgress,
  UpstreamStream,
} from "../exchange/contract.ts";
import { DroppedAnswer } from "../exchange/dropped-answer.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { withoutKey } from "../head/websocket.ts";
import type { ClientConnection } from "./client-connection.ts";
import { EarlyRequest } from "./early-request.ts";
import { firstProtocol, toSwitch } from "./extended-connect.ts";
import type { BlockFacts } from "./frame-reader.ts";
import { ErrorCode } from "./frames.ts";
import { Http2Stream } from "./stream.ts";
import { TrailerFields } from "./trailer-fields.ts";

/** 1xx heads before the final one. */
const MAX_INTERIMS = 16;

const trailerFields = new TrailerFields();

/** One try. */
export class ClientStream extends Http2Stream implements UpstreamStream {
  readonly #client: ClientConnection;
  #receiver: AnswerReceiver | undefined;
  /** Waits for the connection; or until it is known whether the endpoint takes extended CONNECT. */
  #early: EarlyRequest | undefined = undefined;
  #method = "";
  /** What a tunnel was asked for: a protocol, or "" for CONNECT. */
  #protocol = "";
  #tunnel: "none" | "asked" | "open" = "none";
  #interims = 0;
  /** The final head came. */
  #answered = false;
  /** The end was told. */
  #over = false;
  #released = false;

  constructor(client: ClientConnection, receiver: AnswerReceiver) {
    super(client);
    this.#client = client;
    this.#receiver = receiver;
  }

  sendHead(head: RequestHead, framing: BodyFraming, _mode: BodyMode): void {
    this.#method = head.method;
    this.#protocol = firstProtocol(head.upgrade);
    if (head.upgrade !== "" || head.method === "CONNECT") this.#tunnel = "asked";
    if (this.#mustWait) {
      this.#early = new EarlyRequest(head, framing);
      this.#client.waiting.add(this);
    } else this.#launch(head, framing);
  }

  override sendBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    return this.#early?.add(bytes, from, to) ?? super.sendBody(bytes, from, to, lease);
  }

  override endBody(trailers: string): void {
    if (this.#early !== undefined) this.#early.end(trailers);
    // until the answer says what becomes of it, a tunnel has no half to close
    else if (this.#tunnel !== "asked") super.endBody(trailers);
  }

  override flush(): "taken" | "full" {
    return this.#early?.isFull === true ? "full" : super.flush();
  }

  cancel(): void {
    this.#receiver = undefined;
    this.#early = undefined;
    this.dropWaiting();
    this.#client.reset(this, ErrorCode.CANCEL);
    this.#release();
  }

  discard(): void {
    if (!this.localClosed) return this.cancel();
    const { coarse } = this.#client.dependencies.clocks;
    this.#receiver = new DroppedAnswer(coarse, () => this.gone || this.cancel());
  }

  /** The connection is up, or the endpoint's SETTINGS came: false where it must wait on. */
  onReady(): boolean {
    const early = this.#early;
    if (early === undefined || this.#mustWait) return early === undefined;
    this.#early = undefined;
    this.#launch(early.head, early.framing);
    const goesOn = early.sendTo(this);
    if (this.flush() === "taken" && goesOn) this.onDrain();
    return true;
  }

  /** The endpoint, or the connection, did nothing with the request. */
  onRefused(reason: FaultReason): void {
    this.#fail(reason, "unseen");
  }

  onBlock(facts: BlockFacts, bytes: Buffer, from: number, to: number): void {
    if (this.#answered) this.#readTrailers(facts, bytes, from, to);
    else this.#readHead(facts, bytes, from, to);
  }

  /** RFC 9113 section 8.1: a head comes first. */
  override receive(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (this.#answered) return super.receive(bytes, from, to, lease);
    this.#client.giveBackWhole(to - from);
    this.#refuseAnswer("DATA before a head");
    return "taken";
  }

  override receiveEnd(trailers: string): void {
    if (this.#answered) super.receiveEnd(trailers);
    else this.#refuseAnswer("an end before a head");
  }

  onReset(code: number): void {
    // what is whole waits for its receiver; a server may stop the rest of the request then (RFC 9113 section 8.1)
    if (this.remoteClosed) this.#settle();
    else if (code === ErrorCode.REFUSED_STREAM && !this.#begun) this.#fail("upstream-refused", "unseen");
    else this.#fail("upstream-reset", this.#progress);
  }

  onFault(_code: ErrorCode, _detail: string): void {
    this.#fail("upstream-protocol-error", this.#progress);
  }

  onConnectionLost(): void {
    if (this.remoteClosed) this.#settle();
    else this.#fail(this.#client.lossReason, this.#progress);
  }

  onComplete(): void {
    this.#settle();
  }

  onHalfClosed(): void {
    // the answer is what is waited for, and its time is the exchange's
  }

  override onLate(): void {
    // it has no time limit of its own
  }

  onTurn(): "taken" | "full" {
    return this.#receiver?.onAnswerTurn() ?? "taken";
  }

  protected onPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    return this.#receiver?.onAnswerBody(bytes, from, to, lease) ?? "taken";
  }

  protected onEnd(trailers: string): void {
    this.#over = true;
    const receiver = this.#receiver;
    if (this.#tunnel === "open") receiver?.onAnswerEnd("");
    else {
      this.#receiver = undefined;
      receiver?.onAnswerEnd(trailers);
      // the answer did not need the rest of the request
      if (!this.localClosed) this.#client.reset(this, ErrorCode.NO_ERROR);
    }
    this.#settle();
  }

  protected onDrain(): void {
    this.#receiver?.onUpstreamDrain();
  }

  get #begun(): boolean {
    return this.#answered || this.#interims > 0;
  }

  get #progress(): TryProgress {
    return this.#begun ? "begun" : this.id > 0 ? "silent" : "unseen";
  }

  get #mustWait(): boolean {
    const { connected, peer } = this.#client;
    return !connected || (this.#protocol !== "" && !peer.received);
  }

  #launch(head: RequestHead, framing: BodyFraming): void {
    const client = this.#client;
    const cannot = this.#protocol !== "" && !client.peer.connectProtocol;
    const id = cannot || client.output.stuffed ? 0 : client.takeId();
    if (id === 0) {
      client.refuseLater(this, cannot ? "upgrade-refused" : "upstream-refused");
      return;
    }
    this.begin(id, client.peer.initialWindow, client.initialReceiveWindow);
    client.streams.set(id, this);
    client.sendBlock(this, this.#encode(head), framing === "none" && this.#tunnel === "none");
    client.sentRequest();
  }

  #encode(head: RequestHead): string {
    const { encoder, scheme } = this.#client;
    const { authority, path, method } = head;
    const lines = head.toFieldLines();
    if (this.#protocol !== "") {
      const pseudo = { method: "CONNECT", protocol: this.#protocol, scheme, authority, path };
      return encoder.request(pseudo, withoutKey(lines), head.addedId);
    }
    const isConnect = method === "CONNECT";
    const pseudo = { method, scheme: isConnect ? "" : scheme, authority, path: isConnect ? "" : path };
    return encoder.request(pseudo, lines, head.addedId);
  }

  #readHead({ endStream }: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const client = this.#client;
    const { answers } = client;
    answers.begin();
    if (!client.decode(bytes, from, to, answers)) return;
    const head = answers.finish(endStream);
    if (head === undefined) this.#refuseAnswer(answers.detail);
    else if (head.status >= 200) this.#beginAnswer(head, answers.contentLength, endStream);
    else if (++this.#interims > MAX_INTERIMS) this.#refuseAnswer("too many interim heads");
    else this.#receiver?.onInterim(head);
  }

  #beginAnswer(head: ResponseHead, length: number, ended: boolean): void {
    this.#answered = true;
    if (this.#tunnel === "asked" && head.status < 300) this.#openTunnel(head);
    else if (!this.#passHead(head, length, ended)) return;
    this.takeBody("content");
    if (ended && !this.gone) this.#client.endReceived(this, "");
    this.#client.touch(this);
  }

  /** False: the answer was refused. */
  #passHead(head: ResponseHead, length: number, ended: boolean): boolean {
    const isEmpty = this.#method === "HEAD" || head.status === 204 || head.status === 304;
    if (!isEmpty && ended && length > 0) {
      this.#refuseAnswer("no body of the length that was announced");
      return false;
    }
    this.expected = isEmpty ? 0 : length;
    const hasBody = !ended && this.expected !== 0;
    // no tunnel after all: the request is complete
    if (this.#tunnel === "asked") {
      this.#tunnel = "none";
      super.endBody("");
    }
    this.#receiver?.onAnswerHead(head, !hasBody ? "none" : length > 0 ? "length" : "stream");
    return true;
  }

  /** RFC 8441 section 4: any 2xx opens it; what asked for another protocol hears of that as in HTTP/1.1. */
  #openTunnel(head: ResponseHead): void {
    this.#tunnel = "open";
    const plain = head.withoutLength();
    this.#receiver?.onAnswerHead(this.#protocol === "" ? plain : toSwitch(plain, this.#protocol), "tunnel");
  }

  #readTrailers({ endStream }: BlockFacts, bytes: Buffer, from: number, to: number): void {
    const client = this.#client;
    trailerFields.begin();
    if (!client.decode(bytes, from, to, trailerFields)) return;
    if (this.remoteClosed) client.resetFor(this, ErrorCode.STREAM_CLOSED, "HEADERS behind END_STREAM");
    else if (!endStream) this.#refuseAnswer("a second head");
    else if (this.#tunnel === "open") this.#refuseAnswer("trailers in a tunnel");
    else if (trailerFields.refused) this.#refuseAnswer(trailerFields.detail);
    else client.endReceived(this, trailerFields.lines);
  }

  #refuseAnswer(detail: string): void {
    this.#client.resetFor(this, ErrorCode.PROTOCOL_ERROR, detail);
  }

  /** Its place is free first, so that another try finds it. */
  #fail(reason: FaultReason, progress: TryProgress): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#early = undefined;
    this.dropWaiting();
    this.#release();
    receiver?.onAnswerFailed(reason, progress);
  }

  /** Over where the stream has left its connection and the end was told. */
  #settle(): void {
    if (!this.gone || (!this.#over && this.#receiver !== undefined)) return;
    this.#receiver = undefined;
    this.#release();
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.release(this);
  }
}
