/** Sizes as Kubernetes writes quantities (resource.Quantity): `65536`, `64Ki`, `1.5M`, `1e6`. */

/** Powers of ten by suffix (decimal SI). */
const DECIMAL: Readonly<Record<string, bigint>> = {
  n: -9n,
  u: -6n,
  m: -3n,
  "": 0n,
  k: 3n,
  M: 6n,
  G: 9n,
  T: 12n,
  P: 15n,
  E: 18n,
};
/** Powers of two by suffix (binary SI). */
const BINARY: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/** A number, then a suffix or an exponent. Bounded, so that nobody can ask for a huge power. */
const GRAMMAR = /^([0-9]{0,19})(?:\.([0-9]{0,9}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,2}))?$/;

/**
 * Bytes of a quantity; a part of a byte counts as a whole one, as Kubernetes does it (Quantity.Value). Undefined for what is no
 * quantity, is negative, or is more than a number can hold exactly (8 PiB).
 */
export function parseQuantity(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const parts = GRAMMAR.exec(value);
  if (parts === null) return undefined;
  const [, whole = "", fraction = "", suffix = "", exponent = "0"] = parts;
  if (whole + fraction === "") return undefined;
  const power = BigInt(exponent) - BigInt(fraction.length);
  const bytes = scale(BigInt(whole + fraction), power, suffix);
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
}

/** digits * 10^power of the unit that the suffix stands for, rounded up. */
function scale(digits: bigint, power: bigint, suffix: string): bigint {
  const binary = digits * 2n ** (BINARY[suffix] ?? 0n);
  const decimal = power + (DECIMAL[suffix] ?? 0n);
  return decimal >= 0n ? binary * 10n ** decimal : divideUp(binary, 10n ** -decimal);
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
