/**
 * Request lines and status lines (RFC 9112 sections 3 and 4). The functions return the offset behind the line, 0 where it
 * is incomplete, or -1 where it is refused and the head says why. Bad bytes are refused before the line is complete.
 */
import { CR, LF, SP, endOfTarget, endOfToken, endOfValue, isSuspect, spells, toBytes } from "../head/bytes.ts";
import { refuseHead, type ParsedHead } from "./parsed-head.ts";

const LONGEST_METHOD = 32;
/** Bytes of `HTTP/1.1` and CRLF. */
const VERSION_LENGTH = 10;
/** Bytes of `HTTP/1.1 200 ` and CRLF, less one: a status line may end behind its status. */
const STATUS_LENGTH = 14;
const HTTP = toBytes("HTTP/");
const SCHEME = toBytes("http");
const SLASH = 47;
const ASTERISK = 42;

/** A request line in bytes[from, end). */
export function parseRequestLine(head: ParsedHead, bytes: Buffer, from: number, end: number): number {
  const methodEnd = endOfToken(bytes, from, end);
  if (methodEnd - from > LONGEST_METHOD) return refuseHead(head, "unsupported-method", "method too long");
  if (methodEnd >= end || isLoneCr(bytes, from, end)) return 0;
  if (bytes[methodEnd] !== SP || methodEnd === from) return refuseHead(head, "bad-request", "invalid method");
  const targetAt = methodEnd + 1;
  const targetEnd = endOfTarget(bytes, targetAt, end);
  if (targetEnd >= end) return 0;
  if (bytes[targetEnd] !== SP || targetEnd === targetAt) return refuseHead(head, "bad-request", "invalid target");
  head.methodEnd = methodEnd;
  head.targetAt = targetAt;
  head.targetEnd = targetEnd;
  head.suspect = isSuspect(bytes, targetAt, targetEnd);
  return parseVersion(head, bytes, targetEnd + 1, end);
}

/** A status line in bytes[from, end). */
export function parseStatusLine(head: ParsedHead, bytes: Buffer, from: number, end: number): number {
  if (!beginsHttp(bytes, from, end)) return refuseHead(head, "bad-request", "invalid status line");
  if (end - from < STATUS_LENGTH)
    return hasLineFeed(bytes, from, end) ? refuseHead(head, "bad-request", "invalid status line") : 0;
  const minor = minorOf(bytes, from);
  if (minor < 0 || bytes[from + 8] !== SP) return refuseHead(head, "bad-request", "invalid status line");
  const status = toStatus(bytes, from + 9);
  const behind = bytes[from + 12];
  if (status < 0 || (behind !== SP && behind !== CR)) return refuseHead(head, "bad-request", "invalid status");
  head.old = minor === 0;
  head.status = status;
  return parseReason(head, bytes, from + 12, end);
}

function isLoneCr(bytes: Buffer, from: number, end: number): boolean {
  return bytes[from] === CR && from + 1 >= end;
}

/** `HTTP/1.x` and CRLF. */
function parseVersion(head: ParsedHead, bytes: Buffer, from: number, end: number): number {
  if (!beginsHttp(bytes, from, end)) return refuseVersion(head, bytes);
  if (end - from < VERSION_LENGTH)
    return hasLineFeed(bytes, from, end) ? refuseHead(head, "bad-request", "invalid version") : 0;
  if (!isDigit(digitAt(bytes, from + 5)) || bytes[from + 6] !== 46 || !isDigit(digitAt(bytes, from + 7)))
    return refuseHead(head, "bad-request", "invalid version");
  if (bytes[from + 8] !== CR || bytes[from + 9] !== LF) return refuseHead(head, "bad-request", "invalid request line");
  const minor = minorOf(bytes, from);
  if (minor < 0) return refuseHead(head, "unsupported-version", "version other than 1.0 and 1.1");
  head.old = minor === 0;
  return from + VERSION_LENGTH;
}

/** Where the target is none of HTTP either, this is another protocol: an answer would be noise to whoever speaks it. */
function refuseVersion(head: ParsedHead, bytes: Buffer): -1 {
  const first = bytes[head.targetAt];
  const isTarget = first === SLASH || first === ASTERISK || spells(bytes, head.targetAt, SCHEME);
  return refuseHead(head, isTarget ? "bad-request" : "not-http", "invalid version");
}

/** 0 or 1 for `HTTP/1.0` and `HTTP/1.1`, else -1. */
function minorOf(bytes: Buffer, from: number): number {
  const minor = digitAt(bytes, from + 7);
  const known = bytes[from + 5] === 49 && bytes[from + 6] === 46 && (minor === 0 || minor === 1);
  return known ? minor : -1;
}

function parseReason(head: ParsedHead, bytes: Buffer, from: number, end: number): number {
  const at = endOfValue(bytes, from, end);
  if (at >= end) return 0;
  if (bytes[at] !== CR || (at + 1 < end && bytes[at + 1] !== LF))
    return refuseHead(head, "bad-request", "invalid reason");
  return at + 1 < end ? at + 2 : 0;
}

/** Whether what is there of `HTTP/` is right. */
function beginsHttp(bytes: Buffer, from: number, end: number): boolean {
  const count = Math.min(HTTP.length, end - from);
  for (let i = 0; i < count; i++) if (bytes[from + i] !== HTTP[i]) return false;
  return true;
}

function hasLineFeed(bytes: Buffer, from: number, end: number): boolean {
  const at = bytes.indexOf(LF, from);
  return at >= 0 && at < end;
}

function digitAt(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) - 48;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

/** 100-599, or -1. */
function toStatus(bytes: Buffer, at: number): number {
  const first = digitAt(bytes, at);
  const second = digitAt(bytes, at + 1);
  const third = digitAt(bytes, at + 2);
  if (first < 1 || first > 5 || !isDigit(second) || !isDigit(third)) return -1;
  return first * 100 + second * 10 + third;
}
