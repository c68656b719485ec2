/**
 * HTTP/1.1 heads (RFC 9112 sections 2-5) straight from bytes, strictly: whatever two parsers could disagree on is refused.
 * Field lines are not taken apart; only those that matter to framing, routing or trust are looked into.
 *
 * The methods return the offset behind the head, 0 where it is incomplete, or -1 where it is refused (head.fault says
 * why). They keep no state between calls: an incomplete head is parsed again from its beginning, so that bad bytes are
 * refused at once and not only when the head is whole.
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import { NO_CUTS } from "../head/field-lines.ts";
import { toLatin1 } from "../wire/latin1.ts";
import { isAuthority } from "../head/authority.ts";
import { endOfName, endOfToken, endOfValue, spells, toBytes } from "../head/bytes.ts";
import { FieldTable } from "./field-table.ts";
import { ParsedHead, refuseHead } from "./parsed-head.ts";
import { noteField, trimValue, type Sender } from "./special-fields.ts";
import { parseRequestLine, parseStatusLine } from "./start-lines.ts";

/** What of the listener's options concerns heads. */
export type HeadLimits = Pick<HttpServerOptions, "maxHeadBytes" | "maxHeaderFields" | "trustedHops" | "underscores">;

/** Limits of heads that upstreams send. */
const RESPONSE_LIMITS: HeadLimits = {
  maxHeadBytes: 61_440,
  maxHeaderFields: 200,
  trustedHops: 0,
  underscores: "allow",
};

// a module's own constants cost nothing; see bytes.ts
const CR = 13;
const LF = 10;
const COLON = 58;
const PASS = 0;
/** Empty lines before a request line that are ignored (RFC 9112 section 2.2: at least one). */
const EMPTY_LINES = 4;
const REQUEST_FIELDS = new FieldTable("request");
const RESPONSE_FIELDS = new FieldTable("response");
const USER_AGENT = toBytes("user-agent");

/** Parses heads into one ParsedHead. */
export class HeadParser {
  readonly head = new ParsedHead();

  /** A request head in bytes[from, end). */
  request(bytes: Buffer, from: number, end: number, limits: HeadLimits): number {
    const { head } = this;
    const start = skipEmptyLines(bytes, from, end);
    head.reset(start);
    let at = parseRequestLine(head, bytes, start, end);
    if (at > 0) {
      head.fieldsAt = at;
      at = parseFields(head, bytes, end, limits, limits.trustedHops > 0 ? "trusted-client" : "client");
    }
    if (at === 0 && end - from > limits.maxHeadBytes) return refuseLarge(head);
    if (at <= 0) return at;
    if (at - from > limits.maxHeadBytes) return refuseHead(head, "head-too-large", "head beyond the limit");
    if (head.hostFrom < 0 ? !head.old : !isAuthority(bytes, head.hostFrom, head.hostTo))
      return refuseHead(head, "bad-request", head.hostFrom < 0 ? "no Host" : "invalid Host");
    return settleHead(head, bytes, REQUEST_FIELDS) ? at : -1;
  }

  /** A response head in bytes[from, end). */
  response(bytes: Buffer, from: number, end: number): number {
    const { head } = this;
    head.reset(from);
    let at = parseStatusLine(head, bytes, from, end);
    if (at > 0) {
      head.fieldsAt = at;
      at = parseFields(head, bytes, end, RESPONSE_LIMITS, "upstream");
    }
    const size = (at === 0 ? end : at) - from;
    if (at >= 0 && size > RESPONSE_LIMITS.maxHeadBytes) return refuseHead(head, "head-too-large", "head too large");
    if (at <= 0) return at;
    return settleHead(head, bytes, RESPONSE_FIELDS) ? at : -1;
  }
}

function skipEmptyLines(bytes: Buffer, from: number, end: number): number {
  let at = from;
  for (let lines = 0; lines < EMPTY_LINES && at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF; lines++) at += 2;
  return at;
}

// oxlint-disable-next-line max-params -- one call per head, and an object for it would be one allocation per head
function parseFields(head: ParsedHead, bytes: Buffer, end: number, limits: HeadLimits, sender: Sender): number {
  const table = tableOf(sender);
  let at = head.fieldsAt;
  for (let count = 1; ; count++) {
    if (at >= end) return 0;
    if (bytes[at] === CR) return endOfHead(head, bytes, at, end);
    const nameEnd = endOfName(bytes, at, end);
    const colon = bytes[nameEnd] === COLON ? nameEnd : endOfToken(bytes, nameEnd, end);
    const next = endOfField(head, bytes, at, colon, end);
    if (next <= 0) return next;
    if (count > limits.maxHeaderFields) return refuseHead(head, "head-too-large", "too many fields");
    const role = table.roleOf(bytes, at, colon - at);
    head.lineFrom = at;
    if (colon !== nameEnd && limits.underscores !== "allow") {
      // not a name we know, though it may begin like the untrusted ones
      if (!passUnderscore(head, at, next, limits)) return -1;
    } else if (role !== PASS) {
      placeValue(head, bytes, colon, next);
      if (!noteField(head, bytes, role, sender)) return -1;
    } else noteAgent(head, bytes, colon, next);
    at = next;
  }
}

