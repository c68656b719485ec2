/**
 * Where a parser leaves what it found: offsets into the bytes it was given, and facts about framing. One object per
 * parser is used for every head (a head costs no allocation until it is known to be whole and good).
 */
import type { FaultReason } from "@sallyport/model/fault";
import { NO_CUTS } from "../head/field-lines.ts";

/** Facts of one head. All offsets are absolute in the parsed bytes. */
export class ParsedHead {
  /** First byte, first byte of the first field line, and the empty line. */
  start = 0;
  fieldsAt = 0;
  end = 0;
  /** Minor version 0. */
  old = false;
  /** Request line. */
  methodEnd = 0;
  targetAt = 0;
  /** -1 while the target is incomplete. */
  targetEnd = -1;
  /** The target holds something that normalisation may have to change. */
  suspect = false;
  /** Status line. */
  status = 0;

  hostFrom = -1;
  hostTo = 0;
  hostLineFrom = -1;
  hostLineTo = 0;
  /** The value of User-Agent; -1 where there is none, or there are several. */
  agentFrom = -1;
  agentTo = 0;
  /** How many there are. */
  agents = 0;
  /** -1 where there is no Content-Length. */
  contentLength = -1;
  chunked = false;
  close = false;
  keepAlive = false;
  /** Connection named upgrade, te. */
  connectionUpgrade = false;
  connectionTe = false;
  /** Values; "" where absent. */
  upgrade = "";
  te = "";
  expect = "";
  hasExpect = false;
  forwardedFor = "";
  forwardedProto = "";
  requestId = "";
  /** Pairs of offsets of lines that tell of a client certificate, of a trusted sender. */
  certificateLines: readonly number[] = NO_CUTS;
  maxForwards = -1;
  dated = false;
  trailerFrom = -1;
  trailerTo = 0;
  trailer = "";

  /** Pairs of offsets of lines that must not go on, ascending. Never changed in place: the head built from it keeps it. */
  cuts: readonly number[] = NO_CUTS;
  /** Names that Connection listed, lower case. */
  named: string[] = [];

  /** The line a parser is at, and its value without blanks around it. */
  lineFrom = 0;
  lineTo = 0;
  valueFrom = 0;
  valueTo = 0;

  /** Why the head was refused. */
  fault: FaultReason = "bad-request";
  detail = "";

  /** Forgets the head before. */
  reset(start: number): void {
    this.start = start;
    this.old = false;
    this.targetEnd = -1;
    this.suspect = false;
    this.hostFrom = -1;
    this.hostLineFrom = -1;
    this.agentFrom = -1;
    this.agents = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.dated = false;
    this.maxForwards = -1;
    this.cuts = NO_CUTS;
    if (this.rare) this.#resetRare();
  }

  /** Whether any of the fields that most heads lack was set. */
  rare = false;

  /** Cuts bytes[from, to), behind all cuts so far; neighbours join. */
  cut(from: number, to: number): void {
    const { cuts } = this;
    const count = cuts.length;
    if (count === 0) this.cuts = [from, to];
    else if (cuts[count - 1] === from) this.cuts = cuts.with(-1, to);
    else this.cuts = [...cuts, from, to];
  }

  /** Cuts a line of its own that was passed already and is in no cut. */
  cutLater(from: number, to: number): void {
    const pairs = this.cuts;
    let at = 0;
    while (at < pairs.length && (pairs[at] ?? 0) < from) at += 2;
    this.cuts = pairs.toSpliced(at, 0, from, to);
  }

  #resetRare(): void {
    this.rare = false;
    this.connectionUpgrade = false;
    this.connectionTe = false;
    this.upgrade = "";
    this.te = "";
    this.expect = "";
    this.hasExpect = false;
    this.forwardedFor = "";
    this.forwardedProto = "";
    this.requestId = "";
    this.certificateLines = NO_CUTS;
    this.trailer = "";
    this.trailerFrom = -1;
    this.named = [];
  }
}

/** Notes why a head is refused; -1 for parsers to return. */
export function refuseHead(head: ParsedHead, fault: FaultReason, detail: string): -1 {
  head.fault = fault;
  head.detail = detail;
  return -1;
}
