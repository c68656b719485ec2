/** The Secret kind as we keep it: values decoded, and unable to be printed by mistake. */
import { inspect } from "node:util";
import type { ObjectMeta } from "./generated/types/object-meta.ts";

const redacted = "[redacted]";

/** One value of a Secret. Printing, logging or serializing it shows `[redacted]`; `bytes` and `text` give the value. */
export class SecretValue {
  readonly #bytes: Uint8Array;

  /** Takes over `bytes`; the caller must not change them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** A copy of the value. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** The value as UTF-8 text; bytes that are none become U+FFFD. */
  text(): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).toString("utf8");
  }

  /** Whether both hold the same bytes. */
  equals(other: SecretValue): boolean {
    return Buffer.compare(this.#bytes, other.#bytes) === 0;
  }

  /** What JSON shows. */
  toJSON(): string {
    return redacted;
  }

  /** What string conversion shows. */
  toString(): string {
    return redacted;
  }

  /** What console.log and the debugger's inspection show. */
  [inspect.custom](): string {
    return redacted;
  }
}

/** Secret (v1) with `stringData` merged into `data`, all values decoded. */
export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: ObjectMeta;
  readonly type: string;
  readonly immutable?: boolean;
  readonly data: Readonly<Record<string, SecretValue>>;
}
