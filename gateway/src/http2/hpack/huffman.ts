/**
 * The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: codes of one length are consecutive and in the order of
 * their symbols, so the 257 lengths are all there is to write down.
 */

/** Of symbol 0 to 256 (EOS), as runs `length x count`. Bits. */
const CODE_LENGTHS =
  "13 23 28x7 24 30 28x2 30 28x8 30 28x9 6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10 13 6 7x22 8 7 8 " +
  "13 19 13 14 6 15 5 6 5 6 5 6x3 5 7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28 20 22 20x2 22x3 23 22 23x5 24 23 24x2 22 " +
  "23 24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 21 22 23x2 21x2 22 21 23 22 23x2 20 22x3 23 22x2 23 " +
  "26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 27x2 26 27 24 21x2 26x2 28 27x3 20 24 20 21 22 21x2 23 22x2 25x2 " +
  "24x2 26 23 26 27 26x2 27x5 28 27x5 26 30";

const EOS = 256;
const SHORTEST = 5;
const LONGEST = 30;
/** Bits of input that the first look takes at once: every symbol of ordinary text is shorter. */
const FAST_BITS = 10;

const lengths = readLengths();
const { codes, firstCode, codeCount, orderedAt, ordered, fast } = assignCodes();

interface CodeTables {
  /** By symbol. */
  readonly codes: Uint32Array;
  /** By length: its first code, how many it has, and where its symbols begin in `ordered`. */
  readonly firstCode: Uint32Array;
  readonly codeCount: Uint32Array;
  readonly orderedAt: Uint32Array;
  readonly ordered: Uint16Array;
  /** By the next FAST_BITS bits: length << 8 | symbol; 0 where the code is longer. */
  readonly fast: Uint16Array;
}

function readLengths(): Uint8Array {
  const all: number[] = [];
  for (const run of CODE_LENGTHS.split(" ")) {
    const [length = 0, count = 1] = run.split("x").map(Number);
    for (let i = 0; i < count; i++) all.push(length);
  }
  return Uint8Array.from(all);
}

function assignCodes(): CodeTables {
  const codes = new Uint32Array(EOS + 1);
  const firstCode = new Uint32Array(LONGEST + 1);
  const codeCount = new Uint32Array(LONGEST + 1);
  const orderedAt = new Uint32Array(LONGEST + 1);
  const ordered = new Uint16Array(EOS + 1);
  const fast = new Uint16Array(1 << FAST_BITS);
  let code = 0;
  let place = 0;
  for (let length = SHORTEST; length <= LONGEST; length++) {
    firstCode[length] = code;
    orderedAt[length] = place;
    for (let symbol = 0; symbol <= EOS; symbol++) {
      if (lengths[symbol] !== length) continue;
      codes[symbol] = code;
      ordered[place++] = symbol;
      if (length <= FAST_BITS) {
        const shift = FAST_BITS - length;
        fast.fill((length << 8) | symbol, code << shift, (code + 1) << shift);
      }
      code++;
    }
    codeCount[length] = code - (firstCode[length] ?? 0);
    code *= 2;
  }
  return { codes, firstCode, codeCount, orderedAt, ordered, fast };
}

/** The most octets that so many coded octets can stand for. */
export function decodedBound(length: number): number {
  return Math.floor((length * 8) / SHORTEST);
}

/**
 * Decodes bytes[from, to) into `out`, which has room for decodedBound(). Returns the number of octets, or -1: EOS, padding of more
 * than seven bits, or padding that is not ones (RFC 7541 section 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  const end = to * 8;
  let at = from * 8;
  let length = 0;
  for (;;) {
    const octet = at >> 3;
    // what lies behind the end may be in the window; no symbol that needs it is believed
    const three = ((bytes[octet] ?? 0) << 16) | ((bytes[octet + 1] ?? 0) << 8) | (bytes[octet + 2] ?? 0);
    const found = fast[(three >> (24 - FAST_BITS - (at & 7))) & ((1 << FAST_BITS) - 1)] ?? 0;
    const size = found >> 8;
    if (size !== 0 && size <= end - at) {
      at += size;
      out[length++] = found & 255;
      continue;
    }
    if (isPadding(bytes, at, end)) return length;
    at = readLongCode(bytes, at, end);
    if (at < 0) return -1;
    out[length++] = longSymbol;
  }
}

/** Whether what is left are fewer than eight bits, all ones: the beginning of EOS. */
function isPadding(bytes: Uint8Array, at: number, end: number): boolean {
  const ones = (1 << (end - at)) - 1;
  return end - at < 8 && ((bytes[(end >> 3) - 1] ?? 0) & ones) === ones;
}

/** What readLongCode() found. */
let longSymbol = 0;

/** Reads a code at a bit offset, one bit after the other; returns the offset behind it, or -1: none is there, or EOS. */
function readLongCode(bytes: Uint8Array, begin: number, end: number): number {
  let code = 0;
  for (let at = begin, length = 1; at < end && length <= LONGEST; at++, length++) {
    code = code * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    const place = code - (firstCode[length] ?? 0);
    if (place < 0 || place >= (codeCount[length] ?? 0)) continue;
    longSymbol = ordered[(orderedAt[length] ?? 0) + place] ?? 0;
    return longSymbol === EOS ? -1 : at + 1;
  }
  return -1;
}

/** Of latin1 text when coded. Octets. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i)] ?? 0;
  return (bits + 7) >> 3;
}

/** Latin1 text coded, as latin1 text. */
export function encodeHuffman(text: string): string {
  let coded = "";
  let bits = 0;
  let held = 0;
  const put = (count: number, value: number): void => {
    bits = (bits << count) | value;
    held += count;
    while (held >= 8) {
      held -= 8;
      coded += String.fromCharCode((bits >> held) & 255);
    }
    bits &= (1 << held) - 1;
  };
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const length = lengths[symbol] ?? 0;
    const code = codes[symbol] ?? 0;
    // at most 22 bits at once, so that they stay inside 31
    if (length > 22) put(length - 22, code >>> 22);
    put(Math.min(length, 22), code & 0x3f_ff_ff);
  }
  if (held > 0) put(8 - held, 255 >> held);
  return coded;
}
