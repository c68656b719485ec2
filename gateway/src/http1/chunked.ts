/**
 * The chunked coding (RFC 9112 section 7.1), validated in place and never re-encoded: what may pass is moved together in
 * the bytes it came in. Extensions are dropped (section 7.1.1), the trailer section is collected, filtered and handed on.
 *
 * Raw mode keeps the framing and ends behind the last chunk's line where there are trailers to write, behind the final
 * empty line where there are none. Content mode keeps the content alone.
 */
import { isTrailerAllowed } from "../head/field-rules.ts";
import { hexValue, isTokenByte, isValueByte } from "../head/bytes.ts";

/**
 * Bounds of what a body may waste: digits of a size, bytes of all extensions and blanks, bytes of the trailer section (Go's
 * server reads no more than 4 KiB of it: a longer one would be one message here and another there).
 */
const MAX_DIGITS = 16;
const MAX_EXTENSIONS = 16_384;
const MAX_TRAILERS = 4096;
/** Sizes below 2^52: sums stay exact. */
const MAX_SIZE = 2 ** 52;

// a module's own constants cost nothing; see bytes.ts
const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const COLON = 58;
const SEMICOLON = 59;

const SIZE = 0;
const BLANK = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILER = 7;
const END_LF = 8;
const TRAILER_NAME = 9;
const TRAILER_VALUE = 10;
const TRAILER_LF = 11;

/** Decoder of one body at a time. */
export class ChunkedDecoder {
  /** Where the last feed() left what may pass: bytes[from, to). */
  from = 0;
  to = 0;
  /** The body is complete. */
  done = false;
  /** Of a complete body: the trailers that may pass, as lines with CRLF. */
  trailers = "";
  /** Bytes of content so far. */
  content = 0;
  #raw = true;
  #state = SIZE;
  #left = 0;
  #digits = 0;
  #waste = 0;
  #section = "";
  #hopFields: readonly string[] = [];
  #write = 0;
  #run = -1;

  /** Begins a body; fields of these (lower-case) names are dropped from its trailers. */
  start(mode: "raw" | "content", hopFields: readonly string[] = []): void {
    this.#hopFields = hopFields;
    this.done = false;
    this.trailers = "";
    this.content = 0;
    this.#raw = mode === "raw";
    this.#state = SIZE;
    this.#left = 0;
    this.#digits = 0;
    this.#waste = 0;
    this.#section = "";
  }

  /** Whether the body under way is in raw mode. */
  get raw(): boolean {
    return this.#raw;
  }

