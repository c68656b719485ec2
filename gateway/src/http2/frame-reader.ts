/**
 * Cuts the bytes of a connection into frames (RFC 9113 section 4), however they are split. DATA is handed on as it comes,
 * a header block when it is complete, every other frame whole. What a frame says by its header alone is checked here.
 */
import { BlockFragments, type BlockLimits } from "./block-fragments.ts";
import type { FrameSink, Payload } from "./frame-sink.ts";
import { GOAWAY_SIZE, isMisplaced, judgeSize } from "./frame-rules.ts";
import { ErrorCode, Flag, FrameType, HEADER_SIZE, MAX_FRAME, PREFACE, readWord31 } from "./frames.ts";

/** What HEADERS said besides its block. One object, used again. */
export interface BlockFacts {
  stream: number;
  endStream: boolean;
  selfDependent: boolean;
}

type State = "preface" | "header" | "payload" | "skip" | "pad" | "data" | "stopped";

const NOTHING = Buffer.alloc(0);
/** Longer PRIORITY_UPDATE frames say nothing we would listen to. */
const MAX_PRIORITY_UPDATE = 256;

const payload: Payload = { bytes: NOTHING, from: 0, to: 0 };

/** Reads the frames of one connection. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #limits: BlockLimits;
  readonly #facts: BlockFacts = { stream: 0, endStream: false, selfDependent: false };
  #state: State;
  /** The first frame, which must be SETTINGS, is still to come. */
  #first = true;
  #kept: Buffer | undefined = undefined;
  #keptLength = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of the payload that have not come. */
  #left = 0;
  #padding = 0;
  /** Fragments of a block that is not complete. */
  #block: BlockFragments | undefined = undefined;

  /** `preface`: what a client sends first comes first. */
  constructor(sink: FrameSink, limits: BlockLimits, first: "preface" | "frames") {
    this.#sink = sink;
    this.#limits = limits;
    this.#state = first === "preface" ? "preface" : "header";
  }

  /** The rest of a frame or a block is owed to the connection. Not that of DATA: how long a body may take is its stream's to say. */
  get owed(): boolean {
    if (this.#block !== undefined || this.#keptLength > 0) return true;
    return this.#state === "preface" || this.#state === "payload" || this.#state === "skip";
  }

  /** Whatever else comes is ignored. */
  stop(): void {
    this.#state = "stopped";
    this.#forget();
    this.#block = undefined;
  }

  /** Reads bytes[from, to). */
  read(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case "preface":
          at = this.#readPreface(bytes, at, to);
          break;
        case "header":
          at = this.#readHeader(bytes, at, to);
          break;
        case "payload":
          at = this.#readPayload(bytes, at, to);
          break;
        case "skip":
          at = this.#skip(at, to);
          break;
        case "pad":
          at = this.#readPad(bytes, at);
          break;
        case "data":
          at = this.#readData(bytes, at, to);
          break;
        case "stopped":
          return;
      }
    }
  }

  #readPreface(bytes: Buffer, from: number, to: number): number {
    let at = from;
    for (; at < to && this.#keptLength < PREFACE.length; at++)
      if (bytes[at] !== PREFACE.charCodeAt(this.#keptLength++)) {
        this.#fail(ErrorCode.PROTOCOL_ERROR, "the connection preface is another");
        return to;
      }
    if (this.#keptLength === PREFACE.length) {
      this.#keptLength = 0;
      this.#state = "header";
    }
    return at;
  }

  #readHeader(bytes: Buffer, from: number, to: number): number {
    if (this.#keptLength === 0 && to - from >= HEADER_SIZE) {
      this.#begin(bytes, from);
      return from + HEADER_SIZE;
    }
    const behind = this.#keep(bytes, from, to, HEADER_SIZE);
    const kept = this.#kept;
    if (this.#keptLength < HEADER_SIZE || kept === undefined) return behind;
    this.#forget();
    this.#begin(kept, 0);
    return behind;
  }

  /** A frame header is complete. */
  #begin(bytes: Buffer, at: number): void {
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    this.#type = bytes[at + 3] ?? 0;
    this.#flags = bytes[at + 4] ?? 0;
    this.#stream = readWord31(bytes, at + 5);
    this.#left = length;
    this.#padding = 0;
    const code = this.#judge(length);
    if (code !== ErrorCode.NO_ERROR) {
      this.#fail(code, `${errorOf(code)} of a frame of type ${this.#type}, ${length} bytes, on stream ${this.#stream}`);
      return;
    }
    this.#first = false;
    if (this.#type === FrameType.DATA) this.#beginData(length);
    else this.#beginPayload(length);
  }

  #beginPayload(length: number): void {
    const wanted = this.#isWanted(length);
    this.#state = length === 0 ? "header" : wanted ? "payload" : "skip";
    if (length > 0 && this.#type === FrameType.HEADERS) this.#sink.onBlockBegun();
    if (length === 0 && wanted) this.#dispatch(NOTHING, 0, 0);
  }

  /** What a frame header is wrong for; NO_ERROR where it is not. */
  #judge(length: number): ErrorCode {
    const type = this.#type;
    if (length > MAX_FRAME) return this.#first ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FRAME_SIZE_ERROR;
    if (this.#first && (type !== FrameType.SETTINGS || (this.#flags & Flag.ACK) !== 0)) return ErrorCode.PROTOCOL_ERROR;
    const inBlock = this.#block !== undefined;
    if (inBlock !== (type === FrameType.CONTINUATION)) return ErrorCode.PROTOCOL_ERROR;
    if (inBlock && this.#stream !== this.#facts.stream) return ErrorCode.PROTOCOL_ERROR;
    return isMisplaced(type, this.#stream) ? ErrorCode.PROTOCOL_ERROR : judgeSize(type, this.#flags, length);
  }

  /** Whether the payload must be read; unknown types are ignored (RFC 9113 section 5.5). */
  #isWanted(length: number): boolean {
    if (this.#type === FrameType.PRIORITY_UPDATE) return length <= MAX_PRIORITY_UPDATE;
    return this.#type <= FrameType.CONTINUATION;
  }

  #beginData(length: number): void {
    this.#state = (this.#flags & Flag.PADDED) !== 0 ? "pad" : "data";
    this.#sink.onDataBegin(this.#stream, length, (this.#flags & Flag.END_STREAM) !== 0);
    if (length === 0 && this.#state === "data") this.#endData();
  }

  #readPad(bytes: Buffer, at: number): number {
    this.#padding = bytes[at] ?? 0;
    this.#left--;
    if (this.#padding > this.#left) {
      this.#fail(ErrorCode.PROTOCOL_ERROR, `padding longer than its DATA frame on stream ${this.#stream}`);
      return at + 1;
    }
    this.#state = "data";
    this.#sink.onDataPadding(1 + this.#padding);
    if (this.#left === 0 && this.#state === "data") this.#endData();
    return at + 1;
  }

  #readData(bytes: Buffer, from: number, to: number): number {
    const content = Math.min(to - from, this.#left - this.#padding);
    const count = Math.min(to - from, this.#left);
    this.#left -= count;
    if (this.#left < this.#padding) this.#padding = this.#left;
    if (content > 0) this.#sink.onDataPiece(bytes, from, from + content);
    if (this.#left === 0 && this.#state === "data") this.#endData();
    return from + count;
  }

  #endData(): void {
    this.#state = "header";
    this.#sink.onDataEnd();
  }

  #skip(from: number, to: number): number {
    const count = Math.min(to - from, this.#left);
    this.#left -= count;
    if (this.#left === 0) this.#state = "header";
    return from + count;
  }

  #readPayload(bytes: Buffer, from: number, to: number): number {
    const whole = this.#type === FrameType.GOAWAY ? GOAWAY_SIZE : this.#left;
    if (this.#keptLength === 0 && to - from >= whole) {
      this.#endPayload(whole);
      this.#dispatch(bytes, from, from + whole);
      return from + whole;
    }
    const behind = this.#keep(bytes, from, to, whole);
    const kept = this.#kept;
    if (this.#keptLength < whole || kept === undefined) return behind;
    this.#forget();
    this.#endPayload(whole);
    this.#dispatch(kept, 0, whole);
    return behind;
  }

  #endPayload(whole: number): void {
    this.#left -= whole;
    this.#state = this.#left > 0 ? "skip" : "header";
  }

  #dispatch(bytes: Buffer, from: number, to: number): void {
    if (this.#type === FrameType.HEADERS) this.#readHeaders(bytes, from, to);
    else if (this.#type === FrameType.CONTINUATION) this.#continue(bytes, from, to);
    else {
      payload.bytes = bytes;
      payload.from = from;
      payload.to = to;
      this.#sink.onControl(this.#type, this.#flags, this.#stream, payload);
    }
  }

  #readHeaders(bytes: Buffer, start: number, end: number): void {
    let from = start;
    let to = end;
    const facts = this.#facts;
    if ((this.#flags & Flag.PADDED) !== 0) to -= bytes[from++] ?? 0;
    facts.stream = this.#stream;
    facts.endStream = (this.#flags & Flag.END_STREAM) !== 0;
    facts.selfDependent = false;
    if ((this.#flags & Flag.PRIORITY) !== 0) {
      facts.selfDependent = readWord31(bytes, from) === this.#stream;
      from += 5;
    }
    if (to < from)
      this.#fail(ErrorCode.PROTOCOL_ERROR, `padding longer than its HEADERS frame on stream ${this.#stream}`);
    else if ((this.#flags & Flag.END_HEADERS) !== 0) this.#sink.onBlock(facts, bytes, from, to);
    else {
      this.#block = new BlockFragments(bytes, from, to);
      this.#sink.onBlockBegun();
    }
  }

  #continue(bytes: Buffer, from: number, to: number): void {
    const block = this.#block;
    const { bytes: most, frames } = this.#limits;
    if (block === undefined || !block.append(bytes, from, to, this.#limits)) {
      this.#fail(
        ErrorCode.ENHANCE_YOUR_CALM,
        `a header block of more than ${most} bytes or ${frames} CONTINUATION frames`,
      );
      return;
    }
    if ((this.#flags & Flag.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#sink.onBlock(this.#facts, block.bytes, 0, block.length);
  }

  /** Keeps what came of the next `whole` bytes; the memory grows with what came, not with what was announced. */
  #keep(bytes: Buffer, from: number, to: number, whole: number): number {
    const count = Math.min(whole - this.#keptLength, to - from);
    const length = this.#keptLength + count;
    let kept = this.#kept;
    if (kept === undefined || kept.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(whole, Math.max(64, 2 * length)));
      kept?.copy(grown, 0, 0, this.#keptLength);
      kept = this.#kept = grown;
    }
    bytes.copy(kept, this.#keptLength, from, from + count);
    this.#keptLength = length;
    return from + count;
  }

  #forget(): void {
    this.#kept = undefined;
    this.#keptLength = 0;
  }

  #fail(code: ErrorCode, detail: string): void {
    this.stop();
    this.#sink.fail(code, detail);
  }
}

function errorOf(code: ErrorCode): string {
  return code === ErrorCode.FRAME_SIZE_ERROR ? "wrong size" : "wrong place";
}
