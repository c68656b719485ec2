/** Wall-clock time of exchanges for the access log, and the time formats of %START_TIME(...)%. */
import { TextPair } from "./text-parts.ts";

const MILLISECONDS: readonly string[] = Array.from({ length: 1000 }, (_, index) => String(index).padStart(3, "0"));
const ISO_ENDS: readonly string[] = MILLISECONDS.map((digits) => `${digits}Z`);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** Turns readings of performance.now() into times of day. */
export class WallClock {
  #offset = 0;
  #second = -1;
  #prefix = "";
  #milliseconds = -1;
  #iso = new TextPair("", "");

  constructor() {
    this.adjust();
  }

  /** Call now and then: the two clocks drift apart, and the wall clock may be set. */
  adjust(): void {
    this.#offset = Date.now() - performance.now();
  }

  /** Milliseconds since 1970. */
  toWall(monotonic: number): number {
    return Math.floor(monotonic + this.#offset);
  }

  /** As Date.toISOString. */
  toIso(monotonic: number): string {
    return String(this.toIsoPair(monotonic));
  }

  /** The same, at a fraction of its cost where calls fall into the same second: that, and what comes behind it. */
  toIsoPair(monotonic: number): TextPair {
    const milliseconds = this.toWall(monotonic);
    if (milliseconds === this.#milliseconds) return this.#iso;
    const second = Math.floor(milliseconds / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
    }
    this.#milliseconds = milliseconds;
    this.#iso = new TextPair(this.#prefix, ISO_ENDS[milliseconds - second * 1000] ?? "000Z");
    return this.#iso;
  }
}

const PARTS: Readonly<Record<string, (date: Date) => string>> = {
  "%Y": (date) => String(date.getUTCFullYear()),
  "%m": (date) => two(date.getUTCMonth() + 1),
  "%d": (date) => two(date.getUTCDate()),
  "%e": (date) => String(date.getUTCDate()).padStart(2, " "),
  "%b": (date) => MONTHS[date.getUTCMonth()] ?? "",
  "%H": (date) => two(date.getUTCHours()),
  "%M": (date) => two(date.getUTCMinutes()),
  "%S": (date) => two(date.getUTCSeconds()),
  "%F": (date) => date.toISOString().slice(0, 10),
  "%T": (date) => date.toISOString().slice(11, 19),
  "%z": () => "+0000",
  "%Z": () => "UTC",
  "%s": (date) => String(Math.floor(date.getTime() / 1000)),
  "%3f": (date) => MILLISECONDS[date.getUTCMilliseconds()] ?? "000",
  "%6f": (date) => `${MILLISECONDS[date.getUTCMilliseconds()] ?? "000"}000`,
  "%9f": (date) => `${MILLISECONDS[date.getUTCMilliseconds()] ?? "000"}000000`,
  "%f": (date) => `${MILLISECONDS[date.getUTCMilliseconds()] ?? "000"}000000`,
  "%%": () => "%",
};

/** Compiles a strftime format (UTC), or says which specifier it does not know. */
export function compileTimeFormat(format: string): ((milliseconds: number) => string) | { readonly unknown: string } {
  const parts: ((date: Date) => string)[] = [];
  for (const piece of format.match(/%[369]?.|[^%]+|%/gs) ?? []) {
    const part = piece.startsWith("%") ? PARTS[piece] : (): string => piece;
    if (part === undefined) return { unknown: piece };
    parts.push(part);
  }
  return (milliseconds) => {
    const date = new Date(milliseconds);
    return parts.map((part) => part(date)).join("");
  };
}

/** What compileTimeFormat knows. */
export const TIME_SPECIFIERS: readonly string[] = Object.keys(PARTS);

function two(value: number): string {
  return String(value).padStart(2, "0");
}
