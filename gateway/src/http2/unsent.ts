/** What is left of a piece of a body that windows or output did not let go: its memory is held, or it is a copy. */
import type { BodyLease } from "../exchange/contract.ts";

/** Memory that nothing else will be read into. */
export const OWNED: BodyLease = { hold: () => doNothing };

/** What is left of a piece: bytes[from, to). */
export interface Unsent {
  readonly bytes: Buffer;
  from: number;
  readonly to: number;
  /** Gives the lease back. */
  readonly release: () => void;
}

/** Holds the lease of bytes[from, to); copies them where there is none. */
export function toUnsent(bytes: Buffer, from: number, to: number, lease: BodyLease | undefined): Unsent {
  if (lease !== undefined) return { bytes, from, to, release: lease.hold() };
  return { bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from, release: doNothing };
}

/** What was left, and more, as a copy. */
export function joinUnsent(unsent: Unsent, more: Buffer): Unsent {
  const bytes = Buffer.concat([unsent.bytes.subarray(unsent.from, unsent.to), more]);
  unsent.release();
  return { bytes, from: 0, to: bytes.length, release: doNothing };
}

function doNothing(): void {
  // nothing to give back
}
