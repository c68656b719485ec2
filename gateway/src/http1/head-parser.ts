/**
 * HTTP/1.1 heads (RFC 9112 sections 2-5) straight from bytes, strictly: whatever two parsers could disagree on is refused.
 * Field lines are not taken apart; only those that matter to framing, routing or trust are looked into.
 *
 * The methods return the offset behind the head, 0 where it is incomplete, or -1 where it is refused (head.fault says
 * why). They keep no state between calls: an incomplete head is parsed again from its beginning, so that bad bytes are
 * refused at once and not only when the head is whole.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import { CLASS, COLON, CR, HEX, HOST, LF, SLASH, SP, SUSPECT, TARGET, TOKEN, UNDERSCORE, VALUE } from "./bytes.ts";
import { FieldTable, PASS } from "./field-table.ts";
import { ParsedHead } from "./parsed-head.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { noteField, refuseHead, trimValue, type Sender } from "./special-fields.ts";

/** What of the listener's options concerns heads. */
export type HeadLimits = Pick<HttpServerOptions, "maxHeadBytes" | "maxHeaderFields" | "trustedHops" | "underscores">;

/** Limits of heads that upstreams send. */
export const RESPONSE_LIMITS: HeadLimits = {
  maxHeadBytes: 61_440,
  maxHeaderFields: 200,
  trustedHops: 0,
  underscores: "allow",
};

const LONGEST_METHOD = 32;
const REQUEST_FIELDS = new FieldTable("request");
const RESPONSE_FIELDS = new FieldTable("response");
/** `HTTP/1.`, of which each further byte can be told right or wrong as it comes. */
const VERSION = [72, 84, 84, 80, 47];

/** Parses heads into one ParsedHead. */
export class HeadParser {
  readonly head = new ParsedHead();
  #underscore = 0;

  /** A request head in bytes[from, end). */
  request(bytes: Buffer, from: number, end: number, limits: HeadLimits): number {
    const { head } = this;
    let at = this.#skipEmptyLines(bytes, from, end);
    if (at < 0) return -1;
    head.reset(at);
    at = this.#requestLine(bytes, at, end);
    if (at > 0) {
      head.fieldsAt = at;
      at = this.#fields(bytes, end, limits, limits.trustedHops > 0 ? "trusted-client" : "client");
    }
    if (at === 0 && end - from > limits.maxHeadBytes) return this.#tooLarge();
    if (at <= 0) return at;
    if (at - from > limits.maxHeadBytes) return this.#refuse("head-too-large", "head beyond the limit");
    if (head.hostFrom < 0 ? !head.old : !isAuthority(bytes, head.hostFrom, head.hostTo))
      return this.#refuse("bad-request", head.hostFrom < 0 ? "no Host" : "invalid Host");
    if (!this.#framingAgrees()) return -1;
    if (head.named.length > 0) cutNamed(head, bytes, REQUEST_FIELDS);
    return at;
  }

  /** A response head in bytes[from, end). */
  response(bytes: Buffer, from: number, end: number): number {
    const { head } = this;
    head.reset(from);
    let at = this.#statusLine(bytes, from, end);
    if (at > 0) {
      head.fieldsAt = at;
      at = this.#fields(bytes, end, RESPONSE_LIMITS, "upstream");
    }
    if (at === 0 && end - from > RESPONSE_LIMITS.maxHeadBytes) return this.#refuse("head-too-large", "head too large");
    if (at <= 0) return at;
    if (!this.#framingAgrees()) return -1;
    if (head.named.length > 0) cutNamed(head, bytes, RESPONSE_FIELDS);
    return at;
  }

  /** RFC 9112 section 2.2: a server ignores at least one empty line before the request line. */
  #skipEmptyLines(bytes: Buffer, from: number, end: number): number {
    let at = from;
    for (let lines = 0; lines < 4 && at + 1 < end && bytes[at] === CR; lines++) {
      if (bytes[at + 1] !== LF) return this.#refuse("bad-request", "bare CR");
      at += 2;
    }
    return at;
  }

  #requestLine(bytes: Buffer, from: number, end: number): number {
    const { head } = this;
    let at = from;
    while (at < end && (classOf(bytes, at) & TOKEN) !== 0) at++;
    if (at - from > LONGEST_METHOD) return this.#refuse("unsupported-method", "method too long");
    if (at >= end) return 0;
    if (bytes[at] === CR && at === from && at + 1 >= end) return 0;
    if (bytes[at] !== SP || at === from) return this.#refuse("bad-request", "invalid method");
    head.methodEnd = at++;
    head.targetAt = at;
    at = this.#target(bytes, at, end);
    if (at >= end) return 0;
    if (bytes[at] !== SP || at === head.targetAt) return this.#refuse("bad-request", "invalid target");
    head.targetEnd = at;
    return this.#version(bytes, at + 1, end);
  }

