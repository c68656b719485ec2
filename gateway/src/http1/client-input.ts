/**
 * What an upstream connection reads: interim heads, the final head, the body in its framing. An answer is believed only
 * as far as it is well-formed; everything else refuses the answer, and bytes nobody asked for refuse the connection.
 */
import type { AnswerReceiver, BodyFraming, BodyLease, BodyMode } from "../exchange/contract.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { checkAccept } from "../head/websocket.ts";
import type { Inlet } from "../wire/inlet.ts";
import { READ_SIZE } from "../wire/read-buffer.ts";
import { LF } from "../head/bytes.ts";
import { ChunkedDecoder, rawTrailers } from "./chunked.ts";
import { answerFraming, isExpectedSwitch, type AnswerFacts, type AnswerReader } from "./client-answer.ts";
import { HeadParser } from "./head-parser.ts";
import { Stash } from "../wire/stash.ts";

/** What the input tells the connection it belongs to. */
export interface AnswerInputOwner {
  /** The answer is complete; `clean`: nothing was read behind it, and its framing lets the connection live on. */
  onAnswerDone(trailers: string, clean: boolean): void;
  /** The answer is malformed. */
  onAnswerRefused(): void;
}

/** What of the request decides how its answer is read. */
export interface AskedFor {
  readonly method: string;
  /** Protocols asked for by Upgrade; "" for none. */
  readonly upgrade: string;
}

/** What is read next. `idle`: nothing is expected. */
export type ReadState = "idle" | "head" | "length" | "chunked" | "until-close" | "tunnel";

/** 1xx heads before the final one. */
const MAX_INTERIMS = 16;
/** A body with more bytes left than this is worth memory of its own. */
const LARGE_BODY = 49_152;
const NOTHING: AskedFor = { method: "", upgrade: "" };

const parser = new HeadParser();

/** Reads the answers of one connection. */
export class AnswerInput {
  state: ReadState = "idle";
  receiver: AnswerReceiver | undefined = undefined;
  /** Bytes of content delivered of this answer. */
  bodyBytes = 0;
  /** Of the WebSocket handshake that was begun here; "" where none was. */
  key = "";
  /** The body is chunked: it can be handed on as it is. */
  offersRaw = false;
  readonly #owner: AnswerInputOwner;
  readonly #inlet: Inlet;
  readonly #answers: AnswerReader;
  readonly #stash = new Stash();
  #decoder: ChunkedDecoder | undefined = undefined;
  #asked: AskedFor = NOTHING;
  #left = 0;
  #interims = 0;
  #reusable = false;

  constructor(owner: AnswerInputOwner, inlet: Inlet, answers: AnswerReader) {
    this.#owner = owner;
    this.#inlet = inlet;
    this.#answers = answers;
  }

  /** An answer to this request is expected from now on. */
  expect(asked: AskedFor): void {
    this.state = "head";
    this.#asked = asked;
    this.key = "";
    this.#interims = 0;
    this.bodyBytes = 0;
  }

  /** No answer is expected: the request was not sent. */
  expectNothing(): void {
    this.state = "idle";
    this.receiver = undefined;
    this.#asked = NOTHING;
  }

  /** Whether no byte of an answer has come. */
  get untouched(): boolean {
    return this.state === "head" && this.#interims === 0 && this.#stash.length === 0;
  }

  /** Whether the answer that has begun can end within so many bytes, and the connection can be used again then. */
  endsWithin(bytes: number): boolean {
    return this.#reusable && (this.state !== "length" || this.#left <= bytes);
  }

  read(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    if (this.state === "head") this.#readHeads(bytes, from, to);
    else this.#readBody(bytes, from, to, lease);
  }

