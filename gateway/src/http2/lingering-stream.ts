/**
 * What a stream of a server does when its request is answered before it was sent whole. A client may be unable to read before it has
 * written, and may lose an answer that a reset follows at once: so the rest is read and forgotten, with its windows given back, for a
 * while and up to a size. Then a reset without an error asks the client to stop (RFC 9113 section 8.1).
 */
import type { BodyLease, SendOutcome } from "../exchange/contract.ts";
import { LINGER } from "../exchange/lingering-close.ts";
import { ErrorCode } from "./frames.ts";
import type { Http2Server } from "./server.ts";
import { Http2Stream } from "./stream.ts";

/** Bytes that are forgotten of one request: a small one comes to its end, a large one costs little. */
const MOST_IGNORED = 262_144;

/** A stream that lingers. */
export abstract class LingeringStream extends Http2Stream<Http2Server> {
  #ignored = 0;

  /** Nothing is left to be done with it. */
  protected abstract recycle(): void;

  override receive(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): SendOutcome {
    if (!this.ignores) return super.receive(bytes, from, to, lease);
    const count = to - from;
    this.#ignored += count;
    if (this.#ignored <= MOST_IGNORED) this.owner.giveBack(this, count);
    else {
      this.owner.giveBackWhole(count);
      // its end may be in what was read along with this
      this.owner.touch(this);
    }
    return "taken";
  }

  protected override ignoreBody(): void {
    this.#ignored = 0;
    super.ignoreBody();
  }

  /** The answer is out, END_STREAM included: waits for the end of the request. */
  protected linger(): void {
    this.owner.coarse.arm(this, LINGER);
    this.endIfSated();
  }

  /** Ends the stream where enough was ignored. */
  protected endIfSated(): void {
    if (this.ignores && this.localClosed && !this.gone && this.#ignored > MOST_IGNORED) this.giveUp();
  }

  /** Ends the stream, with an error only where the answer is not out. */
  protected giveUp(): void {
    this.owner.reset(this, this.localClosed ? ErrorCode.NO_ERROR : ErrorCode.CANCEL);
    this.recycle();
  }
}
