/**
 * Bytes by class, and the loops over them that parsers are made of.
 *
 * The loops live beside the table on purpose: V8 folds a module's own constants into machine code but loads an imported
 * binding anew each time it is read, which made a head more than twice as dear to parse.
 */

/** Horizontal tab. */
export const HTAB = 9;
/** Line feed. */
export const LF = 10;
/** Carriage return. */
export const CR = 13;
/** Space. */
export const SP = 32;
/** `:`. */
export const COLON = 58;

/** A character of a token (RFC 9110 section 5.6.2) other than `_`. */
const NAME = 1;
/** A byte of a field value: HTAB, SP, VCHAR, obs-text. */
const VALUE = 2;
/** A byte of a request target: visible ASCII but `#` (a fragment is never sent). */
const TARGET = 4;
/** A character of a registered name (RFC 3986 section 3.2.2), without `,`: lists of hosts confuse more than they serve. */
const HOST = 8;
/** A hexadecimal digit. */
const HEX = 16;
/** `/`: shifted left by one it meets DOT_OR_SLASH of the byte behind it. */
const SLASH = 32;
/** `.` or `/`: behind a `/` they may call for normalisation. */
const DOT_OR_SLASH = 64;
/** `%` or `\`: a path that holds one must be looked at. */
const SUSPECT = 128;
/** `_`, which CGI-style backends cannot tell from `-`. */
const UNDERSCORE = 95;

const CLASS: Uint8Array = toClassTable();

/** The offset of the first byte from `from` on that is no token character, or is `_`; `end` where all are. */
export function endOfName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && ((CLASS[bytes[at] ?? 0] ?? 0) & NAME) !== 0) at++;
  return at;
}

/** The offset of the first byte from `from` on that is no token character; `end` where all are. */
export function endOfToken(bytes: Uint8Array, from: number, end: number): number {
  let at = endOfName(bytes, from, end);
  while (at < end && bytes[at] === UNDERSCORE) at = endOfName(bytes, at + 1, end);
  return at;
}

/** The offset of the first byte from `from` on that cannot be in a field value. */
export function endOfValue(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && ((CLASS[bytes[at] ?? 0] ?? 0) & VALUE) !== 0) at++;
  return at;
}

/** The offset of the first byte from `from` on that cannot be in a request target. */
export function endOfTarget(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && ((CLASS[bytes[at] ?? 0] ?? 0) & TARGET) !== 0) at++;
  return at;
}

/** Whether a target holds what normalisation may change: `%`, `\`, or a `/` with `/` or `.` behind it. */
export function isSuspect(bytes: Uint8Array, from: number, end: number): boolean {
  let seen = 0;
  let before = 0;
  for (let at = from; at < end; at++) {
    const bits = CLASS[bytes[at] ?? 0] ?? 0;
    seen |= (bits & SUSPECT) | (((before & SLASH) << 1) & bits);
    before = bits;
  }
  return seen !== 0;
}

/** The offset of the first byte from `from` on that cannot be in a registered name. */
export function endOfHost(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && ((CLASS[bytes[at] ?? 0] ?? 0) & HOST) !== 0) at++;
  return at;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (((CLASS[byte] ?? 0) & HEX) === 0) return -1;
  return byte < 58 ? byte - 48 : (byte | 32) - 87;
}

/** Whether a byte can be in a field value. */
export function isValueByte(byte: number): boolean {
  return ((CLASS[byte] ?? 0) & VALUE) !== 0;
}

/** Whether a byte is a token character. */
export function isTokenByte(byte: number): boolean {
  return ((CLASS[byte] ?? 0) & NAME) !== 0 || byte === UNDERSCORE;
}

/** The bytes of an ASCII word. */
export function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether bytes[at, at + word.length) spell a lower-case word, without regard to case. The bytes must be token characters. */
export function spells(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (((bytes[at + i] ?? 0) | 32) !== word[i]) return false;
  return true;
}

function toClassTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (characters: string, bit: number): void => {
    for (const byte of toBytes(characters)) table[byte] = (table[byte] ?? 0) | bit;
  };
  const digits = "0123456789";
  const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const letters = upper + upper.toLowerCase();
  mark(`${letters}${digits}!#$%&'*+-.^\`|~`, NAME);
  mark(`${letters}${digits}-._~!$&'()*+;=%`, HOST);
  mark(`${digits}ABCDEFabcdef`, HEX);
  mark("/", SLASH | DOT_OR_SLASH);
  mark(".", DOT_OR_SLASH);
  mark("%\\", SUSPECT);
  for (let byte = 0; byte < 256; byte++) {
    if (byte === HTAB || (byte >= SP && byte !== 127)) table[byte] = (table[byte] ?? 0) | VALUE;
    if (byte > SP && byte < 127 && byte !== 35) table[byte] = (table[byte] ?? 0) | TARGET;
  }
  return table;
}
