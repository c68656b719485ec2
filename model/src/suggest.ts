/** "Did you mean": the candidate closest to a name nobody knows. */

/**
 * The candidate that `wanted` is most likely a slip of, or undefined where none is near: letter case aside, at most one
 * edit per three letters (insert, delete, replace or swap neighbours). Ties go to the first candidate.
 */
export function suggestName(wanted: string, candidates: Iterable<string>): string | undefined {
  const lowerWanted = wanted.toLowerCase();
  let best: string | undefined;
  let limit = Math.floor(wanted.length / 3);
  for (const candidate of candidates) {
    if (candidate === wanted || Math.abs(candidate.length - wanted.length) > limit) continue;
    const distance = toEditDistance(lowerWanted, candidate.toLowerCase(), limit);
    if (distance > limit) continue;
    best = candidate;
    if (distance === 0) return best;
    limit = distance - 1;
  }
  return best;
}

/**
 * Optimal string alignment distance; anything above `limit` where it is more than that. A configuration may hold thousands
 * of names that lead nowhere, each compared with thousands, so it allocates nothing and gives up as soon as it can.
 */
function toEditDistance(left: string, right: string, limit: number): number {
  let [beforeLast, last, current] = rows;
  if (right.length >= ROW_LENGTH) return limit + 1;
  for (let column = 0; column <= right.length; column++) last[column] = column;
  let lastLeast = 0;
  for (let row = 1; row <= left.length; row++) {
    const least = fillRow({ beforeLast, last, current }, left, right, row);
    // Later rows are built on this one and the one before: neither leads back below the limit.
    if (least > limit && lastLeast > limit) return limit + 1;
    lastLeast = least;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  return last[right.length] ?? limit + 1;
}

interface Rows {
  readonly beforeLast: Uint16Array;
  readonly last: Uint16Array;
  readonly current: Uint16Array;
}

/** Longer names than this are compared with nothing; Kubernetes has none. */
const ROW_LENGTH = 256;

/** Work space. Values of a row are written before they are read, so nothing passes from one call to the next. */
const rows: readonly [Uint16Array, Uint16Array, Uint16Array] = [
  new Uint16Array(ROW_LENGTH),
  new Uint16Array(ROW_LENGTH),
  new Uint16Array(ROW_LENGTH),
];

/** Fills one row of the matrix and gives its least value. */
function fillRow({ beforeLast, last, current }: Rows, left: string, right: string, row: number): number {
  const letter = left.charCodeAt(row - 1);
  const letterBefore = row > 1 ? left.charCodeAt(row - 2) : -1;
  let least = row;
  let value = row;
  current[0] = row;
  for (let column = 1; column <= right.length; column++) {
    const other = right.charCodeAt(column - 1);
    const replaced = (last[column - 1] ?? 0) + (letter === other ? 0 : 1);
    value = Math.min((last[column] ?? 0) + 1, value + 1, replaced);
    const isSwap = column > 1 && letter === right.charCodeAt(column - 2) && letterBefore === other;
    if (isSwap) value = Math.min(value, (beforeLast[column - 2] ?? 0) + 1);
    current[column] = value;
    if (value < least) least = value;
  }
  return least;
}
