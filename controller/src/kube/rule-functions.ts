/**
 * What the generated validators call: the functions of the CEL standard library and its Kubernetes extensions that the
 * rules of our kinds use, and patterns that cannot be made slow. The generator refuses a rule that needs more than this.
 */
import { isIP } from "node:net";

/** A rule could not be evaluated, e.g. because it reads a field that is absent. Counts as a violated rule. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

/** A compiled pattern. */
export interface Pattern {
  /** Whether the pattern is found in the text; false for a text no field may be as long as. */
  test(text: string): boolean;
}

/**
 * A pattern compiled on first use, which no text longer than `longest` UTF-16 units matches. Some patterns take quadratic
 * time or worse; that must not be spent on what is refused as too long anyway.
 */
export function boundedPattern(source: string, flags: string, longest: number): Pattern {
  let compiled: RegExp | undefined;
  return {
    test(text) {
      if (text.length > longest) return false;
      compiled ??= new RegExp(source, flags);
      return compiled.test(text);
    },
  };
}

/** Adds the errors of a part to those found before. In place: copying made a long list of errors take quadratic time. */
export function appendErrors<T>(errors: T[] | null, more: readonly T[]): T[] {
  if (errors === null) return [...more];
  for (const error of more) errors.push(error);
  return errors;
}

/** Length of a text in Unicode code points. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    if (isHighSurrogate(text.charCodeAt(index)) && isLowSurrogate(text.charCodeAt(index + 1))) {
      length--;
      index++;
    }
  }
  return length;
}

/** Field selection of a field that may be absent. */
export function field<T extends object, K extends keyof T>(value: T, name: K): NonNullable<T[K]> {
  const found = value[name];
  if (found === undefined || found === null) throw new RuleError(`no such key: ${String(name)}`);
  return found;
}

/** `list[index]`. */
export function element<T>(list: readonly T[], index: number): NonNullable<T> {
  const found = list[index];
  if (found === undefined || found === null) throw new RuleError(`index out of range: ${index}`);
  return found;
}

/** `left || right`, where an error of one side does not matter if the other is true. */
export function either(left: () => boolean, right: () => boolean): boolean {
  let failure: RuleError | undefined;
  try {
    if (left()) return true;
  } catch (error) {
    failure = toRuleError(error);
  }
  if (right()) return true;
  if (failure !== undefined) throw failure;
  return false;
}

/** `left && right`, where an error of one side does not matter if the other is false. */
export function both(left: () => boolean, right: () => boolean): boolean {
  return !either(
    () => !left(),
    () => !right(),
  );
}

/** `list.exists(item, test)`: an error matters only if no item passes. */
export function some<T>(list: readonly T[], test: (item: T) => boolean): boolean {
  let failure: RuleError | undefined;
  for (const item of list) {
    try {
      if (test(item)) return true;
    } catch (error) {
      failure = toRuleError(error);
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

/** `list.all(item, test)`: an error matters only if no item fails. */
export function every<T>(list: readonly T[], test: (item: T) => boolean): boolean {
  return !some(list, (item) => !test(item));
}

/** `list.exists_one(item, test)`. */
export function existsOne<T>(list: readonly T[], test: (item: T) => boolean): boolean {
  let count = 0;
  for (const item of list) if (test(item)) count++;
  return count === 1;
}

/** `text.substring(from)`, counted in code points. */
export function substring(text: string, from: number): string {
  const characters = Array.from(text);
  if (from < 0 || from > characters.length) throw new RuleError(`index out of range: ${from}`);
  return characters.slice(from).join("");
}

/** The receiver of a text's method where it may be a number. */
export function textOf(value: number | string): string {
  if (typeof value !== "string") throw new RuleError("a number has no such method");
  return value;
}

/** Less than 0, 0 or more than 0 as the first text comes before, is, or comes after the second by code points. */
export function compareTexts(first: string, second: string): number {
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}

const durationUnits: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `duration(text)` in milliseconds, for the durations of the Gateway API (GEP-2257). */
export function duration(text: string): number {
  if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(text)) throw new RuleError(`invalid duration: ${text}`);
  let total = 0;
  for (const part of text.matchAll(/(\d+)(h|ms|m|s)/g)) total += Number(part[1]) * (durationUnits[part[2] ?? ""] ?? 0);
  return total;
}

/** `isIP(text)`: an IPv4 or IPv6 address without zone, and none of IPv4 in the form of IPv6 (`::ffff:192.0.2.1`). */
export function isIpAddress(text: string): boolean {
  const version = isIP(text);
  if (version !== 6) return version === 4;
  return !text.includes("%") && !mappedAddress.test(new URL(`http://[${text}]`).hostname);
}

/** What the canonical form of an IPv4-mapped address (RFC 4291 section 2.5.5.2) looks like in a URL. */
const mappedAddress = /^\[::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}\]$/;

/** Whether the text is an IPv4 address. */
export function isIpv4Address(text: string): boolean {
  return isIP(text) === 4;
}

/** Whether the text is an IPv6 address without zone. */
export function isIpv6Address(text: string): boolean {
  return isIP(text) === 6 && !text.includes("%");
}

/** `isCIDR(text)`: an address and the length of a prefix, as `10.0.0.0/8`. */
export function isAddressBlock(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !isIpAddress(address) || !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return false;
  return Number(length) <= (isIP(address) === 4 ? 32 : 128);
}

/** Only what CEL calls an error may be held back; anything else is a bug of ours. */
function toRuleError(error: unknown): RuleError {
  if (error instanceof RuleError) return error;
  throw error;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
