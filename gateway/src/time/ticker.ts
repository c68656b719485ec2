/** Turns wheels by the process clock: an interval that runs while something is armed and keeps no process alive. */
import { performance } from "node:perf_hooks";
import { Wheel, type Timed } from "./wheel.ts";

/** Milliseconds a wheel keeps turning with nothing armed, so that one request after the other does not start it anew. */
const COAST = 1000;

/** A wheel that turns by itself. */
export class Ticker extends Wheel {
  /** Ticks made up for at once when the event loop was held up; time beyond that counts for nobody. */
  readonly #catchUp: number;
  #timer: NodeJS.Timeout | undefined = undefined;
  #last = 0;
  #idle = 0;

  constructor(tick: number, catchUp: number) {
    super(tick);
    this.#catchUp = catchUp;
  }

  override arm(entry: Timed, milliseconds: number): void {
    if (this.#timer === undefined) this.#start();
    super.arm(entry, milliseconds);
  }

  /** Stops turning. Entries stay armed; arming one starts it again. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#last = performance.now();
    this.#idle = 0;
    this.#timer = setInterval(() => this.#turn(), this.tick);
    this.#timer.unref();
  }

  #turn(): void {
    const now = performance.now();
    const ticks = Math.floor((now - this.#last) / this.tick);
    this.#last = ticks > this.#catchUp ? now : this.#last + ticks * this.tick;
    for (let i = 0; i < Math.min(ticks, this.#catchUp); i++) this.advance();
    this.#idle = this.count > 0 ? 0 : this.#idle + this.tick;
    if (this.#idle >= COAST) this.stop();
  }
}

/** The wheels of one thread. */
export interface Clocks {
  /** Connections: quarter seconds. */
  readonly coarse: Wheel;
  /** Timeouts that users set on routes: milliseconds. */
  readonly fine: Wheel;
}

/** Makes the wheels of a thread. A held-up loop makes up for a second at most: bytes may be waiting that say nobody is late. */
export function openClocks(): Clocks & { readonly coarse: Ticker; readonly fine: Ticker } {
  return { coarse: new Ticker(250, 4), fine: new Ticker(4, 250) };
}
