// One clock for all threads of the generator: performance.now() begins anew in each.

/** Milliseconds of the machine's monotonic clock, with fractions. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
