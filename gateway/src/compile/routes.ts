/** Compiles a route: its rules with their filters and backends, and for every match what the router must know of it. */
import { RE2JSException } from "re2js";
import type { HttpMatch } from "@sallyport/model/match";
import type { Problem } from "@sallyport/model/problem";
import { fail, invariant, ok, type Result } from "@sallyport/model/result";
import type { HttpRoute, HttpRule, WeightedBackend } from "@sallyport/model/route";
import { clustersOf, pagesOf } from "@sallyport/model/validate";
import type { Policy } from "@sallyport/model/policy";
import type { Capabilities, Filter } from "@sallyport/policies/filter";
import { GRPC_WEB } from "@sallyport/policies/grpc-web";
import type { CompiledPage } from "@sallyport/policies/page";
import { compilePolicy } from "@sallyport/policies/registry";
import type { Candidate } from "../router/candidate.ts";
import { type AcceptRequest, compileConditions } from "../router/conditions.ts";
import type { CompiledBackend, CompiledListener, CompiledRule, StreamLimits } from "../router/contract.ts";
import { compileRetry } from "../retry/policy.ts";
import { compilePattern } from "../router/pattern.ts";
import { isAnyService, toCallRank, toMatchRank, toPathValue } from "../router/precedence.ts";
import { compileWeightedPick } from "../router/weighted-pick.ts";
import { compileSession, toCookiePath } from "./rule-sessions.ts";
import type { ClusterEntries, ClusterEntry } from "./clusters.ts";

/** What rules are compiled with. */
export interface RouteContext {
  readonly clusters: ClusterEntries;
  readonly capabilities: Omit<Capabilities, "page">;
  /** A page by key; undefined where there is none. */
  readonly page: (key: string) => CompiledPage | undefined;
}

/** A match with the rule it leads to, not yet on a listener. */
type Alternative = Omit<Candidate, "result"> & {
  readonly rule: CompiledRule;
  readonly matchedPrefix: string | undefined;
  readonly cookiePath: string | undefined;
};

/** A route, ready to be put on listeners. */
export interface CompiledRoute {
  readonly resource: HttpRoute;
  /** Clusters it must be compiled anew for. */
  readonly clusterKeys: ReadonlySet<string>;
  /** Pages that it must be compiled anew for. */
  readonly pageKeys: ReadonlySet<string>;
  readonly alternatives: readonly Alternative[];
}

/** Compiles a route. A cluster that it refers to and is not there answers 500 for its share; without its pages it is refused. */
export function compileRoute(resource: HttpRoute, context: RouteContext): Result<CompiledRoute, Problem> {
  const pageKeys = pagesOf(resource);
  for (const key of pageKeys) if (context.page(key) === undefined) return fail(toMissingPage(resource, key));
  const alternatives: Alternative[] = [];
  for (const [ruleIndex, rule] of resource.rules.entries()) {
    const compiled = compileRule(rule, { resource, ruleIndex, context });
    for (const [matchIndex, match] of toMatches(rule).entries()) {
      const place = { age: resource.age, routeKey: resource.key, ruleIndex, matchIndex };
      const matched = compileMatch(match);
      if (!matched.ok) return fail(toPatternProblem(resource, matched.error));
      const cookiePath = compiled.session === undefined ? undefined : toCookiePath(match);
      const alternative = { ...matched.value, rank: toMatchRank(match, place), rule: compiled, cookiePath };
      alternatives.push(isCalls(resource) && isAnyService(match.path) ? toAnyService(alternative) : alternative);
    }
  }
  return ok({ resource, clusterKeys: clustersOf(resource), pageKeys, alternatives });
}

/** What the router needs to find a route on a listener. */
export function toCandidates(route: CompiledRoute, listener: CompiledListener): Candidate[] {
  return route.alternatives.map(({ rank, path, matchesPath, accepts, rule, matchedPrefix, cookiePath }) => ({
    rank,
    path,
    matchesPath,
    accepts,
    result: { listener, rule, matchedPrefix, cookiePath, cacheable: true },
  }));
}

/** A rule without matches has no conditions (Gateway API: a prefix match of `/`). */
function toMatches(rule: HttpRule): readonly HttpMatch[] {
  return rule.matches.length > 0 ? rule.matches : [{ path: { kind: "prefix", value: "/" }, headers: [], query: [] }];
}

function compileMatch(
  match: HttpMatch,
): Result<Pick<Alternative, "path" | "matchesPath" | "accepts" | "matchedPrefix">, string> {
  const path = toPathValue(match.path);
  try {
    return ok({
      path,
      matchesPath: match.path.kind === "regex" ? compilePattern(path) : undefined,
      accepts: compileConditions(match),
      matchedPrefix: match.path.kind === "prefix" ? path : undefined,
    });
  } catch (error) {
    if (error instanceof RE2JSException) return fail(error.message);
    throw error;
  }
}