/** The offset behind the field line whose name ends at `colon`. */
// oxlint-disable-next-line max-params -- as above, per field
function endOfField(head: ParsedHead, bytes: Buffer, from: number, colon: number, end: number): number {
  if (colon >= end) return 0;
  // obs-fold, an empty name and a blank before the colon fail here
  if (bytes[colon] !== COLON || colon === from) return refuseHead(head, "bad-request", "invalid field name");
  const stop = endOfValue(bytes, colon + 1, end);
  if (stop >= end) return 0;
  // bare LF, bare CR, NUL and other controls fail here
  if (bytes[stop] !== CR) return refuseValue(head);
  if (stop + 1 >= end) return 0;
  return bytes[stop + 1] === LF ? stop + 2 : refuseValue(head);
}

function refuseValue(head: ParsedHead): -1 {
  return refuseHead(head, "bad-request", "invalid field value");
}

function endOfHead(head: ParsedHead, bytes: Buffer, at: number, end: number): number {
  if (at + 1 >= end) return 0;
  if (bytes[at + 1] !== LF) return refuseHead(head, "bad-request", "bare CR");
  head.end = at;
  return at + 2;
}

function tableOf(sender: Sender): FieldTable {
  return sender === "upstream" ? RESPONSE_FIELDS : REQUEST_FIELDS;
}

/** Where the value of User-Agent is, for the access log alone, which joins several as any other field. */
function noteAgent(head: ParsedHead, bytes: Buffer, colon: number, next: number): void {
  const at = head.lineFrom;
  if (colon - at !== USER_AGENT.length || !spells(bytes, at, USER_AGENT)) return;
  placeValue(head, bytes, colon, next);
  head.agentFrom = ++head.agents === 1 ? head.valueFrom : -1;
  head.agentTo = head.valueTo;
}

/** Where the field of the line that ends before `next` has its value. */
function placeValue(head: ParsedHead, bytes: Buffer, colon: number, next: number): void {
  head.lineTo = next;
  head.valueFrom = colon + 1;
  head.valueTo = next - 2;
  trimValue(head, bytes);
}

function passUnderscore(head: ParsedHead, from: number, to: number, limits: HeadLimits): boolean {
  if (limits.underscores === "reject") {
    refuseHead(head, "bad-request", "underscore in a field name");
    return false;
  }
  if (limits.underscores === "drop") head.cut(from, to);
  return true;
}

/** What can be said when the whole head is known. */
function settleHead(head: ParsedHead, bytes: Buffer, table: FieldTable): boolean {
  // RFC 9112 section 6.1: both framings at once, or chunked in HTTP/1.0, is how requests are smuggled
  if (head.chunked && (head.contentLength >= 0 || head.old)) {
    refuseHead(head, "bad-request", "Transfer-Encoding with Content-Length, or in HTTP/1.0");
    return false;
  }
  if (head.named.length > 0) cutNamed(head, bytes, table);
  return true;
}

function refuseLarge(head: ParsedHead): -1 {
  return head.targetEnd < 0
    ? refuseHead(head, "uri-too-long", "request line beyond the limit")
    : refuseHead(head, "head-too-large", "head beyond the limit");
}

/** Cuts the fields that Connection listed: rare, so a second walk over a head that is known to be good. */
function cutNamed(head: ParsedHead, bytes: Buffer, table: FieldTable): void {
  const before = head.cuts;
  // a list as long as a head may be, asked for each field
  const named = new Set(head.named);
  head.cuts = NO_CUTS;
  let next = 0;
  for (let at = head.fieldsAt; at < head.end;) {
    const colon = bytes.indexOf(COLON, at);
    const end = bytes.indexOf(LF, colon) + 1;
    while (next < before.length && (before[next + 1] ?? 0) <= at) next += 2;
    const cut = next < before.length && (before[next] ?? 0) <= at;
    const passes = table.roleOf(bytes, at, colon - at) === PASS;
    if (cut || (passes && named.has(toLatin1(bytes, at, colon).toLowerCase()))) head.cut(at, end);
    at = end;
  }
}
