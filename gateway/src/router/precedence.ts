/**
 * Which of several matches wins a request, as one total order over match summaries (Gateway API HTTPRouteRule, `matches`):
 * path kind, path length, method, header conditions, query conditions, then the older route, its namespace and name, then
 * the order inside the route.
 *
 * Where regular expressions stand is left to implementations: here between exact paths and prefixes, longer patterns first,
 * as in Envoy Gateway, Contour and nginx. Behind prefixes, a catch-all `/` would hide them all.
 */
import type { HttpMatch, PathMatch } from "@sallyport/model/match";

/** What the order looks at. `pathLength` is that of the value; of a prefix without its trailing slashes. */
export interface MatchRank {
  readonly pathKind: PathMatch["kind"];
  readonly pathLength: number;
  readonly hasMethod: boolean;
  /** Characters of the method of a gRPC call that is asked for in any service; 0 otherwise. */
  readonly callMethodLength: number;
  readonly headers: number;
  readonly query: number;
  /** As in HttpRoute. */
  readonly age: string;
  readonly routeKey: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/** Where in the configuration a match stands. */
export interface MatchPlace {
  readonly age: string;
  readonly routeKey: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/** The summary of a match. */
export function toMatchRank(match: HttpMatch, place: MatchPlace): MatchRank {
  return {
    pathKind: match.path.kind,
    pathLength: toPathValue(match.path).length,
    hasMethod: match.method !== undefined,
    callMethodLength: 0,
    headers: match.headers.length,
    query: match.query.length,
    ...place,
  };
}

/** The value of a path match; of a prefix without trailing slashes (`/a/` asks for the same as `/a`), so "" for `/`. */
export function toPathValue(path: PathMatch): string {
  if (path.kind !== "prefix") return path.value;
  let end = path.value.length;
  while (end > 0 && path.value.charCodeAt(end - 1) === 0x2f) end--;
  return path.value.slice(0, end);
}

/**
 * Gateway API, GRPCRouteRule `matches`: the length of the service comes before that of the method. A method of any service is a
 * pattern for the path, but so ranks behind every service, and before what asks for neither.
 */
export function toCallRank(rank: MatchRank): MatchRank {
  return { ...rank, pathKind: "prefix", pathLength: 0, callMethodLength: rank.pathLength - ANY_SERVICE.length };
}

/** Whether a path match of a GRPCRoute asks for a method of any service. */
export function isAnyService({ kind, value }: PathMatch): boolean {
  return kind === "regex" && value.startsWith(ANY_SERVICE);
}

/** What stands in such a pattern for any service. */
const ANY_SERVICE = "/[^/]+/";

const KIND_ORDER = { exact: 0, regex: 1, prefix: 2 } as const satisfies Record<PathMatch["kind"], number>;

/** Negative where `left` wins over `right`; 0 only for a match and itself. */
export function compareMatchRanks(left: MatchRank, right: MatchRank): number {
  return (
    KIND_ORDER[left.pathKind] - KIND_ORDER[right.pathKind] ||
    right.pathLength - left.pathLength ||
    right.callMethodLength - left.callMethodLength ||
    Number(right.hasMethod) - Number(left.hasMethod) ||
    right.headers - left.headers ||
    right.query - left.query ||
    comparePlaces(left, right)
  );
}

function comparePlaces(left: MatchPlace, right: MatchPlace): number {
  return (
    compareText(left.age, right.age) ||
    compareText(left.routeKey, right.routeKey) ||
    left.ruleIndex - right.ruleIndex ||
    left.matchIndex - right.matchIndex
  );
}

/** By code unit: locales must not decide where requests go. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
