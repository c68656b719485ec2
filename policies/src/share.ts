/** Sampling: which requests a policy applies to when it applies to a share of them. */
import type { Fraction } from "@sallyport/model/policy";

/** Draws once: true for `numerator` of every `denominator` calls on average; a denominator of 0 never. */
export function compileShare(share: Fraction, random: () => number): () => boolean {
  const probability = share.denominator > 0 ? share.numerator / share.denominator : 0;
  if (probability <= 0) return () => false;
  if (probability >= 1) return () => true;
  return () => random() < probability;
}
