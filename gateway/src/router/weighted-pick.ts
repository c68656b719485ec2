/**
 * Splits requests by weight, smoothly and without chance: of any run of requests each target gets its share to within a
 * request or two. The algorithm is nginx's smooth weighted round robin.
 */

interface Target<T> {
  readonly value: T;
  readonly weight: number;
  credit: number;
}

/** A function that picks a target by weight; undefined where no weight is above 0. */
export function compileWeightedPick<T>(
  targets: readonly { readonly value: T; readonly weight: number }[],
): (() => T) | undefined {
  const usable: Target<T>[] = targets
    .filter((target) => target.weight > 0)
    .map(({ value, weight }) => ({ value, weight, credit: 0 }));
  const [first] = usable;
  if (first === undefined) return undefined;
  if (usable.length === 1) return () => first.value;
  const total = usable.reduce((sum, target) => sum + target.weight, 0);
  return () => {
    let best = first;
    for (const target of usable) {
      target.credit += target.weight;
      if (target.credit > best.credit) best = target;
    }
    best.credit -= total;
    return best.value;
  };
}
