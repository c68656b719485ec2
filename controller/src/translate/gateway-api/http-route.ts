/** HTTPRoutes: one resource and one status for each, whatever number of Gateways they hang on. */
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute } from "@sallyport/model/route";
import type { HTTPRouteParentRef } from "../../kube/generated/types/http-route.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { type Condition, type ConditionMaker, conditionsOf, tellFlaws } from "../condition.ts";
import { type Finding, type Flaw, hintObject, toObjectRef, toProblem } from "../flaw.ts";
import type { ObjectStatus, TranslateOptions } from "../translator.ts";
import { type AttachingRoute, type AttachResult, attachRoute } from "./attach.ts";
import { type GatewayPlans, toGatewayKey } from "./gateway.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import { GATEWAY_API } from "./grants.ts";
import { translateRule, type TranslatedRule } from "./rules.ts";

/** What one route comes to. */
export interface TranslatedRoute {
  /** Absent where no listener that takes traffic carries it. */
  readonly resource?: HttpRoute;
  /** Absent where none of its parents is ours. */
  readonly status?: ObjectStatus;
  readonly problems: readonly Problem[];
  /** Listeners that count it as attached: each once, however many parentRefs lead there. */
  readonly listeners: ReadonlySet<ListenerPlan>;
}

/** What all routes are translated with. */
export interface RouteEnvironment {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly gateways: GatewayPlans;
}

/** Translates one HTTPRoute. */
export function translateHttpRoute(environment: RouteEnvironment, subject: WorldObject<"HTTPRoute">): TranslatedRoute {
  const { world } = environment;
  const { spec } = subject.object;
  const route: AttachingRoute = {
    group: GATEWAY_API,
    kind: "HTTPRoute",
    namespace: subject.namespace,
    hostnames: spec.hostnames ?? [],
  };
  const rules = spec.rules.map((rule, index) => translateRule({ world, route }, rule, index));
  const { parents, findings } = followParents(environment, subject, route);
  if (parents.length === 0) return { problems: toProblems(subject, findings), listeners: new Set() };
  const verdict = judgeRules(rules);
  const resource = toResource(subject, parents, rules);
  const refusals = parents.flatMap(({ result }) => (result.kind === "refused" ? [result.flaw] : []));
  const flaws = rules.flatMap((rule) => [...rule.flaws, ...rule.unresolved]);
  return {
    ...(resource === undefined ? {} : { resource }),
    status: toStatus(environment, subject, { parents, rules, verdict }),
    problems: toProblems(subject, [...findings, ...refusals, ...flaws]),
    listeners: verdict.accepted ? attachedListeners(parents) : new Set(),
  };
}

/** One parentRef that names a Gateway of ours. */
interface Parent {
  readonly ref: HTTPRouteParentRef;
  readonly result: AttachResult;
}

function followParents(
  { world, gateways }: RouteEnvironment,
  subject: WorldObject<"HTTPRoute">,
  route: AttachingRoute,
): { readonly parents: readonly Parent[]; readonly findings: readonly Finding[] } {
  const parents: Parent[] = [];
  const findings: Finding[] = [];
  for (const [index, ref] of (subject.object.spec.parentRefs ?? []).entries()) {
    const path = `spec.parentRefs[${index}]`;
    if (ref.group !== GATEWAY_API || ref.kind !== "Gateway") {
      findings.push({ code: "not-attached", path, message: `a parent of kind ${ref.kind} is not supported yet` });
      continue;
    }
    const namespace = ref.namespace ?? subject.namespace;
    const plan = gateways.byKey.get(toGatewayKey({ namespace, name: ref.name }));
    if (plan !== undefined) parents.push({ ref, result: attachRoute(world, plan, { ref, path, route }) });
    else if (world.get("Gateway", namespace, ref.name) === undefined) {
      findings.push(toMissingGateway(world, { namespace, name: ref.name }, path));
    }
  }
  if (subject.object.spec.useDefaultGateways === "All") {
    const message = "default Gateways are not supported: name the Gateway in parentRefs";
    findings.push({ code: "not-attached", path: "spec.useDefaultGateways", message });
  }
  return { parents, findings };
}

