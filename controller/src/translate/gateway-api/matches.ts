/** Matches of an HTTPRoute rule. */
import type { HttpMatch, PathMatch, ValueMatch } from "@sallyport/model/match";
import { findPatternFlaw } from "@sallyport/model/regex";
import type {
  HTTPRouteHeaderMatch,
  HTTPRouteMatch,
  HTTPRoutePathMatch,
} from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";

/** The matches of a rule, or why they cannot be understood. */
export interface TranslatedMatches {
  readonly matches: readonly HttpMatch[];
  readonly flaws: readonly Flaw[];
}

/** The match of every request. */
export const EVERYTHING: HttpMatch = { path: { kind: "prefix", value: "/" }, headers: [], query: [] };

/** The methods Gateway API knows; any other must be refused as a value of the future. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);

/** Translates the matches of a rule; a rule without any matches everything. `path` is that of the rule. */
export function translateMatches(matches: readonly HTTPRouteMatch[], path: string): TranslatedMatches {
  if (matches.length === 0) return { matches: [EVERYTHING], flaws: [] };
  const flaws: Flaw[] = [];
  const translated = matches.map((match, index) => translateMatch(match, `${path}.matches[${index}]`, flaws));
  return { matches: translated, flaws };
}

/** Conditions on headers, whose names have no case. `path` is that of the list. */
export function translateHeaderMatches(
  headers: readonly HTTPRouteHeaderMatch[],
  path: string,
  flaws: Flaw[],
): ValueMatch[] {
  const lower = headers.map((header) => ({ ...header, name: header.name.toLowerCase() }));
  return translateValues(lower, path, flaws);
}

function translateMatch(match: HTTPRouteMatch, path: string, flaws: Flaw[]): HttpMatch {
  const { method } = match;
  if (method !== undefined && !METHODS.has(method)) {
    flaws.push(toMatchFlaw(`${path}.method`, `the method ${String(method)} is not known`));
  }
  return {
    path: translatePath(match.path, `${path}.path`, flaws),
    ...(method === undefined ? {} : { method }),
    headers: translateHeaderMatches(match.headers ?? [], `${path}.headers`, flaws),
    query: translateValues(match.queryParams ?? [], `${path}.queryParams`, flaws),
  };
}

function translatePath({ type, value }: HTTPRoutePathMatch, path: string, flaws: Flaw[]): PathMatch {
  switch (type) {
    case "Exact":
      return { kind: "exact", value };
    case "PathPrefix":
      // "/shop/" and "/shop" ask for the same path elements and so must weigh the same in precedence.
      return { kind: "prefix", value: value.replace(/\/+$/, "") || "/" };
    case "RegularExpression":
      checkPattern(value, `${path}.value`, flaws);
      return { kind: "regex", value };
    default:
      flaws.push(toMatchFlaw(`${path}.type`, `the path match type ${String(type)} is not known`));
      return EVERYTHING.path;
  }
}

/** Of entries of one name only the first counts (Gateway API, HTTPHeaderMatch and HTTPQueryParamMatch). */
function translateValues(entries: readonly HTTPRouteHeaderMatch[], path: string, flaws: Flaw[]): ValueMatch[] {
  const values = new Map<string, ValueMatch>();
  for (const [index, { name, type, value }] of entries.entries()) {
    if (values.has(name)) continue;
    if (type === "RegularExpression") checkPattern(value, `${path}[${index}].value`, flaws);
    else if (type !== "Exact")
      flaws.push(toMatchFlaw(`${path}[${index}].type`, `the match type ${String(type)} is not known`));
    values.set(name, { name, kind: type === "RegularExpression" ? "regex" : "exact", value });
  }
  return [...values.values()];
}

/** Adds a flaw where the text is no regular expression. */
export function checkPattern(pattern: string, path: string, flaws: Flaw[]): void {
  const flaw = findPatternFlaw(pattern);
  if (flaw !== undefined) flaws.push({ ...toMatchFlaw(path, flaw), hint: "regular expressions have RE2 syntax" });
}

/** What is wrong with a match. */
export function toMatchFlaw(path: string, message: string): Flaw {
  return { reason: "UnsupportedValue", code: "unsupported-value", path, message };
}
