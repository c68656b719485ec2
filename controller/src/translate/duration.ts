/** Durations as the Gateway API writes them (GEP-2257). */

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a Gateway API duration such as `1h30m` or `500ms`; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, digits, unit = ""] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    milliseconds += Number(digits) * (UNITS[unit] ?? 0);
  }
  return milliseconds;
}
