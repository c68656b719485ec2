/**
 * What a client connection reads: heads, bodies in their framing, tunnels. Bytes that come before their time wait in a
 * stash; reading stops when that is full. Nothing is delivered while the owner cannot take it.
 */
import type { BodyLease, BodyMode, SendOutcome } from "../exchange/contract.ts";
import type { Inlet } from "../wire/inlet.ts";
import { READ_SIZE } from "../wire/read-buffer.ts";
import { LF } from "../head/bytes.ts";
import { ChunkedDecoder, rawTrailers } from "./chunked.ts";
import type { Refusal, RequestReader } from "./request-reader.ts";
import { Stash } from "../wire/stash.ts";

/** What the input tells the connection it belongs to. */
export interface RequestInputOwner {
  /** A head is complete, in the reader. */
  onRequestHead(): void;
  /** A head cannot be trusted. */
  onRequestRefused(refusal: Refusal): void;
  /** The first bytes of a head came, but not all of it. */
  onHeadBegun(): void;
  onRequestPiece(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome;
  /** The body (or the client's half of a tunnel) is complete. */
  onRequestComplete(trailers: string): void;
  /** The rest of a body will not come: its chunked coding is malformed, or FIN came instead. */
  onRequestLost(why: "malformed" | "cut"): void;
  /** FIN with no request under way. */
  onInputEnded(): void;
  /** False while the client does not read its answers: it gets no new ones. */
  takesHead(): boolean;
}

/** What is read next. `answer`: nothing, before the answer is complete; `ignore`: nothing any more. */
export type InputState = "head" | "length" | "chunked" | "answer" | "tunnel" | "ignore";

/** Reading stops when so much waits. */
const MAX_STASH = 65_536;
/** A body with more bytes left than this is worth memory of its own. */
const LARGE_BODY = 49_152;

/** Reads the requests of one connection. */
export class RequestInput {
  state: InputState = "head";
  /** Bytes of content delivered of this request. */
  bodyBytes = 0;
  /** The client has sent FIN. */
  ended = false;
  readonly #owner: RequestInputOwner;
  readonly #reader: RequestReader;
  readonly #inlet: Inlet;
  readonly #stash = new Stash();
  #decoder: ChunkedDecoder | undefined = undefined;
  #left = 0;
  /** Somebody takes the body. */
  #taken = false;
  #paused = false;
  #begun = false;

  constructor(owner: RequestInputOwner, reader: RequestReader, inlet: Inlet) {
    this.#owner = owner;
    this.#reader = reader;
    this.#inlet = inlet;
  }

  /** Nothing of a request is there. */
  get idle(): boolean {
    return this.state === "head" && this.#stash.length === 0;
  }

  /** Of the next head there is something, but not all. */
  get begun(): boolean {
    return this.state === "head" && this.#begun;
  }

  /** There is something to go on with, once the answer before it is complete. */
  get heldUp(): boolean {
    return this.#stash.length > 0 || this.ended || this.#inlet.paused;
  }

  /** The request under way was read whole. */
  get complete(): boolean {
    return this.state === "answer";
  }

  /** A body is being read and nobody but the client holds it up. */
  get owedBody(): boolean {
    return (this.state === "length" || this.state === "chunked") && this.#taken && !this.#paused;
  }

