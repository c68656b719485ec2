/** The timeouts that users set on a rule, and the waits between tries; armed only where they are set. */
import { Timed, type Wheel } from "../time/wheel.ts";

/** What a timer is for: the whole request, one try of it, or the wait before the next. */
export type TimerKind = "request" | "try" | "backoff";

/** What is told that a time is up. */
export interface TimeoutReceiver {
  onTimeout(kind: TimerKind): void;
}

/** One timer that is used again and again. */
export class ExchangeTimer extends Timed {
  readonly #receiver: TimeoutReceiver;
  readonly #kind: TimerKind;

  constructor(receiver: TimeoutReceiver, kind: TimerKind) {
    super();
    this.#receiver = receiver;
    this.#kind = kind;
  }

  override onLate(): void {
    this.#receiver.onTimeout(this.#kind);
  }
}

/** The timers of one exchange; each is made when it is first needed. */
export class ExchangeTimers {
  readonly #receiver: TimeoutReceiver;
  readonly #wheel: Wheel;
  #request: ExchangeTimer | undefined = undefined;
  #try: ExchangeTimer | undefined = undefined;
  #backoff: ExchangeTimer | undefined = undefined;

  constructor(receiver: TimeoutReceiver, wheel: Wheel) {
    this.#receiver = receiver;
    this.#wheel = wheel;
  }

  /** Milliseconds for the request and all its tries. */
  limitRequest(milliseconds: number): void {
    this.#request ??= new ExchangeTimer(this.#receiver, "request");
    this.#wheel.arm(this.#request, milliseconds);
  }

  /** Milliseconds for the try that begins. */
  limitTry(milliseconds: number): void {
    this.#try ??= new ExchangeTimer(this.#receiver, "try");
    this.#wheel.arm(this.#try, milliseconds);
  }

  /** Milliseconds until the next try. */
  backOff(milliseconds: number): void {
    this.#backoff ??= new ExchangeTimer(this.#receiver, "backoff");
    this.#wheel.arm(this.#backoff, milliseconds);
  }

  /** The try is over. */
  endTry(): void {
    if (this.#try !== undefined) this.#wheel.disarm(this.#try);
  }

  /** Nothing is timed any more. */
  stop(): void {
    if (this.#request !== undefined) this.#wheel.disarm(this.#request);
    if (this.#backoff !== undefined) this.#wheel.disarm(this.#backoff);
    this.endTry();
  }
}
