/** What layers of traffic policies come to where they meet, for one backend of one rule. */
import { type FieldFate, mergeLayers } from "../policy/attachment.ts";
import type { TrafficLayer } from "./policies.ts";
import type { ClusterTraffic, FieldSettings, RuleTraffic, TrafficField, TrafficFields } from "./settings.ts";

/** What counts at one place, and whose it is. */
export interface EffectiveTraffic {
  readonly rule: RuleTraffic;
  readonly cluster: ClusterTraffic;
  readonly fates: readonly FieldFate[];
}

/**
 * Merges layers, the most specific first. Of the same layers it is the same object: thousands of rules meet the same few policies, and
 * what is made of this is remembered by it.
 */
export function mergeTraffic(layers: readonly TrafficLayer[]): EffectiveTraffic {
  if (layers.length === 0) return NOTHING;
  let node = root;
  for (const layer of layers) {
    const next = node.next.get(layer) ?? { next: new WeakMap() };
    node.next.set(layer, next);
    node = next;
  }
  return (node.merged ??= merge(layers));
}

/** What layers that begin with the same ones come to. */
interface MergeNode {
  readonly next: WeakMap<TrafficLayer, MergeNode>;
  merged?: EffectiveTraffic;
}

const root: MergeNode = { next: new WeakMap() };

function merge(layers: readonly TrafficLayer[]): EffectiveTraffic {
  const { fields, fates } = mergeLayers<TrafficFields>(layers);
  const settled = settleBudget(layers, { fields, fates });
  const settings = FIELDS.flatMap((field) => settled.fields[field] ?? []);
  return { rule: joinRules(settings), cluster: joinClusters(settings), fates: settled.fates };
}

const NOTHING: EffectiveTraffic = { rule: {}, cluster: {}, fates: [] };

/** In one order, whatever that of the fields of an object is. */
const FIELDS: readonly TrafficField[] = [
  "loadBalancer",
  "locality",
  "retryConstraint",
  "retry",
  "circuitBreaker",
  "healthCheck",
  "timeout",
  "sessionPersistence",
  "compression",
  "responseOverride",
  "faultInjection",
  "requestBody",
  "connection",
  "http2",
  "dns",
  "proxyProtocol",
];

interface Merged {
  readonly fields: TrafficFields;
  readonly fates: readonly FieldFate[];
}

/**
 * `retry.budget` of one kind of policy and `retryConstraint` of the other are the same thing: the more specific counts. A `retry` that
 * says nothing of a budget leaves that of the Service as it is.
 */
function settleBudget(layers: readonly TrafficLayer[], { fields, fates }: Merged): Merged {
  const { retry, retryConstraint } = fields;
  if (retryConstraint === undefined || retry?.cluster === undefined) return { fields, fates };
  const byRetry = layers.findIndex((layer) => layer.fields.retry !== undefined);
  const byConstraint = layers.findIndex((layer) => layer.fields.retryConstraint !== undefined);
  const [winner, loser] = byRetry < byConstraint ? [byRetry, byConstraint] : [byConstraint, byRetry];
  const by = layers[winner]?.owner ?? "";
  const owner = layers[loser]?.owner ?? "";
  if (winner === byRetry) {
    const told = fates.map((fate) => (fate.field === "retryConstraint" ? { ...fate, by } : fate));
    return { fields: { ...fields, retryConstraint: undefined }, fates: told };
  }
  const { cluster: _, ...withoutBudget } = retry;
  return { fields: { ...fields, retry: withoutBudget }, fates: [...fates, { owner, field: "retry.budget", by }] };
}

function joinRules(settings: readonly FieldSettings[]): RuleTraffic {
  let joined: RuleTraffic = {};
  for (const { rule } of settings) {
    if (rule === undefined) continue;
    const { contents = [] } = joined;
    joined = { ...joined, ...rule, contents: [...contents, ...(rule.contents ?? [])] };
  }
  return joined;
}

function joinClusters(settings: readonly FieldSettings[]): ClusterTraffic {
  let joined: ClusterTraffic = {};
  for (const { cluster } of settings) {
    if (cluster === undefined) continue;
    const pool = { ...joined.pool, ...cluster.pool };
    joined = { ...joined, ...cluster, ...(Object.keys(pool).length === 0 ? {} : { pool }) };
  }
  return joined;
}
