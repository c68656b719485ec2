/**
 * Writes log lines as bytes. From one line to the next many values stay the same (authority, cluster, user agent), so a
 * stretch of unchanged values, with the fixed text around and behind it, is one copy of the bytes the line before has there;
 * only what changed is encoded. Nothing is allocated for a line.
 */
import { writeLatin1 } from "../wire/latin1.ts";
import { toJsonString, toTextValue } from "./access-escape.ts";
import { TextPair, TextPart } from "./text-parts.ts";
import { MISSING, type AccessFormat, type AccessRow, type AccessValue } from "./access-format.ts";

/** An escape takes up to six characters for one; quotes, and the digits of any number. */
const EXPANSION = 6;
const SLACK = 32;
/** Bytes of a request head that are taken from its text at once: more is in few, and values behind it are cut out. */
const SPREAD = 2048;
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
  /** The text that values were parts of, as bytes: one line has several. */
  #spreadText = "";
  readonly #spread = Buffer.alloc(SPREAD);
  readonly #spreadView = new DataView(this.#spread.buffer, this.#spread.byteOffset, SPREAD);
  readonly #quotes: 0 | 1;
  readonly #textLengths: Int32Array;
  readonly #lengths: Int32Array;

  constructor(format: AccessFormat) {
    this.#format = format;
    this.#quotes = format.style === "json" ? 1 : 0;
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
    const quotes = this.#quotes;
    let at = start;
    /** Of the line before, [from, to) is what is still to be copied to `at`. */
    let from = this.#lineStart;
    let to = from;
    for (let index = 0; index < textLengths.length; index++) {
      const value = row[index];
      const length = lengths[index] ?? 0;
      to += textLengths[index] ?? 0;
      if (value instanceof TextPair && hasStemOf(value, before[index])) {
        const stemEnd = to + quotes + value.stem.length;
        at = this.#copy(buffer, at, from, stemEnd);
        if (at + SLACK > buffer.length) return -1;
        at = writeAscii(buffer, at, value.end);
        from = stemEnd + value.end.length;
      } else if (!isSame(value, before[index])) {
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
    if (typeof value === "string") return this.#writeText(buffer, at, value);
    if (typeof value !== "object") {
      if (at + SLACK > buffer.length) return -1;
      return isSmall(value) ? writeSmall(buffer, at, value) : writeAscii(buffer, at, this.#escape(value));
    }
    if (value instanceof TextPart && value.to <= SPREAD) return this.#writePart(buffer, at, value);
    return this.#writeText(buffer, at, String(value));
  }

  #writeText(buffer: Buffer, at: number, value: string): number {
    if (at + value.length * EXPANSION + SLACK > buffer.length) return -1;
    const from = at + this.#quotes;
    const to = from + value.length;
    writeLatin1(buffer, value, from);
    return isPlain(this.#view, from, to) ? this.#quote(buffer, at, to) : writeAscii(buffer, at, this.#escape(value));
  }

  #writePart(buffer: Buffer, at: number, part: TextPart): number {
    const length = part.to - part.from;
    if (at + length * EXPANSION + SLACK > buffer.length) return -1;
    if (part.text !== this.#spreadText) {
      this.#spreadText = part.text;
      writeLatin1(this.#spread, part.text, 0);
    }
    const from = at + this.#quotes;
    return copyPlain({ source: this.#spreadView, from: part.from, to: part.to }, this.#view, from)
      ? this.#quote(buffer, at, from + length)
      : writeAscii(buffer, at, this.#escape(part));
  }

  /** Puts quotes, where there are any, around the value that ends at `to`. */
  #quote(buffer: Buffer, at: number, to: number): number {
    if (this.#quotes === 0) return to;
    buffer[at] = QUOTE;
    buffer[to] = QUOTE;
    return to + 1;
  }

  #escape(value: AccessValue): string {
    if (value === undefined) return MISSING[this.#format.style];
    if (typeof value === "number") return String(value);
    return this.#quotes === 1 ? toJsonString(String(value)) : toTextValue(String(value));
  }
}

/** As ===, which between values of unlike types is a call out of compiled code, and so it is between strings of one length. */
function isSame(value: AccessValue, before: AccessValue): boolean {
  if (typeof value === "string") return typeof before === "string" && isSameText(value, before);
  if (typeof value === "number") return typeof before === "number" && value === before;
  return value === undefined && before === undefined;
}

/** Whether only the end may be another one than that of the value before. */
function hasStemOf(value: TextPair, before: AccessValue): boolean {
  return before instanceof TextPair && value.stem === before.stem && value.end.length === before.end.length;
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

/** Nearly all numbers of a log are: durations, sizes, statuses. */
function isSmall(value: AccessValue): value is number {
  return typeof value === "number" && value >= 0 && value < 1e6 && Math.floor(value) === value;
}

function writeSmall(buffer: Buffer, at: number, value: number): number {
  let end = at + 1;
  for (let bound = 10; bound <= value; bound *= 10) end++;
  let left = value;
  for (let place = end - 1; place >= at; place--) {
    const rest = Math.floor(left / 10);
    buffer[place] = 0x30 + left - rest * 10;
    left = rest;
  }
  return end;
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
    for (let byte = at; byte < end; byte++) if (othersIn(PLAIN_BYTES | view.getUint8(byte)) !== 0) return false;
    return true;
  }
  for (let word = at; word < last; word += 4) if (othersIn(view.getInt32(word, true)) !== 0) return false;
  return othersIn(view.getInt32(last, true)) === 0;
}

/** Copies a stretch to `at`, and says whether it is plain. */
function copyPlain(
  { source, from, to }: { readonly source: DataView; readonly from: number; readonly to: number },
  target: DataView<ArrayBufferLike>,
  at: number,
): boolean {
  const last = to - 4;
  const ahead = at - from;
  let found = 0;
  if (last < from) {
    for (let byte = from; byte < to; byte++) {
      const character = source.getUint8(byte);
      found |= othersIn(PLAIN_BYTES | character);
      target.setUint8(byte + ahead, character);
    }
    return found === 0;
  }
  for (let place = from; place < last; place += 4) {
    const word = source.getInt32(place, true);
    found |= othersIn(word);
    target.setInt32(place + ahead, word, true);
  }
  const word = source.getInt32(last, true);
  target.setInt32(last + ahead, word, true);
  return (found | othersIn(word)) === 0;
}

/** Three bytes that are plain, and room for one. */
const PLAIN_BYTES = 0x41414100;

/**
 * Not 0 where one of the four bytes of a word is not plain. Each term has the highest bit of a byte set where the byte is one to
 * find: above 0x7f; below 0x20; 0x7f; `"`; `\` (the last two as bytes that are zero once they are XORed with what is sought).
 * A borrow or carry can only come from a byte that is one to find.
 */
function othersIn(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    word |
    (word - 0x20202020) |
    (word + 0x01010101) |
    ((quote - 0x01010101) & ~quote) |
    ((backslash - 0x01010101) & ~backslash);
  return found & 0x80808080;
}
