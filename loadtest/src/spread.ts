// Medians and percentiles: how repeated, noisy samples become one figure without hiding their spread.

/** What repeated samples of one figure say: the median is the figure, minimum and maximum are its honesty. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

/** The spread of at least one sample; undefined for none, so that a figure never measured cannot read as zero. */
export function spreadOf(samples: readonly number[]): Spread | undefined {
  const sorted = sortedCopy(samples);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  return { median: medianOfSorted(sorted), min, max, samples: sorted.length };
}

/** The smallest sample that at least `share` (0..1) of all samples do not exceed (nearest rank). NaN for no samples. */
export function percentile(samples: Float64Array | readonly number[], share: number): number {
  const sorted = sortedCopy(samples);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

// A typed array sorts by value; a plain one would sort by text.
function sortedCopy(samples: Float64Array | readonly number[]): Float64Array {
  return Float64Array.from(samples).sort();
}
