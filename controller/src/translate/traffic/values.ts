/** Values of policies: durations, sizes, shares and statuses, and what is said of those that are none. */
import type { Fraction } from "@sallyport/model/policy";
import type { StatusRange } from "@sallyport/model/traffic";
import { parseDuration } from "../duration.ts";
import type { Flaw } from "../flaw.ts";
import { parseQuantity } from "../quantity.ts";

/** Reads values of one policy and collects what is wrong with them. */
export class ValueReader {
  readonly flaws: Flaw[] = [];
  /** Kind, namespace and name of the policy: what is kept beside rules is named after it. */
  readonly owner: string;

  constructor(owner = "") {
    this.owner = owner;
  }

  /** Milliseconds of a duration; undefined where there is none, or it is no duration. */
  milliseconds(text: string | undefined, path: string): number | undefined {
    if (text === undefined) return undefined;
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined)
      this.refuse(path, `${JSON.stringify(text)} is no duration`, "write durations as 1h30m, 10s or 500ms");
    return milliseconds;
  }

  /** As `milliseconds`, for what must take some time. */
  span(text: string | undefined, path: string): number | undefined {
    const milliseconds = this.milliseconds(text, path);
    if (milliseconds !== 0) return milliseconds;
    this.refuse(path, "it must be longer than 0s");
    return undefined;
  }

  /** Bytes of a Kubernetes quantity (`65536`, `64Ki`, `1.5M`). */
  bytes(quantity: number | string | undefined, path: string): number | undefined {
    if (quantity === undefined) return undefined;
    const bytes = parseQuantity(quantity);
    if (bytes === undefined)
      this.refuse(path, `${JSON.stringify(quantity)} is no size`, "write sizes as 65536, 64Ki or 1M");
    return bytes;
  }

  /** As `bytes`, for windows of HTTP/2 (RFC 9113 section 6.9.1). */
  window(quantity: number | string | undefined, path: string): number | undefined {
    const bytes = this.bytes(quantity, path);
    if (bytes === undefined || (bytes >= 1 && bytes <= MOST_WINDOW)) return bytes;
    this.refuse(path, `a window has 1 to ${MOST_WINDOW} bytes`);
    return undefined;
  }

  /** Ranges of statuses (`404`, `500-599`). */
  statuses(texts: readonly (number | string)[], path: string): StatusRange[] {
    return texts.flatMap((text, index) => {
      const [from, to = from] = String(text).split("-").map(Number);
      if (from !== undefined && to !== undefined && from <= to) return [{ from, to }];
      this.refuse(`${path}[${index}]`, `${text} is no range of statuses`, "write 404, or the lower one first: 500-599");
      return [];
    });
  }

  /** Notes a value that cannot be used. */
  refuse(path: string, message: string, hint?: string): void {
    const base: Flaw = { reason: "Invalid", code: "invalid-value", path, message };
    this.flaws.push(hint === undefined ? base : { ...base, hint });
  }
}

const MOST_WINDOW = 2_147_483_647;

/** Shares are counted in millionths, so that percents keep four decimals. */
const DENOMINATOR = 1_000_000;

/** A share of requests from percents that may have decimals. */
export function toShare(percent: number): Fraction {
  return { numerator: Math.round((percent * DENOMINATOR) / 100), denominator: DENOMINATOR };
}
