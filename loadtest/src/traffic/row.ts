// A row of the traffic measurements: what it shows, and what came out.
import type { Bench } from "../bench.ts";
import type { SallyportForm } from "../peers/sallyport.ts";

/** What a row is measured with. */
export interface Stage {
  readonly bench: Bench;
  readonly form: SallyportForm;
  /** Shorter times, for every change; the full ones are for a release. */
  readonly quick: boolean;
}

/** One figure and what it must be. */
export interface Figure {
  readonly what: string;
  readonly must: string;
  readonly value: string;
  readonly isMet: boolean;
  /** It depends on how busy the machine is: a quick run prints it and does not judge it. */
  readonly isTimed?: true;
}

/** A measurement that yields some figures. */
export interface Row {
  readonly name: string;
  readonly title: string;
  run(stage: Stage): Promise<readonly Figure[]>;
}

/** A figure that must be at most so much. */
export function atMost(what: string, value: number, must: number, unit = ""): Figure {
  const digits = Number.isInteger(value) && Number.isInteger(must) ? 0 : 2;
  const write = (number: number): string => `${number.toFixed(digits)}${unit}`;
  return { what, must: `<= ${write(must)}`, value: write(value), isMet: value <= must };
}

/** A figure that depends on how busy the machine is. */
export function timed(figure: Figure): Figure {
  return { ...figure, isTimed: true };
}

/** Something that is so, or not. */
export function holds(what: string, value: string, isMet: boolean): Figure {
  return { what, must: "holds", value, isMet };
}
