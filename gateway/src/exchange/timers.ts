/** The timeouts that users set on a rule, and the waits between tries; armed only where they are set. */
import type { Clocks } from "../time/ticker.ts";
import { Timed, type Wheel } from "../time/wheel.ts";

/** What a timer is for: the request until it is answered whole, one try of it, the wait before the next, or all of it, tunnels included. */
export type TimerKind = "request" | "try" | "backoff" | "life";

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
  readonly #coarse: Wheel;
  #request: ExchangeTimer | undefined = undefined;
  #try: ExchangeTimer | undefined = undefined;
  #backoff: ExchangeTimer | undefined = undefined;
  #life: ExchangeTimer | undefined = undefined;

  constructor(receiver: TimeoutReceiver, { fine, coarse }: Clocks) {
    this.#receiver = receiver;
    this.#wheel = fine;
    this.#coarse = coarse;
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

  /** Milliseconds that are left for the request. */
  get left(): number {
    const ofRequest = this.#request === undefined ? Infinity : this.#wheel.left(this.#request);
    return this.#life === undefined ? ofRequest : Math.min(ofRequest, this.#coarse.left(this.#life));
  }

  /** Milliseconds until the next try. */
  backOff(milliseconds: number): void {
    this.#backoff ??= new ExchangeTimer(this.#receiver, "backoff");
    this.#wheel.arm(this.#backoff, milliseconds);
  }

  /** Milliseconds for all of it. There may be as many of these as there are tunnels, so the wheel is the coarse one. */
  limitLife(milliseconds: number): void {
    this.#life ??= new ExchangeTimer(this.#receiver, "life");
    this.#coarse.arm(this.#life, milliseconds);
  }

  /** The try is over. */
  endTry(): void {
    if (this.#try !== undefined) this.#wheel.disarm(this.#try);
  }

  /** Nothing is timed any more. */
  stop(): void {
    this.endRequest();
    if (this.#life !== undefined) this.#coarse.disarm(this.#life);
  }

  /** The request is answered: only its life is timed now. */
  endRequest(): void {
    if (this.#request !== undefined) this.#wheel.disarm(this.#request);
    if (this.#backoff !== undefined) this.#wheel.disarm(this.#backoff);
    this.endTry();
  }
}
