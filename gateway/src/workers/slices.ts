/** Runs long computations beside traffic: in slices, with a turn of the event loop between them. */
import { setImmediate } from "node:timers";

/** Milliseconds a slice may take, so that no request waits longer for a change of configuration. */
const SLICE = 2;

/** Drives a generator to its end; rejects with what it throws. */
export function runInSlices<T>(steps: Generator<void, T, void>, slice: number = SLICE): Promise<T> {
  return new Promise((resolve, reject) => {
    const run = (): void => {
      const end = performance.now() + slice;
      try {
        for (;;) {
          const step = steps.next();
          if (step.done === true) return resolve(step.value);
          if (performance.now() >= end) break;
        }
      } catch (error) {
        return reject(error instanceof Error ? error : new Error(String(error)));
      }
      setImmediate(run);
    };
    run();
  });
}
