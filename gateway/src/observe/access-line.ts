/**
 * Writes log lines as bytes. From one exchange to the next most values stay the same (authority, cluster, user agent), so a
 * stretch of unchanged values, with the fixed text around it, is one copy of the bytes the line before has there; only what
 * changed is encoded. A line costs about a quarter of what concatenating and encoding it as a string does.
 */
import { writeLatin1 } from "../wire/latin1.ts";
import { toJsonString, toTextValue } from "./access-escape.ts";
import { MISSING, type AccessFormat } from "./access-format.ts";
import type { ExchangeRecord } from "./contract.ts";

/** A character that may stand in a line as it is. */
const PLAIN = 1;
/** Longer strings are copied by the runtime and checked afterwards, shorter ones character by character. */
const SHORT = 12;
/** An escape takes up to six characters for one; quotes, and the digits of any number. */
const EXPANSION = 6;
const SLACK = 32;
const QUOTE = 0x22;

const CHARACTERS = toCharacterTable();

/** Encodes lines of one format into buffers the caller provides. */
export class LineEncoder {
  readonly #format: AccessFormat;
  readonly #texts: readonly Uint8Array[];
  readonly #tail: Uint8Array;
  /** The line before, in this buffer: where it is, its values, and where each of them begins and ends. */
  #buffer: Buffer | undefined;
  #lineStart = 0;
  #lineEnd = 0;
  readonly #values: (string | number | undefined)[];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  constructor(format: AccessFormat) {
    this.#format = format;
    this.#texts = format.fields.map((field) => toBytes(field.before));
    this.#tail = toBytes(format.tail);
    this.#values = format.fields.map(() => undefined);
    this.#starts = new Int32Array(format.fields.length);
    this.#ends = new Int32Array(format.fields.length);
  }

  /** Writes one line at `at`; returns where it ends, or -1 where it does not fit (what was written then is garbage). */
  encode(record: ExchangeRecord, buffer: Buffer, at: number): number {
    const end = this.#buffer === buffer ? this.#encodeChanges(record, buffer, at) : this.#encodeAll(record, buffer, at);
    this.#buffer = end === -1 ? undefined : buffer;
    this.#lineStart = at;
    this.#lineEnd = end;
    return end;
  }

  /** The same line as a string, one character a byte; for lines too long for any buffer. */
  toText(record: ExchangeRecord): string {
    let line = "";
    for (const field of this.#format.fields) line += field.before + this.#escape(field.value(record));
    return line + this.#format.tail;
  }

  #encodeAll(record: ExchangeRecord, buffer: Buffer, start: number): number {
    let at = start;
    let index = 0;
    for (const field of this.#format.fields) {
      at = append(buffer, at, this.#texts[index]);
      if (at === -1) return -1;
      const value = field.value(record);
      this.#starts[index] = at;
      at = this.#write(buffer, at, value);
      if (at === -1) return -1;
      this.#ends[index] = at;
      this.#values[index] = value;
      index++;
    }
    return append(buffer, at, this.#tail);
  }

  #encodeChanges(record: ExchangeRecord, buffer: Buffer, start: number): number {
    let at = start;
    /** From here on the line before is still to be copied to `at`, up to the next value that differs. */
    let from = this.#lineStart;
    let index = 0;
    for (const field of this.#format.fields) {
      const value = field.value(record);
      const valueStart = this.#starts[index] ?? 0;
      const valueEnd = this.#ends[index] ?? 0;
      if (value === this.#values[index]) {
        this.#starts[index] = at + valueStart - from;
        this.#ends[index] = at + valueEnd - from;
      } else {
        at = copy(buffer, at, from, valueStart);
        this.#starts[index] = at;
        at = this.#write(buffer, at, value);
        if (at === -1) return -1;
        this.#ends[index] = at;
        this.#values[index] = value;
        from = valueEnd;
      }
      index++;
    }
    const end = copy(buffer, at, from, this.#lineEnd);
    return end > buffer.length ? -1 : end;
  }

  /** Escapes and writes a value; -1 where it might not fit. */
  #write(buffer: Buffer, at: number, value: string | number | undefined): number {
    const length = typeof value === "string" ? value.length : 0;
    if (at + length * EXPANSION + SLACK > buffer.length) return -1;
    if (typeof value !== "string") return writeAscii(buffer, at, this.#escape(value));
    if (this.#format.style === "text")
      return writeValue(buffer, at, value) ?? writeAscii(buffer, at, toTextValue(value));
    buffer[at] = QUOTE;
    const end = writeValue(buffer, at + 1, value);
    if (end === undefined) return writeAscii(buffer, at, toJsonString(value));
    buffer[end] = QUOTE;
    return end + 1;
  }

  #escape(value: string | number | undefined): string {
    const json = this.#format.style === "json";
    if (typeof value === "string") return json ? toJsonString(value) : toTextValue(value);
    return value === undefined ? MISSING[this.#format.style] : String(value);
  }
}

/** Copies a stretch of the line before. One that runs over the end is cut; whoever looks at the result next sees that. */
function copy(buffer: Buffer, at: number, from: number, to: number): number {
  if (from !== to) buffer.copyWithin(at, from, to);
  return at + to - from;
}

function append(buffer: Buffer, at: number, text: Uint8Array | undefined): number {
  if (text === undefined) return at;
  if (at + text.length > buffer.length) return -1;
  buffer.set(text, at);
  return at + text.length;
}

/** Copies a value in which every character may stand as it is; undefined where one may not. */
function writeValue(buffer: Buffer, at: number, value: string): number | undefined {
  const { length } = value;
  if (length <= SHORT) {
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (CHARACTERS[code] !== PLAIN) return undefined;
      buffer[at + index] = code;
    }
    return at + length;
  }
  writeLatin1(buffer, value, at);
  const end = at + length;
  for (let index = at; index < end; index++) if (CHARACTERS[buffer[index] ?? 0] !== PLAIN) return undefined;
  return end;
}

function writeAscii(buffer: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) buffer[at + index] = text.charCodeAt(index);
  return at + text.length;
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** Printable ASCII without `"` and `\`. */
function toCharacterTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0x20; code < 0x7f; code++) table[code] = PLAIN;
  table[0x22] = 0;
  table[0x5c] = 0;
  return table;
}
