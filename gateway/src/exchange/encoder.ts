/**
 * Encodes the body of one answer on its way downstream, with explicit flow control to both sides: the source pauses while much waits
 * to be encoded, and the coder while the client does not read.
 *
 * The head waits for the end of the turn in which it came, or a moment longer where a short body is announced. A body that is short and
 * whole by then is encoded at once and has a Content-Length; any other goes through a coder, in a thread of libuv. A body without an end in sight (events, logs) must not wait in
 * the coder: where it has caught up and nothing more comes in this turn of the loop, it is flushed.
 */
import type { ContentCoding } from "@sallyport/policies/filter";
import type { ResponseHead } from "../head/response-head.ts";
import { Timed } from "../time/wheel.ts";
import { Stash } from "../wire/stash.ts";
import type { BodyFraming, BodyLease, SendOutcome } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import { type Coder, coderRoom, flushOf, MOST_WAITING, openCoder } from "./coders.ts";
import { AT_ONCE } from "./kept-gzip.ts";
import { shortBodies } from "./short-bodies.ts";

/** What a coder emits is nobody else's. */
const OWNED: BodyLease = { hold: () => doNothing };

/** Milliseconds that the head waits for a short body. Servers often write the two apart. */
const PATIENCE = 20;

/** One body on its way. Holds room for a coder until close(). */
export class BodyEncoder extends Timed {
  /** Bytes that went downstream. */
  sent = 0;
  readonly #exchange: Exchange;
  readonly #coding: ContentCoding;
  /** Of the body as it comes; undefined: its end is not in sight. */
  readonly #length: number | undefined;
  /** Waits for the body. */
  #head: ResponseHead | undefined;
  readonly #gathered = new Stash();
  #coder: Coder | undefined = undefined;
  /** Bytes in the coder, not encoded yet. */
  #waiting = 0;
  #full = false;
  /** Something was encoded that may not have come out. */
  #unflushed = false;
  #ended = false;
  #closed = false;
  #trailers = "";

  /** `head` says all of the encoded answer but its length; `length` is that of the body as it comes, where it is known. */
  constructor(exchange: Exchange, coding: ContentCoding, head: ResponseHead, length: number | undefined) {
    super();
    this.#exchange = exchange;
    this.#coding = coding;
    this.#head = head;
    this.#length = length;
  }

  /** One piece, which is copied. */
  write(bytes: Buffer, from: number, to: number): SendOutcome {
    if (this.#closed) return "taken";
    if (this.#head !== undefined) {
      if (this.#gathered.length + to - from <= AT_ONCE) {
        this.#gathered.append(bytes, from, to);
        return "taken";
      }
      this.#begin(this.#head);
    }
    this.#feed(Buffer.from(bytes.subarray(from, to)));
    return this.#full ? "full" : "taken";
  }

  /** The turn in which pieces came ends. */
  endTurn(): "taken" | "full" {
    if (this.#head === undefined || this.#closed) return this.#full ? "full" : "taken";
    if (this.#length === undefined || this.#length > AT_ONCE) this.#begin(this.#head);
    else if (this.lookAt < 0) this.#exchange.dependencies.clocks.fine.arm(this, PATIENCE);
    return "taken";
  }

  /** The body is short, and does not come. */
  override onLate(): void {
    this.#guard(() => {
      if (this.#head !== undefined) this.#begin(this.#head);
      this.#exchange.start?.downstream.flush();
    });
  }

  /** The body is complete. */
  end(trailers: string): void {
    this.#ended = true;
    this.#trailers = trailers;
    if (this.#head === undefined) this.#coder?.end();
    else this.#encodeAtOnce(this.#head);
  }

  /** More may be sent downstream after "full". */
  drain(): void {
    if (!this.#closed) this.#coder?.resume();
  }

  /** The answer is over, one way or another: nothing comes out any more, and the memory goes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#exchange.dependencies.clocks.fine.disarm(this);
    this.#gathered.clear();
    this.#coder?.destroy();
    coderRoom.free(this.#coding);
  }

  #begin(head: ResponseHead): void {
    this.#sendHead(head, "stream");
    const coder = (this.#coder = openCoder(this.#coding));
    coder.on("data", (bytes: Buffer) => this.#guard(() => this.#send(bytes)));
    coder.on("end", () => this.#guard(() => this.#exchange.onEncodedEnd(this.#trailers)));
    coder.on("error", (error) => {
      if (!this.#closed) this.#exchange.failInside(error);
    });
    const { bytes, from, to } = this.#gathered;
    this.#gathered.clear();
    if (bytes !== undefined) this.#feed(bytes.subarray(from, to));
  }

  #feed(piece: Buffer): void {
    const count = piece.length;
    this.#waiting += count;
    this.#unflushed = true;
    this.#full = this.#waiting >= MOST_WAITING;
    this.#coder?.write(piece, () => this.#guard(() => this.#written(count)));
  }

  #written(count: number): void {
    this.#waiting -= count;
    if (this.#full && this.#waiting * 2 < MOST_WAITING) {
      this.#full = false;
      this.#exchange.upstream?.resumeBody();
    }
    // what was read along with this comes first: a flush costs bytes, and breaks the coder's stride
    if (this.#waiting === 0 && this.#length === undefined && !this.#closed) setImmediate(flushIdle, this);
  }

  /** By flushIdle(). */
  flush(): void {
    if (this.#closed || this.#ended || this.#waiting > 0 || !this.#unflushed) return;
    this.#unflushed = false;
    this.#coder?.flush(flushOf(this.#coding));
  }

  #send(bytes: Buffer): void {
    const downstream = this.#exchange.start?.downstream;
    if (downstream === undefined) return;
    this.sent += bytes.length;
    const outcome = downstream.sendBody(bytes, 0, bytes.length, OWNED);
    if (outcome === "full" || downstream.flush() === "full") this.#coder?.pause();
  }

  #sendHead(head: ResponseHead, framing: BodyFraming): void {
    this.#head = undefined;
    this.#exchange.answered = true;
    this.#exchange.start?.downstream.sendHead(head, framing, "content");
  }

  /** Trailers need chunks. */
  #encodeAtOnce(head: ResponseHead): void {
    const { bytes = NOTHING, from, to } = this.#gathered;
    const encoded = shortBodies.encode(this.#coding, bytes.subarray(from, to));
    if (this.#trailers === "") this.#sendHead(head.withLength(encoded.length), "length");
    else this.#sendHead(head, "stream");
    this.sent = encoded.length;
    this.#exchange.start?.downstream.sendBody(encoded, 0, encoded.length, OWNED);
    this.#exchange.onEncodedEnd(this.#trailers);
  }

  /** Coders call from the loop: whatever is thrown is a bug of ours and ends this answer alone. */
  #guard(run: () => void): void {
    if (this.#closed) return;
    try {
      run();
    } catch (error) {
      this.#exchange.failInside(error);
    }
  }
}

const NOTHING = Buffer.alloc(0);

function flushIdle(encoder: BodyEncoder): void {
  encoder.flush();
}

function doNothing(): void {
  // nothing to give back
}
