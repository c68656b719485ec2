// The thread that keeps time. The event loop's own timers count whole milliseconds, ten times what a proxy takes to
// answer; a thread that sleeps on an atomic wakes within a tenth of that.
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { fieldsOf } from "../fields.ts";
import { monotonicMs } from "./clock.ts";
import { arrivalsBy, sleepUntilNext } from "./schedule.ts";

/** What the pacer is told. */
export interface PacerSetup {
  /** Start on the monotonic clock, in milliseconds. */
  readonly startMs: number;
  readonly rate: number;
  readonly seconds: number;
  /** Shortest sleep in milliseconds. */
  readonly gridMs: number;
}

/** The pacer's message: how many requests have arrived in all. Negative once when the last one has. */
export type ArrivalCount = number;

if (parentPort !== null) keepTime(parentPort, readSetup(workerData));

function keepTime(port: MessagePort, setup: PacerSetup): void {
  const tell = (arrived: ArrivalCount): void => port.postMessage(arrived);
  const { startMs, rate, seconds, gridMs } = setup;
  const total = Math.round(rate * seconds);
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  let released = 0;
  while (released < total) {
    const elapsed = monotonicMs() - startMs;
    const arrived = Math.min(arrivalsBy(elapsed, rate), total);
    if (arrived > released) {
      released = arrived;
      tell(released);
    }
    Atomics.wait(asleep, 0, 0, sleepUntilNext(elapsed, released, { rate, gridMs }));
  }
  tell(-1);
}

function readSetup(given: unknown): PacerSetup {
  const setup = fieldsOf(given, "the pacer's setup");
  return {
    startMs: setup.number("startMs"),
    rate: setup.number("rate"),
    seconds: setup.number("seconds"),
    gridMs: setup.number("gridMs"),
  };
}
