/**
 * Regular expressions of routes: RE2 syntax in linear time, anchored at both ends. A pattern that begins with literal text
 * first compares that, which costs a hundredth of running it.
 */
import { RE2JS } from "re2js";

/** Whether the whole text matches. */
export type MatchText = (text: string) => boolean;

/** Compiles a pattern; throws RE2JSException on one that findPatternFlaw of the model would refuse. */
export function compilePattern(pattern: string): MatchText {
  const expression = RE2JS.compile(pattern);
  const prefix = toLiteralPrefix(pattern);
  if (prefix === "") return (text) => expression.testExact(text);
  return (text) => text.startsWith(prefix) && expression.testExact(text);
}

/** Literal characters at the start: what is no operator, and escaped punctuation (`\d`, `\x` and `\Q` are no text). */
const LITERAL_START = /^\^?((?:[^$^.*+?()[\]{}|\\]|\\[!-/:-@[-`{-~])*)/;

/** Text that every match of the pattern begins with; may be shorter than the longest such text. */
export function toLiteralPrefix(pattern: string): string {
  if (hasAlternatives(pattern)) return "";
  const [start = "", literal = ""] = LITERAL_START.exec(pattern) ?? [];
  const characters = literal.match(/\\.|./gs) ?? [];
  const next = pattern[start.length];
  if (next === "*" || next === "?" || next === "{") characters.pop();
  const text = characters.map((character) => character.at(-1)).join("");
  return isWellFormed(text) ? text : "";
}

/** Half a surrogate pair is not what the expression compares with. */
function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}

/** Whether there may be a `|` outside all groups; quotations are not looked into. */
function hasAlternatives(pattern: string): boolean {
  if (!pattern.includes("|")) return false;
  if (pattern.includes("\\Q")) return true;
  let depth = 0;
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "[") at = skipClass(pattern, at);
    else if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "|" && depth === 0) return true;
    at++;
  }
  return false;
}

/** Index of the `]` that ends the class which begins at `start`. */
function skipClass(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === "^") at++;
  // A `]` in the first place stands for itself.
  if (pattern[at] === "]") at++;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) at = skipNamedClass(pattern, at);
    at++;
  }
  return at;
}

function skipNamedClass(pattern: string, start: number): number {
  const end = pattern.indexOf(":]", start + 2);
  return end === -1 ? start : end + 1;
}
