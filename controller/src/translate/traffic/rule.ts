/** What traffic policies make of one rule: its limits and repetitions, and policies of its own and of its backends. */
import type { Policy } from "@sallyport/model/policy";
import type { RetryPolicy } from "@sallyport/model/retry";
import type { SessionPersistence } from "@sallyport/model/session";
import { digest } from "../digest.ts";
import type { FieldFate } from "../policy/attachment.ts";
import { type EffectiveTraffic, mergeTraffic } from "./effective.ts";
import type { BackendTraffic, SurroundingLayers } from "./scope.ts";
import type { ContentPolicy, RuleExtras, RuleTraffic, SessionSettings, TrafficField } from "./settings.ts";

/** What a rule says itself; it wins over every policy. */
export interface OwnRuleParts {
  /** Kind, namespace and name of the route. */
  readonly owner: string;
  /** Of the rule in its route: what a session is named after. */
  readonly ruleId: string;
  /** Milliseconds; 0 is no limit. Absent where the rule says nothing of timeouts. */
  readonly timeouts?: { readonly requestTimeout: number; readonly backendTimeout: number | undefined };
  readonly retry?: RetryPolicy;
  readonly session?: SessionSettings;
}

/** A rule as policies make it. */
export interface ShapedRule {
  readonly extras: RuleExtras;
  /** Before the rule's own filters, and before those of each backend, in the order of backends. */
  readonly contents: readonly ContentPolicy[];
  readonly backendContents: readonly (readonly ContentPolicy[])[];
  readonly fates: readonly FieldFate[];
}

/**
 * Shapes a rule. Its backends are given in order, undefined for those that take no requests. What only a rule can have is taken from
 * the first of them whose Service says it; what a backend can have by itself is each one's own, where they differ.
 */
export function shapeRule(
  { above, below }: SurroundingLayers,
  backends: readonly (BackendTraffic | undefined)[],
  own: OwnRuleParts,
): ShapedRule {
  const used = backends.filter((backend) => backend !== undefined);
  const services = used.flatMap(({ service }) => service);
  const common = mergeTraffic([...above, ...services, ...below]);
  const bare = used.length === 0 ? common : mergeTraffic([...above, ...below]);
  const contents = used.map(contentsOf);
  const [first = bare.rule.contents ?? []] = contents;
  const areAlike = contents.every((each) => JSON.stringify(each) === JSON.stringify(first));
  return {
    extras: toExtras(common.rule, own),
    contents: areAlike ? first : [],
    backendContents: areAlike ? [] : backends.map((backend) => (backend === undefined ? [] : contentsOf(backend))),
    fates: [
      ...settleRuleFates(common, own),
      ...used.flatMap(toClusterFates),
      ...(used.length === 0 ? toBareFates(common) : []),
    ],
  };
}

function contentsOf({ effective }: BackendTraffic): readonly ContentPolicy[] {
  return effective.rule.contents ?? [];
}

/** Fields that a rule has once, whatever its backends say. */
const OF_RULES: ReadonlySet<string> = new Set(["retry", "timeout", "sessionPersistence"] satisfies TrafficField[]);

function isField(field: string): field is "retry" | "timeout" {
  return field === "retry" || field === "timeout";
}

/** Fates of fields that are the rule's alone; what the route says itself wins. */
function settleRuleFates(
  { fates, rule }: EffectiveTraffic,
  { owner: by, retry, timeouts, session }: OwnRuleParts,
): FieldFate[] {
  const isTimed = rule.requestTimeout !== undefined || rule.backendTimeout !== undefined;
  return fates.flatMap((fate): FieldFate[] => {
    const { owner, field } = fate;
    if (!OF_RULES.has(field)) return [];
    if (fate.by !== owner) return [fate];
    if (field === "retry" && retry !== undefined) return [{ owner, field, by }];
    if (field === "sessionPersistence" && session !== undefined) return [{ owner, field, by }];
    if (field !== "timeout" || !isTimed) return [fate];
    return [fate, timeouts === undefined ? recallRequestFate(fate) : { owner, field: "timeout.request", by }];
  });
}

/** Where the `timeout` that counts says something of requests: the same object for the same fate, as most rules say the same. */
function recallRequestFate(fate: FieldFate): FieldFate {
  const known = requestFates.get(fate) ?? { ...fate, field: "timeout.request" };
  requestFates.set(fate, known);
  return known;
}

