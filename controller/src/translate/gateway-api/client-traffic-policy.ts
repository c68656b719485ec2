/** ClientTrafficPolicies: which say something of which listener, what that comes to, and what each policy is told. */
import type { World, WorldObject } from "../../world/world.ts";
import {
  type FieldFate,
  findHolder,
  indexPolicies,
  type Layer,
  type PolicyIndex,
  tellPolicy,
} from "../policy/attachment.ts";
import { type AncestorVerdict, toConflict, toPolicyTranslation } from "../policy/policy-status.ts";
import type { TranslateOptions, Translation } from "../translator.ts";
import { type ClientListener, type SettledListener, settlePorts } from "./client-ports.ts";
import { type ClientFields, type ClientSettings, joinSettings, judgeClientPolicy } from "./client-settings.ts";
import type { GatewayPlans } from "./gateway.ts";
import { type GatewayPlan, type ListenerBind, type ListenerPlan, tellOwner } from "./gateway-plan.ts";
import { findListenerPolicies, findListenerTarget, toGatewayRef } from "./listener-targets.ts";

type ClientPolicy = WorldObject<"ClientTrafficPolicy">;

/** What becomes of all policies. */
export interface ClientPolicies {
  /** Of listeners that are served, by where they are bound; nothing is said of the others. */
  readonly settings: ReadonlyMap<ListenerBind, ClientSettings>;
  readonly translation: Translation;
}

const NONE: Translation = { resources: [], statuses: [], problems: [] };

/** Applies all policies to all listeners. */
export function translateClientTrafficPolicies(
  world: World,
  options: TranslateOptions,
  gateways: GatewayPlans,
): ClientPolicies {
  const policies = world.list("ClientTrafficPolicy");
  if (policies.length === 0) return { settings: new Map(), translation: NONE };
  const index = indexPolicies(policies);
  const settled = findListeners(index, gateways, options).flatMap(settlePorts);
  const context: PolicyContext = {
    world,
    options,
    gateways,
    index,
    settled: Map.groupBy(settled, ({ gateway }) => gateway),
  };
  const translations = policies.map((policy) => translatePolicy(context, policy));
  return {
    settings: new Map(settled.map(({ bind, fields }) => [bind, joinSettings(Object.values(fields))])),
    translation: {
      resources: [],
      statuses: translations.flatMap(({ statuses }) => statuses),
      problems: translations.flatMap(({ problems }) => problems),
    },
  };
}

/** Listeners by the proxies they are on, which in a cluster are those of one Gateway; in order of precedence, as conflicts.ts has it. */
function findListeners(
  index: PolicyIndex<ClientPolicy>,
  { byKey }: GatewayPlans,
  { proxies }: TranslateOptions,
): readonly (readonly ClientListener[])[] {
  const byGateway = [...byKey.values()].toSorted(compareAge).map((gateway) => findListenersOf(index, gateway));
  return proxies === undefined ? [byGateway.flat()] : byGateway;
}

/** UDP has no connections of which policies could say something. */
function findListenersOf(index: PolicyIndex<ClientPolicy>, gateway: GatewayPlan): ClientListener[] {
  return [gateway.listeners, ...gateway.sets.map(({ listeners }) => listeners)]
    .flat()
    .filter(({ served, protocol }) => served && protocol !== "udp")
    .map((listener) => {
      const layers = findListenerPolicies(index, gateway, listener).map((policy): Layer<ClientFields> => ({
        owner: tellPolicy(policy),
        fields: judgeClientPolicy(policy).fields,
      }));
      return { gateway, listener, layers: [...toOwnLayers(gateway), ...layers] };
    });
}

/** The list is sorted by namespace and name, and sorting keeps the order of equals. */
function compareAge({ gateway: { age: left } }: GatewayPlan, { gateway: { age: right } }: GatewayPlan): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** What the Gateway itself says goes before what policies say. */
function toOwnLayers({ gateway, settings: { proxyProtocol } }: GatewayPlan): Layer<ClientFields>[] {
  if (proxyProtocol === undefined) return [];
  return [{ owner: `the annotations of the ${tellOwner(gateway)}`, fields: { proxyProtocol: { proxyProtocol } } }];
}

interface PolicyContext {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly gateways: GatewayPlans;
  readonly index: PolicyIndex<ClientPolicy>;
  readonly settled: ReadonlyMap<GatewayPlan, readonly SettledListener[]>;
}

function translatePolicy(context: PolicyContext, policy: ClientPolicy): Translation {
  const { flaws } = judgeClientPolicy(policy);
  const verdicts = policy.object.spec.targetRefs.flatMap((ref, place): AncestorVerdict[] => {
    const path = `spec.targetRefs[${place}]`;
    const { namespace } = policy;
    const found = findListenerTarget(context.world, context.gateways, { namespace, ref, path });
    if (found.kind === "foreign") return [];
    if (found.kind === "missing") return [{ ref: { ...ref, namespace }, flaws: [found.flaw], fates: [] }];
    const holder = findHolder(context.index, namespace, ref);
    const lost = holder === undefined || holder === policy ? [] : [toConflict(path, ref, holder)];
    return found.gateways.map((gateway) => ({
      ref: toGatewayRef(gateway),
      flaws: [...flaws, ...lost],
      fates: findFates(context.settled.get(gateway) ?? [], policy),
    }));
  });
  const { controllerName } = context.options;
  return toPolicyTranslation(policy, { controllerName, verdicts, findings: [] });
}

function findFates(settled: readonly SettledListener[], policy: ClientPolicy): FieldFate[] {
  const name = tellPolicy(policy);
  return settled.flatMap(({ listener, fates }) =>
    fates.filter(({ owner }) => owner === name).flatMap((fate) => [fate, ...toTlsFates(listener, fate)]),
  );
}

/** What a listener says of its TLS itself goes before what policies say, each option by itself. */
function toTlsFates({ spec, tls, owner }: ListenerPlan, fate: FieldFate): FieldFate[] {
  const says = tls?.minVersion !== undefined || tls?.maxVersion !== undefined || tls?.ciphers !== undefined;
  if (fate.field !== "tls" || fate.by !== fate.owner || !says) return [];
  return [{ ...fate, by: `the options of the listener ${spec.name} of the ${tellOwner(owner)}` }];
}
