/** What a worker tells of itself all the time: that its loop turns, how late, how busy, and how much heap it uses. */
import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { getHeapStatistics } from "node:v8";
import { GLOBAL } from "../observe/cells.ts";
import type { SharedMemory } from "./memory.ts";

/** Begins to beat; returns what ends it. `interval` in milliseconds; `onBeat` runs along. */
export function startVitals(
  memory: SharedMemory,
  worker: number,
  interval: number,
  onBeat: (cells: Float64Array) => void,
): () => void {
  const cells = memory.cells.stripe(worker);
  let due = performance.now() + interval;
  let busy = performance.eventLoopUtilization();
  const beat = (): void => {
    const now = performance.now();
    const utilization = performance.eventLoopUtilization();
    memory.control.beat(worker);
    cells[GLOBAL.loopLag] = Math.max(0, now - due) / 1000;
    cells[GLOBAL.loopBusy] = performance.eventLoopUtilization(utilization, busy).utilization;
    cells[GLOBAL.heapUsed] = getHeapStatistics().used_heap_size;
    due = now + interval;
    busy = utilization;
    onBeat(cells);
  };
  memory.control.beat(worker);
  const timer = setInterval(beat, interval);
  timer.unref();
  return () => clearInterval(timer);
}
