/** SHA-256 (FIPS 180-4), for names that stand for a content: whoever may write the content must not be able to choose the name. */

/** The digest of a text in UTF-8, as 64 hexadecimal digits. For short texts: tens of kilobytes take a millisecond. */
export function digest(text: string): string {
  const state = Uint32Array.from(INITIAL);
  const message = pad(new TextEncoder().encode(text));
  const schedule = new Uint32Array(64);
  for (let offset = 0; offset < message.byteLength; offset += BLOCK) {
    for (let index = 0; index < 16; index++) schedule[index] = message.getUint32(offset + index * 4);
    compress(state, expand(schedule));
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

const BLOCK = 64;

/** Fractional parts of square roots and cube roots of the first primes. */
const PRIMES = [...Array(312).keys()].filter((number) => number >= 2 && !hasDivisor(number));
const INITIAL = PRIMES.slice(0, 8).map((prime) => toFraction(Math.sqrt(prime)));
const CONSTANTS = PRIMES.slice(0, 64).map((prime) => toFraction(Math.cbrt(prime)));

function hasDivisor(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return true;
  return false;
}

function toFraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}

/** A one, zeros, and the length in bits, to whole blocks. */
function pad(bytes: Uint8Array): DataView {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  return view;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function expand(schedule: Uint32Array): Uint32Array {
  const at = (index: number): number => schedule[index] ?? 0;
  for (let index = 16; index < 64; index++) {
    const [early, late] = [at(index - 15), at(index - 2)];
    const low = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const high = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    schedule[index] = at(index - 16) + low + at(index - 7) + high;
  }
  return schedule;
}

type Words = [number, number, number, number, number, number, number, number];

function toWords(state: Uint32Array): Words {
  const at = (index: number): number => state[index] ?? 0;
  return [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = toWords(state);
  for (const [index, word] of schedule.entries()) {
    const high = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + high + ((e & f) ^ (~e & g)) + (CONSTANTS[index] ?? 0) + word) | 0;
    const low = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + word;
}
