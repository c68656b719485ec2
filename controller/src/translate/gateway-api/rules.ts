/** Rules of HTTPRoutes, and what those of GRPCRoutes share with them. */
import type { RetryPolicy } from "@sallyport/model/retry";
import type { HttpRule, WeightedBackend } from "@sallyport/model/route";
import type { HTTPRouteBackendRef, HTTPRouteFilter, HTTPRouteRule } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { translateBackends } from "./backends.ts";
import { toUnsupported } from "./filter-outcome.ts";
import { translateFilters } from "./filters.ts";
import { translateMatches, type TranslatedMatches } from "./matches.ts";
import { translateRetry } from "./retry.ts";
import type { RouteContext } from "./route-context.ts";
import { type RuleTimeouts, translateTimeouts } from "./timeouts.ts";

/** A rule, or what is left of it. */
export interface TranslatedRule {
  readonly index: number;
  /** Absent where its matches cannot be understood. */
  readonly rule?: HttpRule;
  /** Why it is not done as written. */
  readonly flaws: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved: readonly Flaw[];
}

/** What rules of HTTPRoutes and GRPCRoutes have in common. */
export interface CommonRule {
  readonly name?: string;
  readonly filters?: readonly HTTPRouteFilter[];
  readonly backendRefs?: readonly HTTPRouteBackendRef[];
  readonly sessionPersistence?: object;
}

/** What a kind of route says of a rule by itself. */
export interface RuleParts {
  readonly index: number;
  readonly matches: TranslatedMatches;
  /** As in RulePlace. */
  readonly hasPrefix: boolean;
  readonly timeouts: RuleTimeouts;
  readonly retry?: RetryPolicy;
  /** What else of it cannot be done. */
  readonly flaws: readonly Flaw[];
}

/** Translates one rule of an HTTPRoute. */
export function translateRule(context: RouteContext, rule: HTTPRouteRule, index: number): TranslatedRule {
  const path = `spec.rules[${index}]`;
  const timeouts = translateTimeouts(rule.timeouts ?? {}, `${path}.timeouts`);
  const retry = translateRetry(rule.retry, `${path}.retry`);
  return assembleRule(context, rule, {
    index,
    matches: translateMatches(rule.matches, path),
    hasPrefix: rule.matches.every((match) => match.path.type === "PathPrefix"),
    timeouts: timeouts.timeouts,
    ...(retry.retry === undefined ? {} : { retry: retry.retry }),
    flaws: [...timeouts.flaws, ...retry.flaws],
  });
}

/**
 * Makes one rule of its parts. One that cannot be done as written is not done in part: its matches stay and answer 500. Left
 * out, its requests would fall to a broader rule, past whatever the filter or limit was there for. Only a rule whose matches
 * are not understood is left out: nobody knows what to answer with 500.
 */
export function assembleRule(context: RouteContext, rule: CommonRule, parts: RuleParts): TranslatedRule {
  const { index, matches, timeouts, hasPrefix } = parts;
  const place = { path: `spec.rules[${index}]`, hasPrefix };
  const filters = translateFilters(context, rule.filters ?? [], place);
  const backends = translateBackends(context, rule.backendRefs ?? [], place);
  const otherFlaws = [...filters.flaws, ...backends.flaws, ...parts.flaws, ...findUnsupported(rule, place.path)];
  const result = {
    index,
    flaws: [...matches.flaws, ...otherFlaws],
    unresolved: [...filters.unresolved, ...backends.unresolved],
  };
  if (matches.flaws.length > 0) return result;
  const blocked = otherFlaws[0]?.reason ?? filters.blocked;
  const translated: HttpRule = {
    ...(rule.name === undefined ? {} : { name: rule.name }),
    matches: [...matches.matches],
    policies: blocked === undefined ? [...filters.policies] : [],
    backends: blocked === undefined ? [...backends.backends] : [toBlockedBackend(blocked)],
    ...(blocked === undefined ? timeouts : {}),
    ...(blocked === undefined && parts.retry !== undefined ? { retry: parts.retry } : {}),
  };
  return { ...result, rule: translated };
}

function toBlockedBackend(reason: string): WeightedBackend {
  return { kind: "invalid", reason, weight: 1 };
}

function findUnsupported(rule: CommonRule, path: string): Flaw[] {
  if (rule.sessionPersistence === undefined) return [];
  return [toUnsupported(`${path}.sessionPersistence`, "session persistence is not supported yet")];
}
