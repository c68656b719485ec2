/** Classes of bytes, so that a parser needs one table look-up per byte, and the few bytes that have names. */

/** A character of a token (RFC 9110 section 5.6.2). */
export const TOKEN = 1;
/** A byte of a field value: HTAB, SP, VCHAR, obs-text. */
export const VALUE = 2;
/** A byte of a request target: visible ASCII but `#` (a fragment is never sent). */
export const TARGET = 4;
/** A character of a registered name (RFC 3986 section 3.2.2), without `,`: lists of hosts confuse more than they serve. */
export const HOST = 8;
/** A hexadecimal digit. */
export const HEX = 16;
/** `/`, shifted left by one it meets DOT_OR_SLASH of the byte behind it. */
export const SLASH = 32;
/** `.` or `/`: behind a `/` they may call for normalisation. */
export const DOT_OR_SLASH = 64;
/** `%` or `\`: a path that holds one must be looked at. */
export const SUSPECT = 128;
/** `_`, which CGI-style backends cannot tell from `-`. */
export const UNDERSCORE = 256;
/** `A`-`Z`. */
export const UPPER = 512;

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
/** `;`. */
export const SEMICOLON = 59;

/** Class bits of every byte. */
export const CLASS: Uint16Array = toClassTable();

/** The bytes of an ASCII word. */
export function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether bytes[at, at + word.length) spell a lower-case word, without regard to case. The bytes must be token characters. */
export function spells(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (((bytes[at + i] ?? 0) | 32) !== word[i]) return false;
  return true;
}

function toClassTable(): Uint16Array {
  const table = new Uint16Array(256);
  const mark = (characters: string, bit: number): void => {
    for (const byte of toBytes(characters)) table[byte] = (table[byte] ?? 0) | bit;
  };
  const digits = "0123456789";
  const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const letters = upper + upper.toLowerCase();
  mark(`${letters}${digits}!#$%&'*+-.^_\`|~`, TOKEN);
  mark(`${letters}${digits}-._~!$&'()*+;=%`, HOST);
  mark(`${digits}ABCDEFabcdef`, HEX);
  mark("/", SLASH | DOT_OR_SLASH);
  mark(".", DOT_OR_SLASH);
  mark("%\\", SUSPECT);
  mark("_", UNDERSCORE);
  mark(upper, UPPER);
  for (let byte = 0; byte < 256; byte++) {
    if (byte === HTAB || (byte >= SP && byte !== 127)) table[byte] = (table[byte] ?? 0) | VALUE;
    if (byte > SP && byte < 127 && byte !== 35) table[byte] = (table[byte] ?? 0) | TARGET;
  }
  return table;
}