  /** Behind the last byte of the target. A `/` with `/` or `.` behind it, and `%` and `\`, make it suspect. */
  #target(bytes: Buffer, from: number, end: number): number {
    let at = from;
    let seen = 0;
    let before = 0;
    for (; at < end; at++) {
      const bits = classOf(bytes, at);
      if ((bits & TARGET) === 0) break;
      seen |= (bits & SUSPECT) | (((before & SLASH) << 1) & bits);
      before = bits;
    }
    this.head.suspect = seen !== 0;
    return at;
  }

  /** `HTTP/1.x` and CRLF. */
  #version(bytes: Buffer, from: number, end: number): number {
    const { head } = this;
    for (let i = 0; i < 5 && from + i < end; i++)
      if (bytes[from + i] !== VERSION[i]) return this.#refuse("bad-request", "invalid version");
    if (end - from < 10) {
      if (bytes.indexOf(LF, from) >= 0 && bytes.indexOf(LF, from) < end)
        return this.#refuse("bad-request", "invalid version");
      return 0;
    }
    const major = (bytes[from + 5] ?? 0) - 48;
    const minor = (bytes[from + 7] ?? 0) - 48;
    if (!isDigit(major) || bytes[from + 6] !== 46 || !isDigit(minor))
      return this.#refuse("bad-request", "invalid version");
    if (bytes[from + 8] !== CR || bytes[from + 9] !== LF) return this.#refuse("bad-request", "invalid request line");
    if (major !== 1 || minor > 1) return this.#refuse("unsupported-version", "version other than 1.0 and 1.1");
    head.old = minor === 0;
    return from + 10;
  }

  /** `HTTP/1.x 123 reason` and CRLF. */
  #statusLine(bytes: Buffer, from: number, end: number): number {
    const { head } = this;
    for (let i = 0; i < 5 && from + i < end; i++)
      if (bytes[from + i] !== VERSION[i]) return this.#refuse("bad-request", "invalid status line");
    if (end - from < 14) {
      const feed = bytes.indexOf(LF, from);
      return feed >= 0 && feed < end ? this.#refuse("bad-request", "invalid status line") : 0;
    }
    const minor = (bytes[from + 7] ?? 0) - 48;
    const status = toStatus(bytes, from + 9);
    if (bytes[from + 5] !== 49 || bytes[from + 6] !== 46 || (minor !== 0 && minor !== 1) || bytes[from + 8] !== SP)
      return this.#refuse("bad-request", "invalid status line");
    let at = from + 12;
    if (status < 0 || (bytes[at] !== SP && bytes[at] !== CR)) return this.#refuse("bad-request", "invalid status");
    head.old = minor === 0;
    head.status = status;
    while (at < end && (classOf(bytes, at) & VALUE) !== 0) at++;
    if (at + 1 >= end) return at < end && bytes[at] !== CR ? this.#refuse("bad-request", "invalid reason") : 0;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return this.#refuse("bad-request", "invalid reason");
    return at + 2;
  }

  #fields(bytes: Buffer, end: number, limits: HeadLimits, sender: Sender): number {
    const { head } = this;
    const table = sender === "upstream" ? RESPONSE_FIELDS : REQUEST_FIELDS;
    let at = head.fieldsAt;
    for (let count = 1; ; count++) {
      if (at >= end) return 0;
      if (bytes[at] === CR) return this.#emptyLine(bytes, at, end);
      const colon = this.#name(bytes, at, end);
      if (colon <= 0) return colon;
      const stop = this.#value(bytes, colon + 1, end);
      if (stop <= 0) return stop;
      if (count > limits.maxHeaderFields) return this.#refuse("head-too-large", "too many fields");
      const role = table.roleOf(bytes, at, colon - at);
      if (role !== PASS) {
        head.lineFrom = at;
        head.lineTo = stop + 2;
        head.valueFrom = colon + 1;
        head.valueTo = stop;
        trimValue(head, bytes);
        if (!noteField(head, bytes, role, sender)) return -1;
      } else if (this.#underscore !== 0 && !this.#passUnderscore(at, stop + 2, limits)) return -1;
      at = stop + 2;
    }
  }

  #emptyLine(bytes: Buffer, at: number, end: number): number {
    if (at + 1 >= end) return 0;
    if (bytes[at + 1] !== LF) return this.#refuse("bad-request", "bare CR");
    this.head.end = at;
    return at + 2;
  }

  /** The offset of the colon. obs-fold, an empty name and a blank before the colon fail here. */
  #name(bytes: Buffer, from: number, end: number): number {
    let at = from;
    let seen = 0;
    for (; at < end; at++) {
      const bits = classOf(bytes, at);
      if ((bits & TOKEN) === 0) break;
      seen |= bits;
    }
    this.#underscore = seen & UNDERSCORE;
    if (at >= end) return 0;
    return bytes[at] === COLON && at > from ? at : this.#refuse("bad-request", "invalid field name");
  }

  /** The offset of the CR. Bare LF, NUL and other controls fail here. */
  #value(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && (classOf(bytes, at) & VALUE) !== 0) at++;
    if (at >= end) return 0;
    if (bytes[at] !== CR) return this.#refuse("bad-request", "invalid field value");
    if (at + 1 >= end) return 0;
    return bytes[at + 1] === LF ? at : this.#refuse("bad-request", "bare CR");
  }

  #passUnderscore(from: number, to: number, limits: HeadLimits): boolean {
    if (limits.underscores === "reject") return refuseHead(this.head, "bad-request", "underscore in a field name");
    if (limits.underscores === "drop") this.head.cut(from, to);
    return true;
  }

  /** RFC 9112 section 6.1: both codings at once, or chunked in HTTP/1.0, is how requests are smuggled. */
  #framingAgrees(): boolean {
    const { head } = this;
    if (!head.chunked || (head.contentLength < 0 && !head.old)) return true;
    return refuseHead(head, "bad-request", "Transfer-Encoding with Content-Length, or in HTTP/1.0");
  }

  #tooLarge(): number {
    return this.head.targetEnd < 0
      ? this.#refuse("uri-too-long", "request line beyond the limit")
      : this.#refuse("head-too-large", "head beyond the limit");
  }

  #refuse(fault: ParsedHead["fault"], detail: string): -1 {
    refuseHead(this.head, fault, detail);
    return -1;
  }
}