  read(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const stash = this.#stash;
    if (stash.length === 0) {
      const at = this.#consume(bytes, from, to, lease);
      if (at < to) this.#keep(bytes, at, to);
      return;
    }
    const feed = bytes.indexOf(LF, from);
    this.#keep(bytes, from, to);
    // a head in which no line was completed need not be looked at again, unless it may be too long by now
    const sameHead = this.state === "head" && (feed < 0 || feed >= to);
    if (!sameHead || stash.length > this.#reader.bind.http.maxHeadBytes) this.run();
  }

  /** Goes on with what waits, and with reading. */
  run(): void {
    const stash = this.#stash;
    const { bytes, from, to } = stash;
    if (bytes !== undefined) {
      const at = this.#consume(bytes, from, to, undefined);
      if (stash.bytes === bytes) stash.consumeTo(at);
    }
    if (!this.#paused && stash.length <= MAX_STASH && (stash.length === 0 || !this.#blocked)) this.#inlet.resume();
    this.#checkEnd();
  }

  /** Delivers the body from now on. The caller runs it when it is not reading anyway. */
  take(mode: BodyMode): void {
    this.#taken = true;
    this.#paused = false;
    if (this.state !== "chunked") return;
    this.#decoder ??= new ChunkedDecoder();
    this.#decoder.start(mode, this.#reader.head.hopFields);
  }

  /** All that comes from now on belongs to a tunnel, which somebody must take. */
  tunnel(): void {
    this.state = "tunnel";
    this.#taken = false;
    this.bodyBytes = 0;
  }

  pause(): void {
    this.#paused = true;
    this.#inlet.pause();
  }

  /** Undoes pause(). The caller runs it when it is not reading anyway. */
  unpause(): void {
    this.#paused = false;
  }

  /** The answer is complete: on to the next request. */
  next(): void {
    this.state = "head";
    this.#taken = false;
    this.#paused = false;
  }

  /** Whatever comes is read and forgotten. */
  ignore(): void {
    this.state = "ignore";
    this.#paused = false;
    this.#stash.clear();
    this.#inlet.narrow();
    this.#inlet.resume();
  }

  /** The client has sent FIN. */
  end(): void {
    this.ended = true;
    this.#checkEnd();
  }

  get #blocked(): boolean {
    switch (this.state) {
      case "head":
        return !this.#owner.takesHead();
      case "length":
      case "chunked":
      case "tunnel":
        return !this.#taken || this.#paused;
      case "answer":
        return true;
      case "ignore":
        return false;
    }
  }

  #consume(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): number {
    let at = from;
    while (at < to && !this.#blocked) {
      switch (this.state) {
        case "head": {
          const behind = this.#readHead(bytes, at, to);
          if (behind === 0) return at;
          at = behind;
          break;
        }
        case "length":
          at = this.#readLength(bytes, at, to, lease);
          break;
        case "chunked":
          at = this.#readChunked(bytes, at, to, lease);
          break;
        case "tunnel":
          this.bodyBytes += to - at;
          this.#pass(bytes, at, to, lease);
          at = to;
          break;
        default:
          at = to;
      }
    }
    return at;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.state === "ignore") return;
    this.#stash.append(bytes, from, to);
    if (this.#stash.length > MAX_STASH && this.#blocked) this.#inlet.pause();
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const behind = this.#reader.read(bytes, from, to);
    if (behind === 0) {
      if (!this.#begun) this.#owner.onHeadBegun();
      this.#begun = true;
      return 0;
    }
    this.#begun = false;
    if (behind < 0) {
      this.ignore();
      this.#owner.onRequestRefused(this.#reader.refusal);
      return to;
    }
    const { framing, contentLength } = this.#reader.head;
    this.bodyBytes = 0;
    this.#taken = false;
    this.#left = contentLength;
    this.state = framing === "none" ? "answer" : framing === "length" ? "length" : "chunked";
    this.#owner.onRequestHead();
    return behind;
  }

  #readLength(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): number {
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    this.bodyBytes += end - from;
    if (this.#left > LARGE_BODY) this.#inlet.widen();
    this.#pass(bytes, from, end, lease);
    if (this.#left === 0) this.#complete("");
    return end;
  }

  #readChunked(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): number {
    const decoder = this.#decoder;
    if (decoder === undefined) return to;
    const behind = decoder.feed(bytes, from, to);
    if (behind < 0) {
      this.ignore();
      this.#owner.onRequestLost("malformed");
      return to;
    }
    this.bodyBytes = decoder.content;
    if (to - from === READ_SIZE) this.#inlet.widen();
    if (decoder.to > decoder.from) this.#pass(bytes, decoder.from, decoder.to, lease);
    if (!decoder.done) return behind;
    const last = rawTrailers(decoder);
    if (last !== undefined) this.#pass(last, 0, last.length, undefined);
    this.#complete(last === undefined ? decoder.trailers : "");
    return behind;
  }

  #pass(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): void {
    const outcome = this.#owner.onRequestPiece(bytes, from, to, lease);
    this.#inlet.settle(lease, outcome, to - from);
    if (outcome === "full" && this.state !== "ignore") this.pause();
  }

  #complete(trailers: string): void {
    // the owner may have given up on the request meanwhile
    if (this.state !== "length" && this.state !== "chunked") return;
    this.state = "answer";
    this.#paused = false;
    this.#inlet.narrow();
    this.#inlet.resume();
    this.#owner.onRequestComplete(trailers);
  }

  /** FIN counts when all that came before it was used. */
  #checkEnd(): void {
    if (!this.ended || (this.#stash.length > 0 && this.#blocked)) return;
    switch (this.state) {
      case "head":
        this.#owner.onInputEnded();
        break;
      case "length":
      case "chunked":
        this.#owner.onRequestLost("cut");
        break;
      case "tunnel":
        if (!this.#taken) break;
        this.#taken = false;
        this.#owner.onRequestComplete("");
        break;
      default:
    }
  }
}
