/**
 * Hashes of 32 bits for consistent hashing. The same in every process and version: where a key goes must not depend on who asks. They keep
 * nothing secret.
 */

/** Every bit of the result depends on every bit of the word (the finalizer of MurmurHash3); one to one. Unsigned. */
export function mix32(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Of a text; another one for each seed. Unsigned. */
export function hashText(text: string, seed: number): number {
  let hash = mix32(seed);
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix32(hash);
}
