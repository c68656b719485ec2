/**
 * A hash of text whose bits are all as good as random: equal texts are equal numbers in every worker, proxy and release, so that
 * clients stay with their endpoint wherever they come in, by session or by consistent hashing. MurmurHash3 (x86, 32 bits) over the bytes
 * of latin1 text. (Tables of the router have one of their own, which is worse and can be continued: ../router/text-hash.ts.)
 *
 * Whoever knows it can choose texts that go to one endpoint; he could send his requests there by one text as well.
 */

const FIRST = 0xcc9e2d51;
const SECOND = 0x1b873593;

/** 32 bits, unsigned; another one for each seed. */
export function hashText(text: string, seed = 0): number {
  const { length } = text;
  const whole = length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < whole; at += 4) {
    const word =
      text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24);
    hash ^= scramble(word);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = length - 1; at >= whole; at--) rest = (rest << 8) | text.charCodeAt(at);
  return mix32(hash ^ scramble(rest) ^ length);
}

/** Every bit of the result depends on every bit of the word (the finalizer of MurmurHash3); one to one. Unsigned. */
export function mix32(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  const product = Math.imul(word, FIRST);
  return Math.imul((product << 15) | (product >>> 17), SECOND);
}
