/** Rules of an HTTPRoute. */
import type { HttpRule, WeightedBackend } from "@sallyport/model/route";
import type { HTTPRouteRule } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { translateBackends } from "./backends.ts";
import { toUnsupported } from "./filter-outcome.ts";
import { translateFilters } from "./filters.ts";
import { translateMatches } from "./matches.ts";
import type { RouteContext } from "./route-context.ts";
import { translateTimeouts } from "./timeouts.ts";

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

/**
 * Translates one rule. One that cannot be done as written is not done in part: its matches stay and answer 500. Left out,
 * its requests would fall to a broader rule, past whatever the filter or limit was there for. Only a rule whose matches are
 * not understood is left out: nobody knows what to answer with 500.
 */
export function translateRule(context: RouteContext, rule: HTTPRouteRule, index: number): TranslatedRule {
  const path = `spec.rules[${index}]`;
  const place = { path, hasPrefix: rule.matches.every((match) => match.path.type === "PathPrefix") };
  const matches = translateMatches(rule.matches, path);
  const filters = translateFilters(context, rule.filters ?? [], place);
  const backends = translateBackends(context, rule.backendRefs ?? [], place);
  const timeouts = translateTimeouts(rule.timeouts ?? {}, `${path}.timeouts`);
  const otherFlaws = [...filters.flaws, ...backends.flaws, ...timeouts.flaws, ...findUnsupported(rule, path)];
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
    ...(blocked === undefined ? timeouts.timeouts : {}),
  };
  return { ...result, rule: translated };
}

function toBlockedBackend(reason: string): WeightedBackend {
  return { kind: "invalid", reason, weight: 1 };
}

function findUnsupported(rule: HTTPRouteRule, path: string): Flaw[] {
  const flaws: Flaw[] = [];
  if (rule.retry !== undefined) flaws.push(toUnsupported(`${path}.retry`, "retries are not supported yet"));
  if (rule.sessionPersistence !== undefined) {
    flaws.push(toUnsupported(`${path}.sessionPersistence`, "session persistence is not supported yet"));
  }
  return flaws;
}
