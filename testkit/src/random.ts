// Chance that is the same for the same seed, so that a failing run can be repeated.

/** A generator of numbers in [0, 1): mulberry32, whole state in one 32-bit word. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of the items. */
export function pick<T>(random: () => number, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** A whole number from 0 up to, but not including, `limit`. */
export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}
