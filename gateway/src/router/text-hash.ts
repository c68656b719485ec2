/**
 * A rolling hash over characters. Tables of suffixes and prefixes extend it by one character at a time, so that all their
 * candidates are found in one pass over a text, without cutting it into pieces. Only configured text is ever stored under
 * a hash: requests cannot make chains grow. Where every bit has to be as good as random: ../session/text-hash.ts.
 */

/** The hash of a text that is one character longer. Starts at 0; fits a small integer. */
export function extendHash(hash: number, character: number): number {
  return (Math.imul(hash, 31) + character) & 0x3fffffff;
}
