/**
 * What the parser does at a field that matters to framing, routing or trust. Each function takes the head with its current
 * line and value set, notes what it found, cuts the line where it must not go on, and says whether the head is acceptable.
 */
import { toLatin1 } from "../wire/latin1.ts";
import { HTAB, SP, spells, toBytes } from "../head/bytes.ts";
import { ROLE, type RoleCode } from "./field-table.ts";
import { refuseHead, type ParsedHead } from "./parsed-head.ts";

/** Which role the parser plays, and how far it trusts the sender. */
export type Sender = "client" | "trusted-client" | "upstream";

const CHUNKED = toBytes("chunked");
const KEEP_ALIVE = toBytes("keep-alive");
const CLOSE = toBytes("close");

/** Takes note of one special field. False: the head is refused, and `head` says why. */
export function noteField(head: ParsedHead, bytes: Buffer, role: RoleCode, sender: Sender): boolean {
  switch (role) {
    case ROLE.host:
      return noteHost(head);
    case ROLE["content-length"]:
      return noteContentLength(head, bytes, sender);
    case ROLE["transfer-encoding"]:
      return noteTransferEncoding(head, bytes);
    case ROLE.connection:
      noteConnection(head, bytes);
      return true;
    case ROLE.date:
      head.dated = true;
      return true;
    default:
      return noteRare(head, bytes, role, sender);
  }
}

function noteHost(head: ParsedHead): boolean {
  if (head.hostFrom >= 0) return refuseField(head, "bad-request", "second Host");
  head.hostFrom = head.valueFrom;
  head.hostTo = head.valueTo;
  head.hostLineFrom = head.lineFrom;
  head.hostLineTo = head.lineTo;
  return true;
}

/** RFC 9112 section 6.3: repeated with the same value in answers alone. */
function noteContentLength(head: ParsedHead, bytes: Buffer, sender: Sender): boolean {
  const before = head.contentLength;
  if (before >= 0 && sender !== "upstream") return refuseField(head, "bad-request", "second Content-Length");
  const length = toLength(bytes, head.valueFrom, head.valueTo);
  if (length < 0) return refuseField(head, "bad-request", "invalid Content-Length");
  if (before >= 0) {
    if (before !== length) return refuseField(head, "bad-request", "differing Content-Lengths");
    head.cut(head.lineFrom, head.lineTo);
  }
  head.contentLength = length;
  return true;
}

/** Digits alone, no leading zeros, below 10^15; -1 for anything else. */
function toLength(bytes: Buffer, from: number, to: number): number {
  if (to === from || to - from > 15 || (bytes[from] === 48 && to - from > 1)) return -1;
  let length = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** Only `chunked`, once: whatever two parsers could disagree on is refused (RFC 9112 section 6.1). */
function noteTransferEncoding(head: ParsedHead, bytes: Buffer): boolean {
  if (head.chunked) return refuseField(head, "bad-request", "second Transfer-Encoding");
  if (head.valueTo - head.valueFrom !== 7 || !spells(bytes, head.valueFrom, CHUNKED))
    return refuseField(head, "unsupported-coding", "Transfer-Encoding other than chunked");
  head.chunked = true;
  head.cut(head.lineFrom, head.lineTo);
  return true;
}

function noteConnection(head: ParsedHead, bytes: Buffer): void {
  const { valueFrom: from, valueTo: to } = head;
  const length = to - from;
  if (length === 10 && spells(bytes, from, KEEP_ALIVE)) head.keepAlive = true;
  else if (length === 5 && spells(bytes, from, CLOSE)) head.close = true;
  else if (length > 0) noteConnectionList(head, toLatin1(bytes, from, to).toLowerCase());
  head.cut(head.lineFrom, head.lineTo);
}

function noteConnectionList(head: ParsedHead, list: string): void {
  head.rare = true;
  for (const entry of list.split(",")) {
    const name = entry.trim();
    if (name === "close") head.close = true;
    else if (name === "keep-alive") head.keepAlive = true;
    else if (name === "upgrade") head.connectionUpgrade = true;
    else if (name === "te") head.connectionTe = true;
    else if (name !== "") head.named.push(name);
  }
}

function noteRare(head: ParsedHead, bytes: Buffer, role: RoleCode, sender: Sender): boolean {
  const value = toLatin1(bytes, head.valueFrom, head.valueTo);
  switch (role) {
    case ROLE.upgrade:
      head.upgrade = joined(head.upgrade, value);
      break;
    case ROLE.te:
      head.te = joined(head.te, value.toLowerCase());
      break;
    case ROLE.expect:
      if (head.hasExpect) return refuseField(head, "expectation-failed", "second Expect");
      head.hasExpect = true;
      head.expect = value.toLowerCase();
      break;
    case ROLE.trailer:
      return noteTrailer(head, value);
    case ROLE["max-forwards"]:
      return noteMaxForwards(head, bytes, value);
    case ROLE["hop-by-hop"]:
      break;
    default:
      return noteIdentity(head, role, sender, value);
  }
  head.rare = true;
  head.cut(head.lineFrom, head.lineTo);
  return true;
}

/** Who the client is, in the words of whoever sent this head. */
function noteIdentity(head: ParsedHead, role: RoleCode, sender: Sender, value: string): boolean {
  if (sender === "trusted-client") {
    head.rare = true;
    if (role === ROLE["request-id"] && head.requestId === "" && value !== "") {
      head.requestId = value;
      return true;
    }
    if (role === ROLE["forwarded-for"]) head.forwardedFor = joined(head.forwardedFor, value);
    else if (role === ROLE["forwarded-proto"]) head.forwardedProto = joined(head.forwardedProto, value.toLowerCase());
    else if (role === ROLE.untrusted) return true;
    else if (role === ROLE["client-certificate"]) {
      head.certificateLines = [...head.certificateLines, head.lineFrom, head.lineTo];
      return true;
    }
  }
  head.cut(head.lineFrom, head.lineTo);
  return true;
}

/** Whether it stays is known when the framing is: chunked bodies alone have trailers. */
function noteTrailer(head: ParsedHead, value: string): boolean {
  head.rare = true;
  if (head.trailerFrom >= 0) head.cut(head.lineFrom, head.lineTo);
  else {
    head.trailerFrom = head.lineFrom;
    head.trailerTo = head.lineTo;
    head.trailer = value.toLowerCase();
  }
  return true;
}

/** RFC 9110 section 7.6.2: counts for TRACE and OPTIONS alone; others carry it unchanged. */
function noteMaxForwards(head: ParsedHead, bytes: Buffer, value: string): boolean {
  const first = bytes[head.start];
  if (first !== 79 && first !== 84) return true;
  if (!/^\d{1,9}$/.test(value) || head.maxForwards >= 0)
    return refuseField(head, "bad-request", "invalid Max-Forwards");
  head.maxForwards = Number(value);
  head.cut(head.lineFrom, head.lineTo);
  return true;
}

function refuseField(head: ParsedHead, fault: ParsedHead["fault"], detail: string): false {
  refuseHead(head, fault, detail);
  return false;
}

function joined(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}

/** Moves valueFrom and valueTo inwards over blanks. */
export function trimValue(head: ParsedHead, bytes: Buffer): void {
  let { valueFrom: from, valueTo: to } = head;
  while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
  while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
  head.valueFrom = from;
  head.valueTo = to;
}
