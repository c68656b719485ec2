/**
 * Makes values safe to stand in a log line. Whatever a client sends may end up there, so nothing it sends may look like the
 * end of a value, a new line, another field, or a command to the terminal of whoever reads the log. Lines are pure ASCII.
 */

const JSON_UNSAFE = /[^ !#-[\]-~]/;
const TEXT_UNSAFE = /[^ !#-[\]-~]/g;

/** A JSON string token. Bytes that are UTF-8 show as the characters they are, others as U+0080..U+00FF. */
export function toJsonString(value: string): string {
  return JSON_UNSAFE.test(value) ? escapeJson(value) : `"${value}"`;
}

/** The value with `"`, `\` and everything outside printable ASCII as \xHH, as nginx writes it. */
export function toTextValue(value: string): string {
  return JSON_UNSAFE.test(value) ? value.replace(TEXT_UNSAFE, toHex) : value;
}

function escapeJson(value: string): string {
  // oxlint-disable-next-line no-control-regex -- tells whether there are bytes to decode at all
  const text = /^[\u0000-\u007f]*$/.test(value) ? value : decodeUtf8(value);
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, toUnicodeEscape);
}

/** The bytes a latin1 string stands for, read as UTF-8; the string itself where they are not. */
function decodeUtf8(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  return text.includes("\ufffd") ? latin1 : text;
}

function toUnicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toHex(character: string): string {
  return `\\x${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`;
}