/** Whether its requests are gRPC calls. */
function isCalls({ key }: HttpRoute): boolean {
  return key.startsWith("GRPCRoute/");
}

/** A method of any service: for all paths, under the condition that the path is one of that method. */
function toAnyService(alternative: Alternative): Alternative {
  const { accepts, matchesPath, rank } = alternative;
  const matchesMethod: AcceptRequest = (input) => matchesPath?.(input.routePath) === true;
  return {
    ...alternative,
    rank: toCallRank(rank),
    path: "",
    matchesPath: undefined,
    accepts: accepts === undefined ? matchesMethod : (input) => accepts(input) && matchesMethod(input),
  };
}

/** Whoever made the snapshot should have refused the pattern; a rule left out would send its requests elsewhere. */
function toPatternProblem(resource: HttpRoute, reason: string): Problem {
  return {
    code: "invalid-value",
    severity: "error",
    message: `the route ${resource.key} has a regular expression that cannot be used: ${reason}`,
    hint: "expressions have RE2 syntax",
  };
}

/** As above: an answer that was to be replaced may say what nobody outside must see. */
function toMissingPage(resource: HttpRoute, key: string): Problem {
  return {
    code: "unresolved-reference",
    severity: "error",
    message: `the route ${resource.key} answers with the page ${key}, which the snapshot does not hold`,
  };
}

interface RulePlace {
  readonly resource: HttpRoute;
  readonly ruleIndex: number;
  readonly context: RouteContext;
}

function compileRule(rule: HttpRule, { resource, ruleIndex, context }: RulePlace): CompiledRule {
  const backends = rule.backends.map((backend) => ({
    value: compileBackend(backend, context),
    weight: backend.weight,
  }));
  const ruleName = rule.name ?? String(ruleIndex);
  const usable = backends.filter((backend) => backend.weight > 0);
  const session = compileSession(rule, backends);
  // a session may lead to another one
  const isOne = usable.length === 1 && (session === undefined || session.backends.size <= 1);
  return {
    routeKey: resource.key,
    ruleName,
    label: `${resource.key}/${ruleName}`,
    filters: isCalls(resource)
      ? [GRPC_WEB, ...compileFilters(rule.policies, context)]
      : compileFilters(rule.policies, context),
    single: isOne ? usable[0]?.value : undefined,
    pick: compileWeightedPick(backends) ?? (() => undefined),
    requestTimeout: rule.requestTimeout ?? 0,
    backendTimeout: rule.backendTimeout ?? 0,
    retry: compileRetry(rule.retry),
    limits: compileLimits(rule),
    session,
  };
}

function compileLimits({ streamIdleTimeout, maxDuration = 0 }: HttpRule): StreamLimits | undefined {
  if (streamIdleTimeout === undefined && maxDuration === 0) return undefined;
  return { idleTimeout: streamIdleTimeout, maxDuration };
}

function compileBackend(backend: WeightedBackend, context: RouteContext): CompiledBackend {
  if (backend.kind === "invalid") return { cluster: undefined, invalid: backend.reason, filters: NO_FILTERS };
  const entry = context.clusters.get(backend.cluster);
  if (entry === undefined) {
    return { cluster: undefined, invalid: `the cluster ${backend.cluster} is unknown`, filters: NO_FILTERS };
  }
  const filters = compileFilters(backend.policies, context);
  return filters === NO_FILTERS ? toPlainBackend(entry) : { ...toPlainBackend(entry), filters };
}

/** Shared by all rules: among thousands of routes every object of a rule's own is a cache miss for each request. */
const NO_FILTERS: readonly Filter[] = [];

function compileFilters(policies: readonly Policy[], context: RouteContext): readonly Filter[] {
  if (policies.length === 0) return NO_FILTERS;
  const { random, delay } = context.capabilities;
  return policies.map((policy) => compilePolicy(policy, { random, delay, page: (key) => getPage(context, key) }));
}

function getPage({ page }: RouteContext, key: string): CompiledPage {
  const found = page(key);
  invariant(found !== undefined, "the pages of a route were looked for before its rules are compiled");
  return found;
}

const plainBackends = new WeakMap<ClusterEntry, CompiledBackend>();

/** The backend without filters of a cluster; one for all rules, as NO_FILTERS is. */
function toPlainBackend(entry: ClusterEntry): CompiledBackend {
  const known = plainBackends.get(entry);
  if (known !== undefined) return known;
  const backend = { cluster: entry.cluster, invalid: entry.invalid, filters: NO_FILTERS };
  plainBackends.set(entry, backend);
  return backend;
}
