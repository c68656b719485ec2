/** Time that tests turn: no timers, and the wheels of exchanges with it. */
import { Wheel } from "../../src/time/wheel.ts";

/** Milliseconds that go by as tests say. */
export class TurnedTime {
  now = 0;
  readonly clocks = { fine: new Wheel(4), coarse: new Wheel(250) };
  readonly #due = new Map<number, (() => void)[]>();

  /** Runs it after so many milliseconds, one at least. */
  after(milliseconds: number, run: () => void): void {
    const when = this.now + Math.max(1, Math.ceil(milliseconds));
    this.#due.set(when, [...(this.#due.get(when) ?? []), run]);
  }

  /** One millisecond goes by. */
  turn(): void {
    this.now++;
    if (this.now % 4 === 0) this.clocks.fine.advance();
    if (this.now % 250 === 0) this.clocks.coarse.advance();
    for (const run of this.#due.get(this.now) ?? []) run();
    this.#due.delete(this.now);
  }
}
