/** The seam to whoever keeps the keys that session tickets are made with. */

/** Keys that all threads share. */
export interface SessionKeys {
  /** Those in force; the version changes with them. Bytes are valid until the next call. */
  read(): { readonly version: number; readonly bytes: Uint8Array };
}