  #readHeads(bytes: Buffer, from: number, to: number): void {
    const stash = this.#stash;
    if (stash.length === 0) {
      const behind = this.#readHeadRun(bytes, from, to);
      if (behind >= 0) stash.append(bytes, behind, to);
      return;
    }
    const feed = bytes.indexOf(LF, from);
    stash.append(bytes, from, to);
    const { bytes: held, from: start, to: end } = stash;
    // where no line was completed there is nothing new to parse
    if (held === undefined || feed < 0 || feed >= to) return;
    stash.clear();
    const behind = this.#readHeadRun(held, start, end);
    if (behind >= 0) stash.append(held, behind, end);
  }

  /** Interim heads, and the final one with what is behind it. Returns where an incomplete head begins, or -1. */
  #readHeadRun(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
      const behind = this.#answers.read(parser, bytes, at, to);
      if (behind === 0) return at;
      if (behind < 0) return this.#refuse();
      const { facts } = this.#answers;
      at = behind;
      if (facts.head.status >= 200 || facts.head.status === 101) return this.#beginAnswer(facts, bytes, at, to);
      if (facts.contentLength >= 0 || facts.chunked || ++this.#interims > MAX_INTERIMS) return this.#refuse();
      this.receiver?.onInterim(facts.head);
      if (this.state !== "head") return -1;
    }
    return -1;
  }

  #beginAnswer(facts: AnswerFacts, bytes: Buffer, from: number, to: number): -1 {
    const { receiver } = this;
    if (receiver === undefined) return -1;
    const framing = answerFraming(facts, this.#asked.method);
    const head = framing === "tunnel" ? this.#checkTunnel(facts) : facts.head;
    if (head === undefined) return this.#refuse();
    // it is a whole request head, which an idle connection must not keep
    this.#asked = NOTHING;
    this.offersRaw = framing === "stream" && facts.chunked;
    this.#left = facts.contentLength;
    this.#reusable = facts.persistent && framing !== "tunnel" && (framing !== "stream" || facts.chunked);
    this.state = toState(framing, facts.chunked);
    const mode = receiver.onAnswerHead(head, framing);
    // the exchange may be over by now, and the connection with it
    if (this.receiver === undefined) return -1;
    this.#startBody(mode, facts.hopFields);
    if (framing === "none") this.#finish("", from === to);
    else if (from < to) this.#readBody(bytes, from, to, undefined);
    else this.#widen();
    return -1;
  }

  /** The head of an answer that opens a tunnel; undefined where it is not the one that was asked for. */
  #checkTunnel(facts: AnswerFacts): ResponseHead | undefined {
    const { key } = this;
    // RFC 9110 section 9.3.6: what the answer to CONNECT says about a length means nothing
    if (facts.head.status !== 101) return facts.head.withoutLength();
    if (!isExpectedSwitch(facts, this.#asked.upgrade)) return undefined;
    return key === "" ? facts.head : checkAccept(facts.head, key);
  }

  #startBody(mode: BodyMode, hopFields: readonly string[]): void {
    if (this.state !== "chunked") return;
    this.#decoder ??= new ChunkedDecoder();
    this.#decoder.start(mode, hopFields);
  }

  #readBody(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    switch (this.state) {
      case "length":
        this.#readLength(bytes, from, to, lease);
        break;
      case "chunked":
        this.#readChunked(bytes, from, to, lease);
        break;
      case "until-close":
      case "tunnel":
        this.bodyBytes += to - from;
        this.#pass(bytes, from, to, lease);
        break;
      default:
        this.#refuse();
    }
  }

  #readLength(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    this.bodyBytes += end - from;
    if (this.#left > 0) this.#widen();
    this.#pass(bytes, from, end, lease);
    if (this.#left === 0) this.#finish("", end === to);
  }

  #readChunked(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    const behind = decoder.feed(bytes, from, to);
    if (behind < 0) {
      this.#refuse();
      return;
    }
    this.bodyBytes = decoder.content;
    // the shared buffer came back full: more is waiting
    if (to - from === READ_SIZE) this.#inlet.widen();
    if (decoder.to > decoder.from) this.#pass(bytes, decoder.from, decoder.to, lease);
    if (!decoder.done) return;
    const last = rawTrailers(decoder);
    if (last !== undefined) this.#pass(last, 0, last.length, undefined);
    this.#finish(last === undefined ? decoder.trailers : "", behind === to);
  }

  #pass(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const outcome = this.receiver?.onAnswerBody(bytes, from, to, lease) ?? "taken";
    this.#inlet.settle(lease, outcome, to - from);
    if (outcome === "full") this.#inlet.pause();
  }

  #widen(): void {
    if (this.state === "length" && this.#left > LARGE_BODY) this.#inlet.widen();
  }

  #finish(trailers: string, nothingBehind: boolean): void {
    this.state = "idle";
    this.#owner.onAnswerDone(trailers, nothingBehind && this.#reusable);
  }

  #refuse(): -1 {
    this.#owner.onAnswerRefused();
    return -1;
  }
}

function toState(framing: BodyFraming, chunked: boolean): ReadState {
  switch (framing) {
    case "none":
      return "head";
    case "length":
      return "length";
    case "tunnel":
      return "tunnel";
    case "stream":
      return chunked ? "chunked" : "until-close";
  }
}
