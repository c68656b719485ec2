/**
 * Writes log lines as bytes. From one line to the next many values stay the same (authority, cluster, user agent), so a
 * stretch of unchanged values, with the fixed text around and behind it, is one copy of the bytes the line before has there;
 * only what changed is encoded. Nothing is allocated for a line.
 */
import { writeLatin1 } from "../wire/latin1.ts";
import { toJsonString, toTextValue } from "./access-escape.ts";
import { MISSING, type AccessFormat, type AccessRow, type AccessValue } from "./access-format.ts";

/** An escape takes up to six characters for one; quotes, and the digits of any number. */
const EXPANSION = 6;
const SLACK = 32;
/** Bytes up to which a loop copies faster than a call. */
const SHORT = 64;
const QUOTE = 0x22;

/** Encodes lines of one format into buffers the caller provides. */
export class LineEncoder {
  readonly #format: AccessFormat;
  readonly #texts: readonly Uint8Array[];
  readonly #tail: Uint8Array;
  /** The line before, in this buffer: where it is, its values, and how many bytes each of them takes. */
  #buffer: Buffer | undefined;
  #view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  #lineStart = 0;
  #lineEnd = 0;
  #values: AccessRow = [];
  readonly #textLengths: Int32Array;
  readonly #lengths: Int32Array;

  constructor(format: AccessFormat) {
    this.#format = format;
    this.#texts = format.fields.map((field) => toBytes(field.before));
    this.#tail = toBytes(format.tail);
    this.#textLengths = Int32Array.from(this.#texts, (text) => text.length);
    this.#lengths = new Int32Array(format.fields.length);
  }

  /**
   * Writes one line at `at`; returns where it ends, or -1 where it does not fit (what was written then is garbage). Keeps the
   * row until the next call.
   */
  encode(row: AccessRow, buffer: Buffer, at: number): number {
    const end = this.#buffer === buffer ? this.#encodeChanges(row, buffer, at) : this.#encodeAll(row, buffer, at);
    this.#buffer = end === -1 ? undefined : buffer;
    this.#lineStart = at;
    this.#lineEnd = end;
    this.#values = row;
    return end;
  }

  /** The same line as a string, one character a byte; for lines too long for any buffer. */
  toText(row: AccessRow): string {
    let line = "";
    for (const [index, field] of this.#format.fields.entries()) line += field.before + this.#escape(row[index]);
    return line + this.#format.tail;
  }

  #encodeAll(row: AccessRow, buffer: Buffer, start: number): number {
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    let at = start;
    for (const [index, text] of this.#texts.entries()) {
      if (at + text.length > buffer.length) return -1;
      buffer.set(text, at);
      at += text.length;
      const end = this.#write(buffer, at, row[index]);
      if (end === -1) return -1;
      this.#lengths[index] = end - at;
      at = end;
    }
    if (at + this.#tail.length > buffer.length) return -1;
    buffer.set(this.#tail, at);
    return at + this.#tail.length;
  }

  #encodeChanges(row: AccessRow, buffer: Buffer, start: number): number {
    const textLengths = this.#textLengths;
    const lengths = this.#lengths;
    const before = this.#values;
    let at = start;
    /** Of the line before, [from, to) is what is still to be copied to `at`. */
    let from = this.#lineStart;
    let to = from;
    for (let index = 0; index < textLengths.length; index++) {
      const value = row[index];
      const length = lengths[index] ?? 0;
      to += textLengths[index] ?? 0;
      if (!isSame(value, before[index])) {
        at = this.#copy(buffer, at, from, to);
        const end = this.#write(buffer, at, value);
        if (end === -1) return -1;
        lengths[index] = end - at;
        at = end;
        from = to + length;
      }
      to += length;
    }
    const end = this.#copy(buffer, at, from, this.#lineEnd);
    return end > buffer.length ? -1 : end;
  }

  /** Copies a stretch of the line before. One that runs over the end is cut; whoever looks at the result next sees that. */
  #copy(buffer: Buffer, start: number, from: number, to: number): number {
    const end = start + to - from;
    // Most stretches are a name between two values, and a call out of compiled code costs more than the copy.
    if (to - from > SHORT || end + 3 > buffer.length) buffer.copyWithin(start, from, to);
    else {
      const view = this.#view;
      // The last word may write over what comes next, which is written later.
      const back = from - start;
      for (let at = start; at < end; at += 4) view.setInt32(at, view.getInt32(at + back, true), true);
    }
    return end;
  }

  /** Escapes and writes a value; -1 where it might not fit. */
  #write(buffer: Buffer, at: number, value: AccessValue): number {
    if (typeof value !== "string") {
      return at + SLACK > buffer.length ? -1 : writeAscii(buffer, at, this.#escape(value));
    }
    if (at + value.length * EXPANSION + SLACK > buffer.length) return -1;
    const quotes = this.#format.style === "json" ? 1 : 0;
    const from = at + quotes;
    const to = from + value.length;
    writeLatin1(buffer, value, from);
    if (!isPlain(this.#view, from, to)) return writeAscii(buffer, at, this.#escape(value));
    if (quotes === 0) return to;
    buffer[at] = QUOTE;
    buffer[to] = QUOTE;
    return to + 1;
  }

  #escape(value: AccessValue): string {
    const json = this.#format.style === "json";
    if (typeof value === "string") return json ? toJsonString(value) : toTextValue(value);
    return value === undefined ? MISSING[this.#format.style] : String(value);
  }
}

/** As ===, which between values of unlike types is a call out of compiled code, and so it is between strings of one length. */
function isSame(value: AccessValue, before: AccessValue): boolean {
  if (typeof value === "string") return typeof before === "string" && isSameText(value, before);
  if (typeof value === "number") return typeof before === "number" && value === before;
  return before === undefined;
}

/** Ids, ports and counters differ in their last character first. Two empty texts count as unlike: they are written again. */
function isSameText(value: string, before: string): boolean {
  const last = value.length - 1;
  return last === before.length - 1 && value.charCodeAt(last) === before.charCodeAt(last) && value === before;
}

function writeAscii(buffer: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) buffer[at + index] = text.charCodeAt(index);
  return at + text.length;
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/**
 * Whether all bytes of [at, end) are printable ASCII other than `"` and `\`, which may stand in any line as they are. Looks
 * at four at a time; the last four overlap those before.
 */
function isPlain(view: DataView, at: number, end: number): boolean {
  const last = end - 4;
  if (last < at) {
    for (let byte = at; byte < end; byte++) if (hasOther(PLAIN_BYTES | view.getUint8(byte))) return false;
    return true;
  }
  for (let word = at; word < last; word += 4) if (hasOther(view.getInt32(word, true))) return false;
  return !hasOther(view.getInt32(last, true));
}

/** Three bytes that are plain, and room for one. */
const PLAIN_BYTES = 0x41414100;

/**
 * Whether one of the four bytes of a word is not plain. Each term has the highest bit of a byte set where the byte is one to
 * find: above 0x7f; below 0x20; 0x7f; `"`; `\` (the last two as bytes that are zero once they are XORed with what is sought).
 * A borrow or carry can only come from a byte that is one to find.
 */
function hasOther(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    word |
    (word - 0x20202020) |
    (word + 0x01010101) |
    ((quote - 0x01010101) & ~quote) |
    ((backslash - 0x01010101) & ~backslash);
  return (found & 0x80808080) !== 0;
}
