/** Encodes bodies that are short and whole. Coders of gzip are kept, one for each level in use, until nothing was encoded for a while. */
import type { ContentCoding } from "@sallyport/policies/filter";
import { Ticker } from "../time/ticker.ts";
import { Timed, type Wheel } from "../time/wheel.ts";
import { encodeOnce, openKeptGzip } from "./coders.ts";
import type { KeptGzip } from "./kept-gzip.ts";

/** Milliseconds that coders are kept with nothing to do. */
const KEPT = 10_000;

/** The coders of one thread. */
export class ShortBodies extends Timed {
  readonly #wheel: Wheel;
  /** By level. */
  readonly #coders = new Map<number, KeptGzip>();
  /** Until one shows that none can be kept. */
  #canKeep = true;

  constructor(wheel: Wheel) {
    super();
    this.#wheel = wheel;
  }

  /** How many coders there are. */
  get count(): number {
    return this.#coders.size;
  }

  /** Encodes a body of AT_ONCE bytes at most. */
  encode(coding: ContentCoding, body: Buffer): Buffer {
    return (coding.name === "gzip" ? this.#gzip(coding.level, body) : undefined) ?? encodeOnce(coding, body);
  }

  override onLate(): void {
    for (const coder of this.#coders.values()) coder.destroy();
    this.#coders.clear();
  }

  #gzip(level: number, body: Buffer): Buffer | undefined {
    if (!this.#canKeep) return undefined;
    let coder = this.#coders.get(level);
    if (coder === undefined) this.#coders.set(level, (coder = openKeptGzip(level)));
    this.#wheel.arm(this, KEPT);
    const encoded = coder.encode(body);
    if (encoded === undefined) {
      this.#canKeep = coder.isDirect;
      coder.destroy();
      this.#coders.delete(level);
    }
    return encoded;
  }
}

/** Of this thread. Its wheel turns only while there are coders. */
export const shortBodies = new ShortBodies(new Ticker(1000, 1));
