// Reads the memory of processes that have come to rest. Collectors that run only while nothing else does take their time:
// V8 begins eight seconds after its last collection, and goes on as long as that pays.
import type { MemoryReading } from "./proc.ts";

/** Seconds without a change after which memory counts as settled, and after which it is read whatever it does. */
const quietSeconds = 10;
const longestSeconds = 45;
/** A change of private memory that counts: timers and counters that go on make smaller ones. */
const changeShare = 0.01;

/** What reading takes; tests have a clock of their own. */
export interface Settling {
  readonly read: () => MemoryReading;
  readonly waitSecond: () => Promise<void>;
}

/** Looks once a second until private memory has not changed for ten, at most for 45. */
export async function readSettledMemory({ read, waitSecond }: Settling): Promise<MemoryReading> {
  let reading = read();
  let mark = reading.rssAnon;
  let quiet = 0;
  for (let second = 0; second < longestSeconds && quiet < quietSeconds; second++) {
    await waitSecond();
    reading = read();
    quiet++;
    if (Math.abs(reading.rssAnon - mark) <= changeShare * mark) continue;
    mark = reading.rssAnon;
    quiet = 0;
  }
  return reading;
}
