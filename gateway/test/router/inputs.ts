/** Requests as the router sees them, and matches that may win them, for tests. */
import type { HttpMatch } from "@sallyport/model/match";
import type { Candidate } from "../../src/router/candidate.ts";
import { compileConditions } from "../../src/router/conditions.ts";
import type { CompiledListener, RouteInput } from "../../src/router/contract.ts";
import { compilePattern } from "../../src/router/pattern.ts";
import { type MatchPlace, toMatchRank, toPathValue } from "../../src/router/precedence.ts";

/** What a test says of a request; the rest is plain. */
export interface InputOptions {
  readonly method?: string;
  readonly host?: string;
  /** With query. */
  readonly path?: string;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request. */
export function toInput(options: InputOptions = {}): RouteInput {
  const [routePath = "", ...rest] = (options.path ?? "/").split("?");
  return {
    method: options.method ?? "GET",
    host: options.host ?? "example.com",
    routePath,
    routeQuery: rest.join("?"),
    header: (name) => options.headers?.[name],
  };
}

/** A match of the path alone, unless said otherwise. */
export function toMatch(path: HttpMatch["path"], others: Partial<Omit<HttpMatch, "path">> = {}): HttpMatch {
  return { path, headers: [], query: [], ...others };
}

/** A candidate that wins where this match does; its result is told by identity. */
export function toCandidate(match: HttpMatch, place: Partial<MatchPlace> = {}): Candidate {
  const rank = toMatchRank(match, { age: "", routeKey: "ns/route", ruleIndex: 0, matchIndex: 0, ...place });
  return {
    rank,
    path: toPathValue(match.path),
    matchesPath: match.path.kind === "regex" ? compilePattern(match.path.value) : undefined,
    accepts: compileConditions(match),
    result: { listener: LISTENER, rule: undefined, matchedPrefix: undefined, cacheable: true },
  };
}

const LISTENER = { key: "ns/gateway/http" } as CompiledListener;
