/** What one filter of a route comes to. */
import type { Policy } from "@sallyport/model/policy";
import type { HTTPRouteFilter } from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import type { RouteContext, RulePlace } from "./route-context.ts";

/** A policy or none, and what is wrong. */
export interface FilterOutcome {
  readonly policy?: Policy;
  /** Why the rule cannot be accepted. */
  readonly flaws?: readonly Flaw[];
  /** References that lead nowhere. */
  readonly unresolved?: readonly Flaw[];
  /** The reason why requests must get an error instead of passing without this filter. */
  readonly blocked?: string;
}

/** Translates one kind of filter. The place has the path of the filter. */
export type TranslateFilter = (context: RouteContext, filter: HTTPRouteFilter, place: RulePlace) => FilterOutcome;

/** The outcome of a filter that cannot be done as written. */
export function refuseFilter(...flaws: readonly Flaw[]): FilterOutcome {
  return { flaws };
}

/** A flaw that makes the rule unsupported. */
export function toUnsupported(path: string, message: string, hint?: string): Flaw {
  const base: Flaw = { reason: "UnsupportedValue", code: "unsupported-value", path, message };
  return hint === undefined ? base : { ...base, hint };
}

/** The outcome of a filter whose own field is missing; the API server lets none pass. */
export function refuseEmpty({ path }: RulePlace, field: string): FilterOutcome {
  return refuseFilter(toUnsupported(`${path}.${field}`, `a filter of this type needs ${field}`));
}
