/** The conditions of a match besides the path: method, header fields, query parameters. */
import type { HttpMatch, ValueMatch } from "@sallyport/model/match";
import type { RouteInput } from "./contract.ts";
import { compilePattern, type MatchText } from "./pattern.ts";
import { findQueryValue } from "./query.ts";

/** Whether a request satisfies all conditions of a match. */
export type AcceptRequest = (input: RouteInput) => boolean;

/** Compiles the conditions; undefined where there are none. */
export function compileConditions(match: HttpMatch): AcceptRequest | undefined {
  const checks: AcceptRequest[] = [];
  const { method } = match;
  if (method !== undefined) checks.push((input) => input.method === method);
  for (const condition of match.headers) checks.push(compileHeader(condition));
  for (const condition of match.query) checks.push(compileQuery(condition));
  const [first, second] = checks;
  if (second === undefined) return first;
  return (input) => {
    for (const check of checks) if (!check(input)) return false;
    return true;
  };
}

function compileHeader(condition: ValueMatch): AcceptRequest {
  const { name } = condition;
  const matches = compileValue(condition);
  return (input) => {
    const value = input.header(name);
    return value !== undefined && matches(value);
  };
}

function compileQuery(condition: ValueMatch): AcceptRequest {
  const { name } = condition;
  const matches = compileValue(condition);
  return (input) => {
    const value = findQueryValue(input.routeQuery, name);
    return value !== undefined && matches(value);
  };
}

function compileValue(condition: ValueMatch): MatchText {
  if (condition.kind === "regex") return compilePattern(condition.value);
  const { value } = condition;
  return (text) => text === value;
}
