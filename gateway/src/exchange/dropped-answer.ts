/** The rest of an answer that nobody wants: read to its end where that is near, because a connection is worth more than its bytes. */
import { Timed, type Wheel } from "../time/wheel.ts";
import type { AnswerReceiver, BodyMode, SendOutcome } from "./contract.ts";

/** Bytes that are read for that. */
export const MOST_DROPPED = 65_536;
/** Milliseconds it may take. */
const PATIENCE = 1_000;

/** Takes an answer and forgets it. */
export class DroppedAnswer extends Timed implements AnswerReceiver {
  readonly #wheel: Wheel;
  readonly #onTooLong: () => void;
  #bytes = 0;

  /** `onTooLong` is called, once, where it does not end soon. */
  constructor(wheel: Wheel, onTooLong: () => void) {
    super();
    this.#wheel = wheel;
    this.#onTooLong = onTooLong;
    wheel.arm(this, PATIENCE);
  }

  override onLate(): void {
    this.#onTooLong();
  }

  onInterim(): void {
    // of no interest
  }

  onAnswerHead(): BodyMode {
    return "content";
  }

  onAnswerBody(_bytes: Buffer, from: number, to: number): SendOutcome {
    this.#bytes += to - from;
    if (this.#bytes > MOST_DROPPED && this.lookAt >= 0) {
      this.#wheel.disarm(this);
      this.#onTooLong();
    }
    return "taken";
  }

  onAnswerEnd(): void {
    this.#wheel.disarm(this);
  }

  onAnswerTurn(): "taken" | "full" {
    return "taken";
  }

  onUpstreamDrain(): void {
    // the request was sent whole
  }

  onAnswerFailed(): void {
    this.#wheel.disarm(this);
  }
}
