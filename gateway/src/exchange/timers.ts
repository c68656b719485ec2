/** The timeouts that users set on a rule, armed only where they are set. */
import { Timed, type Wheel } from "../time/wheel.ts";

/** What is told that a time is up. */
export interface TimeoutReceiver {
  onTimeout(): void;
}

/** One timeout that is used again and again. */
export class ExchangeTimer extends Timed {
  readonly #receiver: TimeoutReceiver;

  constructor(receiver: TimeoutReceiver) {
    super();
    this.#receiver = receiver;
  }

  override onLate(): void {
    this.#receiver.onTimeout();
  }
}

/** Arms a timeout, made when it is first needed. Returns it for the next time. */
export function armTimer(
  wheel: Wheel,
  timer: ExchangeTimer | undefined,
  receiver: TimeoutReceiver,
  milliseconds: number,
): ExchangeTimer {
  const armed = timer ?? new ExchangeTimer(receiver);
  wheel.arm(armed, milliseconds);
  return armed;
}
