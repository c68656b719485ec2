/** Where what speaks with the API server says what an operator needs. */

/** A constant message with fields. */
export interface ApiLog {
  /** Somebody must act soon. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Nobody must act. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
