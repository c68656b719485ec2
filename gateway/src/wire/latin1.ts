/**
 * Bytes to text and back, one byte a character. Node's Buffer has direct methods for this that are not documented but in
 * every version; they save a look-up of the encoding per call, which is a tenth of what parsing a head costs.
 */

declare global {
  interface Buffer {
    latin1Slice?(start: number, end: number): string;
    latin1Write?(text: string, offset: number): number;
  }
}

/** bytes[from, to) as latin1 text. */
export function toLatin1(bytes: Buffer, from: number, to: number): string {
  return bytes.latin1Slice === undefined ? bytes.toString("latin1", from, to) : bytes.latin1Slice(from, to);
}

/** Writes latin1 text at an offset; the bytes must have room. */
export function writeLatin1(bytes: Buffer, text: string, at: number): void {
  if (bytes.latin1Write === undefined) bytes.write(text, at, "latin1");
  else bytes.latin1Write(text, at);
}
