// The arrival times of an open-loop load: evenly spaced, fixed before the first request is sent, so that a slow proxy
// cannot slow the arrivals down and hide its own delay (coordinated omission).

/** How many requests have arrived after so many milliseconds; the first arrives at zero. */
export function arrivalsBy(elapsedMs: number, ratePerSecond: number): number {
  return elapsedMs < 0 ? 0 : Math.floor((elapsedMs * ratePerSecond) / 1000 + 1e-9) + 1;
}

/** When a request arrives, in milliseconds after the first one. */
export function arrivalTime(index: number, ratePerSecond: number): number {
  return (index * 1000) / ratePerSecond;
}

/** How long the pacer sleeps: until the next arrival, yet never less than the grid, so that waking stays affordable. */
export function sleepUntilNext(elapsedMs: number, released: number, pace: { rate: number; gridMs: number }): number {
  return Math.max(arrivalTime(released, pace.rate) - elapsedMs, pace.gridMs);
}
