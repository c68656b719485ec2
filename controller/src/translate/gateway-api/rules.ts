/** Rules of HTTPRoutes, and what those of GRPCRoutes share with them. */
import type { HttpRule, WeightedBackend } from "@sallyport/model/route";
import type {
  HTTPRouteBackendRef,
  HTTPRouteFilter,
  HTTPRouteRule,
  HTTPRouteSessionPersistence,
} from "../../kube/generated/types/http-route.ts";
import type { Flaw } from "../flaw.ts";
import { findHolder } from "../policy/attachment.ts";
import { toLayers } from "../traffic/policies.ts";
import { translateSession } from "../traffic/repetition.ts";
import { insertContents, type OwnRuleParts, shapeRule, type ShapedRule, toCallContents } from "../traffic/rule.ts";
import type { SessionSettings } from "../traffic/settings.ts";
import { ValueReader } from "../traffic/values.ts";
import { type TranslatedBackends, translateBackends } from "./backends.ts";
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
  readonly sessionPersistence?: HTTPRouteSessionPersistence;
}

/** What a kind of route says of a rule by itself. */
export interface RuleParts {
  readonly index: number;
  readonly matches: TranslatedMatches;
  /** As in RulePlace. */
  readonly hasPrefix: boolean;
  /** What it says that policies could say. */
  readonly own: Pick<OwnRuleParts, "timeouts" | "retry">;
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
    own: {
      ...toOwnTimeouts(rule, timeouts.timeouts),
      ...(retry.retry === undefined ? {} : { retry: retry.retry }),
    },
    flaws: [...timeouts.flaws, ...retry.flaws],
  });
}

/** Timeouts of a rule; one that it switches off is not for a policy to switch on. */
function toOwnTimeouts(
  { timeouts = {} }: HTTPRouteRule,
  { requestTimeout = 0, backendTimeout = 0 }: RuleTimeouts,
): Pick<OwnRuleParts, "timeouts"> {
  const { request, backendRequest } = timeouts;
  if (request === undefined && backendRequest === undefined) return {};
  return { timeouts: { requestTimeout, backendTimeout: backendRequest === undefined ? undefined : backendTimeout } };
}

/**
 * Makes one rule of its parts. One that cannot be done as written is not done in part: its matches stay and answer 500. Left
 * out, its requests would fall to a broader rule, past whatever the filter or limit was there for. Only a rule whose matches
 * are not understood is left out: nobody knows what to answer with 500.
 */
export function assembleRule(route: RouteContext, rule: CommonRule, parts: RuleParts): TranslatedRule {
  const { index, matches, hasPrefix } = parts;
  const context = toRuleContext(route, rule);
  const place = { path: `spec.rules[${index}]`, hasPrefix };
  const filters = translateFilters(context, rule.filters ?? [], place);
  const backends = translateBackends(context, rule.backendRefs ?? [], place);
  const session = translateOwnSession(rule, place.path);
  const otherFlaws = [...filters.flaws, ...backends.flaws, ...parts.flaws, ...session.flaws];
  const result = {
    index,
    flaws: [...matches.flaws, ...otherFlaws],
    unresolved: [...filters.unresolved, ...backends.unresolved],
  };
  if (matches.flaws.length > 0) return result;
  const named = { ...(rule.name === undefined ? {} : { name: rule.name }), matches: [...matches.matches] };
  const blocked = otherFlaws[0]?.reason ?? filters.blocked;
  if (blocked !== undefined)
    return { ...result, rule: { ...named, policies: [], backends: [toBlockedBackend(blocked)] } };
  const own = { ...parts.own, ...session.own };
  const shaped = shape(context, { rule, index, own }, backends);
  return {
    ...result,
    rule: {
      ...named,
      policies: insertContents(filters.policies, shaped.contents),
      backends: backends.backends.map((backend, at) => insertInBackend(backend, shaped.backendContents[at] ?? [])),
      ...shaped.extras,
    },
  };
}

/** Within a rule the policy of the rule counts before all others. */
function toRuleContext(context: RouteContext, { name }: CommonRule): RouteContext {
  const { route, scope, layers } = context;
  if (name === undefined) return context;
  const target = { group: route.group, kind: route.kind, name: context.name, sectionName: name };
  const own = toLayers([findHolder(scope.policies.own, route.namespace, target)]);
  return own.length === 0 ? context : { ...context, layers: { ...layers, above: [...own, ...layers.above] } };
}

function translateOwnSession(
  { sessionPersistence }: CommonRule,
  path: string,
): { readonly own: { readonly session?: SessionSettings }; readonly flaws: readonly Flaw[] } {
  if (sessionPersistence === undefined) return { own: {}, flaws: [] };
  const read = new ValueReader();
  const session = translateSession(sessionPersistence, `${path}.sessionPersistence`, read).rule?.session;
  const flaws = read.flaws.map((flaw) => ({ ...flaw, reason: "UnsupportedValue" }));
  return { own: session === undefined ? {} : { session }, flaws };
}

/** What traffic policies make of the rule; what they do to contents is done to requests only where they are calls. */
function shape(
  { route, name, layers, scope }: RouteContext,
  { rule, index, own }: { readonly rule: CommonRule; readonly index: number; readonly own: Partial<OwnRuleParts> },
  { traffic }: TranslatedBackends,
): ShapedRule {
  const owner = `${route.kind} ${route.namespace}/${name}`;
  const shaped = shapeRule(layers, traffic, { ...own, owner, ruleId: `${owner} ${rule.name ?? index}` });
  scope.note(shaped.fates);
  if (route.kind !== "GRPCRoute") return shaped;
  const { contents, backendContents } = shaped;
  return { ...shaped, contents: toCallContents(contents), backendContents: backendContents.map(toCallContents) };
}

function insertInBackend(backend: WeightedBackend, contents: ShapedRule["contents"]): WeightedBackend {
  if (backend.kind === "invalid" || contents.length === 0) return backend;
  return { ...backend, policies: insertContents(backend.policies, contents) };
}

function toBlockedBackend(reason: string): WeightedBackend {
  return { kind: "invalid", reason, weight: 1 };
}
