/**
 * Request ids: unique, cheap, and shaped as a UUID of version 8 (RFC 9562 section 5.8): 52 random bits per thread and a
 * counter. They name a request in logs; they are no secret and nothing may depend on their being hard to guess.
 */
import { randomBytes } from "node:crypto";
import { flatten } from "./flat-string.ts";

const NAME = "x-request-id: ";
/** The last three digits come from a table, the rest is made anew every 4096 ids. */
const DIGITS = Array.from({ length: 4096 }, (_, i) => i.toString(16).padStart(3, "0"));
const ENDINGS = DIGITS.map((digits) => `${digits}\r\n\r\n`);

/** Makes the ids of one thread. */
export class RequestIds {
  /** The id in the last line that was made, in two pieces: the first is the same for 4096 of them, the second has three digits. */
  stem = "";
  end = "";
  readonly #random: string;
  #beginning = "";
  #count = 0;

  /** `random`: 9 bytes, from a strong source outside tests. */
  constructor(random: Buffer = randomBytes(9)) {
    const hex = random.toString("hex");
    this.#random = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15, 18)}-`;
  }

  /** The next id as the last line of a head, with the empty line behind it: the form in which nearly all are used. */
  nextLine(): string {
    const count = this.#count++;
    const low = count & 4095;
    if (low === 0) {
      this.stem = flatten(this.#random + ((count / 4096) % 2 ** 36).toString(16).padStart(9, "0"));
      this.#beginning = flatten(NAME + this.stem);
    }
    this.end = DIGITS[low] ?? "";
    return this.#beginning + (ENDINGS[low] ?? "");
  }
}