  /** Takes bytes[from, end), moving bytes within. Returns the offset behind what belongs to the body, or -1: malformed. */
  feed(bytes: Buffer, from: number, end: number): number {
    this.from = from;
    this.#write = from;
    this.#run = this.#keeps() ? from : -1;
    let at = from;
    while (at < end) {
      if (this.#state === DATA) {
        at = this.#data(bytes, at, end);
        continue;
      }
      if (!this.#step(bytes, at)) return -1;
      at++;
      if (this.done) break;
    }
    this.#endRun(bytes, at);
    this.to = this.#write;
    return at;
  }

  /** Whether bytes of this state pass. */
  #keeps(): boolean {
    const state = this.#state;
    if (!this.#raw) return state === DATA;
    if (state === END_LF) return this.trailers === "";
    return state === SIZE || (state >= SIZE_LF && state <= TRAILER);
  }

  #data(bytes: Buffer, at: number, end: number): number {
    const count = Math.min(this.#left, end - at);
    if (this.#run < 0) this.#run = at;
    this.#left -= count;
    this.content += count;
    if (this.#left === 0) {
      this.#state = DATA_CR;
      if (!this.#raw) this.#endRun(bytes, at + count);
    }
    return at + count;
  }

  #step(bytes: Buffer, at: number): boolean {
    const byte = bytes[at] ?? 0;
    switch (this.#state) {
      case SIZE:
        return this.#size(bytes, at, byte);
      case BLANK:
      case EXTENSION:
        return this.#extension(at, byte);
      case SIZE_LF:
        return byte === LF && this.#sizeEnd();
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR;
      case DATA_LF:
        this.#state = SIZE;
        return byte === LF;
      default:
        return this.#trailer(bytes, at, byte);
    }
  }

  #size(bytes: Buffer, at: number, byte: number): boolean {
    const digit = hexValue(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_DIGITS) return false;
      this.#left = this.#left * 16 + digit;
      return this.#left < MAX_SIZE;
    }
    if (this.#digits === 0) return false;
    if (byte === CR) {
      this.#state = SIZE_LF;
      return true;
    }
    if (byte !== SEMICOLON && byte !== SP && byte !== HTAB) return false;
    this.#endRun(bytes, at);
    this.#state = byte === SEMICOLON ? EXTENSION : BLANK;
    return ++this.#waste <= MAX_EXTENSIONS;
  }

  /** Blanks before `;` or CR (bad whitespace), and an extension: dropped. */
  #extension(at: number, byte: number): boolean {
    if (byte === CR) {
      this.#state = SIZE_LF;
      if (this.#raw) this.#run = at;
      return true;
    }
    if (this.#state === BLANK) {
      if (byte === SEMICOLON) this.#state = EXTENSION;
      else if (byte !== SP && byte !== HTAB) return false;
    } else if (!isValueByte(byte)) return false;
    return ++this.#waste <= MAX_EXTENSIONS;
  }

  #sizeEnd(): boolean {
    this.#digits = 0;
    this.#state = this.#left > 0 ? DATA : TRAILER;
    return true;
  }

  #trailer(bytes: Buffer, at: number, byte: number): boolean {
    switch (this.#state) {
      case TRAILER:
        return this.#trailerStart(bytes, at, byte);
      case END_LF:
        this.done = byte === LF;
        return this.done;
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER_VALUE;
        else if (!isTokenByte(byte)) return false;
        break;
      case TRAILER_VALUE:
        if (byte === CR) this.#state = TRAILER_LF;
        else if (!isValueByte(byte)) return false;
        break;
      default:
        if (byte !== LF) return false;
        this.#state = TRAILER;
    }
    this.#section += String.fromCharCode(byte);
    return this.#section.length <= MAX_TRAILERS;
  }

  /** A trailer line begins, or the empty line that ends the body. */
  #trailerStart(bytes: Buffer, at: number, byte: number): boolean {
    if (byte === CR) {
      this.#state = END_LF;
      if (this.#section !== "") this.trailers = filterTrailers(this.#section, this.#hopFields);
      // raw with nothing to add: the final empty line passes as it is
      if (this.#raw && this.trailers === "") {
        if (this.#run < 0) this.#run = at;
      } else this.#endRun(bytes, at);
      return true;
    }
    this.#endRun(bytes, at);
    this.#state = TRAILER_NAME;
    this.#section += String.fromCharCode(byte);
    return isTokenByte(byte);
  }

  #endRun(bytes: Buffer, to: number): void {
    const run = this.#run;
    if (run < 0) return;
    if (to > run) {
      if (this.#write !== run) bytes.copyWithin(this.#write, run, to);
      this.#write += to - run;
    }
    this.#run = -1;
  }
}

/** Of a complete body in raw mode with trailers: its last bytes. */
export function rawTrailers(decoder: ChunkedDecoder): Buffer | undefined {
  return decoder.raw && decoder.trailers !== "" ? Buffer.from(`${decoder.trailers}\r\n`, "latin1") : undefined;
}

/** The lines of a trailer section that may pass. */
function filterTrailers(section: string, hopFields: readonly string[]): string {
  let kept = "";
  for (let at = 0; at < section.length;) {
    const end = section.indexOf("\r\n", at) + 2;
    const name = section.slice(at, section.indexOf(":", at)).toLowerCase();
    if (isTrailerAllowed(name) && !hopFields.includes(name)) kept += section.slice(at, end);
    at = end;
  }
  return kept;
}
