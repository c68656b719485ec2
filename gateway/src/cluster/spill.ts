/**
 * How much of the traffic each rank of endpoints gets: all of it goes to the best one while that is well, and what it is too ill for
 * spills to the next (Envoy: priority levels, overprovisioning factor, panic threshold).
 */

/** A rank, by weight of its endpoints. */
export interface RankHealth {
  /** Of those that are fit. */
  readonly fit: number;
  /** Of all that count. */
  readonly total: number;
}

/** What a rank is given. */
export interface RankLoad {
  /** Of all traffic; those of all ranks add up to 1, unless there is nothing that may be used. */
  readonly share: number;
  /** Too few are fit, here and elsewhere: all are used as if they were. */
  readonly isPanicking: boolean;
}

/** Percent. */
export interface SpillPolicy {
  /** A rank is enough while its fit endpoints times this are all of it; less than 100 is taken for 100. */
  readonly overprovisioning: number;
  /** Below so many percent of fit endpoints a rank panics, where all ranks together are not enough; 0: never. */
  readonly panicThreshold: number;
}

/** The load of each rank, best first. */
export function toLoads(ranks: readonly RankHealth[], policy: SpillPolicy): RankLoad[] {
  const factor = Math.max(100, policy.overprovisioning) / 100;
  const healths = ranks.map(({ fit, total }) => (total > 0 ? Math.min(1, (factor * fit) / total) : 0));
  const health = sumOf(healths);
  const isEnough = health >= 1 - Number.EPSILON;
  const panics = ranks.map(({ fit, total }) => !isEnough && total > 0 && (100 * fit) / total < policy.panicThreshold);
  if (ranks.every(({ total }, at) => total === 0 || panics[at] === true)) return spreadEvenly(ranks);
  let left = 1;
  return healths.map((own, at) => {
    const share = health > 0 ? Math.min(left, own / Math.min(1, health)) : 0;
    left -= share;
    // What is left of rounding is no traffic.
    return { share: share < 1e-12 ? 0 : share, isPanicking: panics[at] === true };
  });
}

/** All panic: nothing is known of any, so that each has what its size says. */
function spreadEvenly(ranks: readonly RankHealth[]): RankLoad[] {
  const total = sumOf(ranks.map((rank) => rank.total));
  return ranks.map((rank) => ({ share: total > 0 ? rank.total / total : 0, isPanicking: rank.total > 0 }));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
