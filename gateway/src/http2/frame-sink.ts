/** The seam between the frame reader and a connection. */
import type { BlockFacts } from "./frame-reader.ts";
import type { ErrorCode } from "./frames.ts";

/** What frames mean is the connection's to say. Every call may end it: then the reader was stopped. */
export interface FrameSink {
  /** The first bytes of a header block came; its HEADERS frame, or CONTINUATION, is still to come. */
  onBlockBegun(): void;
  /** A complete header block bytes[from, to). `selfDependent`: its priority depends on itself (RFC 7540 section 5.3.1). */
  onBlock(block: BlockFacts, bytes: Buffer, from: number, to: number): void;
  /** A DATA frame begins; `length` counts against the windows, `overhead` of it is padding. */
  onDataBegin(stream: number, length: number, endStream: boolean): void;
  /** Content of the DATA frame that began last. */
  onDataPiece(bytes: Buffer, from: number, to: number): void;
  /** So many bytes of it were padding. */
  onDataPadding(count: number): void;
  onDataEnd(): void;
  /** Any other frame of a known type: its payload bytes[from, to). */
  onControl(type: number, flags: number, stream: number, payload: Payload): void;
  /** The connection cannot go on. */
  fail(code: ErrorCode, detail: string): void;
}

/** Payload of a frame; valid during the call. One object, used again. */
export interface Payload {
  bytes: Buffer;
  from: number;
  to: number;
}