function classOf(bytes: Buffer, at: number): number {
  return CLASS[bytes[at] ?? 0] ?? 0;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

/** 100-599, or -1. */
function toStatus(bytes: Buffer, at: number): number {
  const first = (bytes[at] ?? 0) - 48;
  const second = (bytes[at + 1] ?? 0) - 48;
  const third = (bytes[at + 2] ?? 0) - 48;
  if (first < 1 || first > 5 || !isDigit(second) || !isDigit(third)) return -1;
  return first * 100 + second * 10 + third;
}

/** Whether bytes[from, to) is a host, or [IPv6], and a port up to 65535 (RFC 9110 section 7.2). */
export function isAuthority(bytes: Buffer, from: number, to: number): boolean {
  let at = from;
  if (bytes[at] === 91) {
    at++;
    while (at < to && ((classOf(bytes, at) & HEX) !== 0 || bytes[at] === COLON || bytes[at] === 46)) at++;
    if (at >= to || bytes[at] !== 93 || at < from + 3) return false;
    at++;
  } else {
    while (at < to && (classOf(bytes, at) & HOST) !== 0) at++;
    if (at === from) return false;
  }
  if (at === to) return true;
  if (bytes[at] !== COLON || to - at > 6) return false;
  let port = 0;
  for (at++; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (!isDigit(digit)) return false;
    port = port * 10 + digit;
  }
  return port < 65_536;
}

/** Cuts the fields that Connection listed: rare, so a second walk over a head that is known to be good. */
function cutNamed(head: ParsedHead, bytes: Buffer, table: FieldTable): void {
  const before = head.cuts;
  head.cuts = [];
  let next = 0;
  for (let at = head.fieldsAt; at < head.end;) {
    const colon = bytes.indexOf(COLON, at);
    const end = bytes.indexOf(LF, colon) + 1;
    while (next < before.length && (before[next + 1] ?? 0) <= at) next += 2;
    const cut = next < before.length && (before[next] ?? 0) <= at;
    const named = table.roleOf(bytes, at, colon - at) === PASS;
    if (cut || (named && head.named.includes(toLatin1(bytes, at, colon).toLowerCase()))) head.cut(at, end);
    at = end;
  }
}
