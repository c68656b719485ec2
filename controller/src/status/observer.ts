/** Who counts what the writer of statuses does. */

/** Called once for each outcome. */
export interface StatusObserver {
  /** A status is written, so many milliseconds after it was wanted for the first time. */
  written(kind: string, millis: number): void;
  /** The object had changed, or was gone: the next world decides. */
  conflicted(kind: string): void;
  /** The API server did not take it. */
  failed(kind: string): void;
  /** Another controller overwrites what we write; the writer slows down. */
  rivaled(kind: string): void;
}