const requestFates = new WeakMap<FieldFate, FieldFate>();

/** Fates of what a backend has by itself; of the rule's fields those that say something of connections as well. */
function toClusterFates({ effective, service }: BackendTraffic): FieldFate[] {
  return effective.fates.filter(({ owner, field, by }) => {
    if (!OF_RULES.has(field)) return true;
    const layer = by === owner ? service.find((each) => each.owner === owner) : undefined;
    const cluster = isField(field) ? layer?.fields[field]?.cluster : undefined;
    return cluster !== undefined && Object.keys(cluster).length > 0;
  });
}

/** Fates where there is no backend: contents of answers that are made here. */
function toBareFates({ fates }: EffectiveTraffic): FieldFate[] {
  return fates.filter(({ field }) => !OF_RULES.has(field));
}

function toExtras(traffic: RuleTraffic, own: OwnRuleParts): RuleExtras {
  const { requestTimeout = 0 } = own.timeouts ?? traffic;
  const backendTimeout = toBackendTimeout(traffic, own);
  const { streamIdleTimeout, maxDuration = 0 } = traffic;
  return {
    ...(requestTimeout > 0 ? { requestTimeout } : {}),
    ...(backendTimeout > 0 ? { backendTimeout } : {}),
    ...toRepetition(traffic, own),
    ...(streamIdleTimeout === undefined ? {} : { streamIdleTimeout }),
    ...(maxDuration > 0 ? { maxDuration } : {}),
    ...toSession(traffic, own),
  };
}

function toRepetition(traffic: RuleTraffic, own: OwnRuleParts): Pick<RuleExtras, "retry"> {
  const retry = own.retry ?? traffic.retry;
  return retry === undefined || retry.attempts === 0 ? {} : { retry };
}

function toSession(traffic: RuleTraffic, own: OwnRuleParts): Pick<RuleExtras, "session"> {
  const session = own.session ?? traffic.session;
  return session === undefined ? {} : { session: nameSession(session, own.ruleId) };
}

/** Of the rule itself; else of the policy's `retry`, unless that does not count; else of its `timeout`. */
function toBackendTimeout({ tryTimeout, backendTimeout = 0 }: RuleTraffic, own: OwnRuleParts): number {
  if (own.timeouts?.backendTimeout !== undefined) return own.timeouts.backendTimeout;
  const ofTry = own.retry === undefined ? tryTimeout : undefined;
  return ofTry ?? (own.timeouts === undefined ? backendTimeout : 0);
}

/** Sessions of different rules must not meet under one name, unless their owner wants it so (GEP-1619). */
function nameSession({ carrier, absoluteTimeout, idleTimeout }: SessionSettings, ruleId: string): SessionPersistence {
  const name = carrier.name ?? `sallyport-session-${digest(ruleId).slice(0, 8)}`;
  return {
    carrier:
      carrier.kind === "header" ? { kind: "header", name } : { kind: "cookie", name, lifetime: carrier.lifetime },
    ...(absoluteTimeout === undefined ? {} : { absoluteTimeout }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  };
}

/**
 * The policies of a rule, with those of traffic policies put in. Answers are compressed last and replaced before that, so that an
 * error page is compressed as well and replaces also what filters answer. Faults and limits of bodies come right after CORS: what
 * they answer is for browsers to read, too.
 */
export function insertContents(filters: readonly Policy[], contents: readonly ContentPolicy[]): Policy[] {
  if (contents.length === 0) return [...filters];
  const outer = contents.filter(({ kind }) => kind === "compression" || kind === "response-override");
  const inner = contents.filter(({ kind }) => kind === "fault" || kind === "request-body");
  const afterCors = filters.findIndex(({ kind }) => kind === "cors") + 1;
  return [...outer, ...filters.slice(0, afterCors), ...inner, ...filters.slice(afterCors)];
}

/** What of it is for calls: their answers stay as they are, and what streams cannot be waited for. */
export function toCallContents(contents: readonly ContentPolicy[]): readonly ContentPolicy[] {
  return contents.flatMap((policy): ContentPolicy[] => {
    if (policy.kind === "fault") return [policy];
    return policy.kind === "request-body" ? [{ ...policy, whole: false }] : [];
  });
}