function toMissingGateway(
  world: World,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  path: string,
): Finding {
  const elsewhere = world.list("Gateway").find((gateway) => gateway.name === name);
  const hint =
    elsewhere === undefined
      ? hintObject(name, world.list("Gateway", namespace))
      : { hint: `there is one in the namespace ${elsewhere.namespace}` };
  const message = `there is no Gateway ${name} in the namespace ${namespace}`;
  return { code: "unresolved-reference", path: `${path}.name`, message, ...hint };
}

/** Whether the rules make a route: some must be done as written (GEP-1364). */
interface RulesVerdict {
  readonly accepted: boolean;
  /** Rules that are not done as written. */
  readonly broken: readonly TranslatedRule[];
}

function judgeRules(rules: readonly TranslatedRule[]): RulesVerdict {
  const broken = rules.filter((rule) => rule.flaws.length > 0);
  return { accepted: broken.length < rules.length, broken };
}

/** Also a route that is not accepted has a resource if it has rules left: they answer 500. */
function toResource(
  subject: WorldObject<"HTTPRoute">,
  parents: readonly Parent[],
  rules: readonly TranslatedRule[],
): HttpRoute | undefined {
  const hostnames = new Map<string, Set<string>>();
  for (const { result } of parents) {
    if (result.kind === "refused") continue;
    for (const attachment of result.attachments) {
      if (!attachment.listener.served) continue;
      for (const { key } of attachment.listener.binds) {
        hostnames.set(key, new Set([...(hostnames.get(key) ?? []), ...attachment.hostnames]));
      }
    }
  }
  const usable = rules.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  if (hostnames.size === 0 || usable.length === 0) return undefined;
  return {
    kind: "http-route",
    key: `${subject.namespace}/${subject.name}`,
    age: subject.age,
    attachments: [...hostnames].map(([listener, names]) => ({ listener, hostnames: [...names] })),
    rules: usable,
  };
}

function attachedListeners(parents: readonly Parent[]): ReadonlySet<ListenerPlan> {
  return new Set(
    parents.flatMap(({ result }) =>
      result.kind === "attached" ? result.attachments.map(({ listener }) => listener) : [],
    ),
  );
}

interface RouteFindings {
  readonly parents: readonly Parent[];
  readonly rules: readonly TranslatedRule[];
  readonly verdict: RulesVerdict;
}

function toStatus(
  { options }: RouteEnvironment,
  subject: WorldObject<"HTTPRoute">,
  { parents, rules, verdict }: RouteFindings,
): ObjectStatus {
  const conditions = conditionsOf(subject);
  const unresolved = rules.flatMap((rule) => rule.unresolved);
  const resolvedRefs = conditions.judge("ResolvedRefs", unresolved, {
    reason: "ResolvedRefs",
    message: "every reference was resolved",
  });
  return {
    object: toObjectRef(subject),
    status: {
      parents: parents.map(({ ref, result }) => ({
        parentRef: toParentRef(ref),
        controllerName: options.controllerName,
        conditions: [...judgeAcceptance(conditions, result, verdict), resolvedRefs],
      })),
    },
  };
}

function judgeAcceptance(
  conditions: ConditionMaker,
  result: AttachResult,
  { accepted, broken }: RulesVerdict,
): Condition[] {
  if (result.kind === "refused") return [conditions.judge("Accepted", [result.flaw], ACCEPTED)];
  const flaws: readonly Flaw[] = broken.flatMap((rule) => rule.flaws);
  if (!accepted) return [conditions.judge("Accepted", flaws, ACCEPTED)];
  const acceptance = conditions.holds("Accepted", ACCEPTED.reason, ACCEPTED.message);
  if (broken.length === 0) return [acceptance];
  const names = broken.map(({ index }) => index).join(", ");
  const message = `Dropped Rule ${names} (counted from 0), whose requests are not forwarded: ${tellFlaws(flaws)}`;
  return [acceptance, conditions.holds("PartiallyInvalid", "UnsupportedValue", message)];
}

const ACCEPTED = { reason: "Accepted", message: "the route is attached" };

/** The reference as the user wrote it, with the API's defaults and in one order. */
function toParentRef({ group, kind, namespace, name, sectionName, port }: HTTPRouteParentRef): HTTPRouteParentRef {
  return {
    group,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  };
}

function toProblems(subject: WorldObject<"HTTPRoute">, findings: readonly Finding[]): Problem[] {
  return findings.map((finding) => toProblem(subject, finding));
}
