/** BackendTLSPolicies as objects of their own: what becomes of each, for every Gateway whose routes use its Services. */
import type { BackendTLSPolicyTargetRef } from "../../kube/generated/types/backend-tls-policy.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { findPolicy, type JudgedPolicy, judgePolicy } from "../backend-tls.ts";
import { conditionsOf } from "../condition.ts";
import { type Finding, type Flaw, hintName, hintObject, toObjectRef, toProblem } from "../flaw.ts";
import { MOST_ANCESTORS } from "../policy/policy-status.ts";
import type { TranslateOptions, Translation } from "../translator.ts";
import { toGatewayKey } from "./gateway.ts";
import type { GatewayPlan } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";
import { indexUses, type ServiceUse, type UsedServices } from "./service-uses.ts";

/** Statuses and problems of all policies; what they ask for is in the clusters of their Services. */
export function translateBackendTlsPolicies(
  world: World,
  options: TranslateOptions,
  uses: Iterable<ServiceUse>,
): Translation {
  const policies = world.list("BackendTLSPolicy");
  if (policies.length === 0) return { resources: [], statuses: [], problems: [] };
  const used = indexUses(uses);
  const translations = policies.map((policy) => translatePolicy({ world, options, used }, policy));
  return {
    resources: [],
    statuses: translations.flatMap(({ statuses }) => statuses),
    problems: translations.flatMap(({ problems }) => problems),
  };
}

interface PolicyContext {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly used: UsedServices;
}

/** One of the targets of a policy. */
interface Target {
  /** Gateways whose routes use it. */
  readonly gateways: readonly GatewayPlan[];
  /** Why the policy does not apply to it: it is not there, or another policy has it. */
  readonly flaw?: Flaw;
}

/** Of a policy that nobody uses only its targets are judged: the rest may be meant for another controller. */
function translatePolicy(context: PolicyContext, policy: WorldObject<"BackendTLSPolicy">): Translation {
  const targets = policy.object.spec.targetRefs.map((ref, index) =>
    judgeTarget(context, policy, { ref, path: `spec.targetRefs[${index}]` }),
  );
  const flaws = targets.flatMap(({ flaw }) => flaw ?? []);
  const gateways = new Map(
    targets.flatMap((target) => target.gateways.map((plan) => [toGatewayKey(plan.gateway), plan])),
  );
  const toProblems = (findings: readonly Finding[]) => findings.map((finding) => toProblem(policy, finding));
  if (gateways.size === 0) return { resources: [], statuses: [], problems: toProblems(flaws) };
  const verdict = judgePolicy(context.world, policy);
  const ancestors = [...gateways.keys()].toSorted().flatMap((key) => gateways.get(key) ?? []);
  const excess = ancestors.length > MOST_ANCESTORS ? [toExcess(ancestors)] : [];
  const findings = [...flaws, ...verdict.flaws, ...verdict.unresolved, ...verdict.remarks, ...excess];
  const conditions = toConditions(policy, targets, verdict);
  const status = {
    ancestors: ancestors.slice(0, MOST_ANCESTORS).map(({ gateway: { namespace, name } }) => ({
      ancestorRef: { group: GATEWAY_API, kind: "Gateway", namespace, name },
      controllerName: context.options.controllerName,
      conditions,
    })),
  };
  return { resources: [], statuses: [{ object: toObjectRef(policy), status }], problems: toProblems(findings) };
}

/** A policy that has one of several targets is in force, unless it lost another: the API has a loser refused. */
function toConditions(
  policy: WorldObject<"BackendTLSPolicy">,
  targets: readonly Target[],
  { flaws, unresolved }: JudgedPolicy,
) {
  const conditions = conditionsOf(policy);
  const targetFlaws = targets.flatMap(({ flaw }) => flaw ?? []);
  const lost = targetFlaws.filter(({ reason }) => reason === CONFLICTED);
  const missing = targetFlaws.filter(({ reason }) => reason !== CONFLICTED);
  const isAttached = missing.length < targets.length;
  return [
    conditions.judge("Accepted", [...lost, ...(isAttached ? [] : missing), ...flaws], {
      reason: "Accepted",
      message: "its targets are spoken to with TLS as it says",
    }),
    conditions.judge("ResolvedRefs", [...unresolved, ...missing], {
      reason: "ResolvedRefs",
      message: "every reference was resolved",
    }),
  ];
}

const CONFLICTED = "Conflicted";

function judgeTarget(
  { world, used }: PolicyContext,
  policy: WorldObject<"BackendTLSPolicy">,
  { ref, path }: { readonly ref: BackendTLSPolicyTargetRef; readonly path: string },
): Target {
  const { namespace } = policy;
  if (ref.group !== "" || ref.kind !== "Service") return { gateways: [], flaw: toForeignTarget(ref, path) };
  const service = world.get("Service", namespace, ref.name);
  const usedPorts = used.get(`${namespace}/${ref.name}`);
  if (service === undefined) {
    const hint = hintObject(ref.name, world.list("Service", namespace));
    const message = `there is no Service ${ref.name} in the namespace ${namespace}`;
    return { gateways: gatewaysOf(usedPorts), flaw: toMissing(`${path}.name`, message, hint) };
  }
  const ports = service.object.spec.ports ?? [];
  const named = ports.filter((port) => ref.sectionName !== undefined && port.name === ref.sectionName);
  if (ref.sectionName !== undefined && named.length === 0) {
    const names = ports.flatMap(({ name }) => name ?? []);
    const message = `the Service ${namespace}/${ref.name} has no port named ${ref.sectionName}, so its ports are spoken to as if this target were not there`;
    const flaw = toMissing(`${path}.sectionName`, message, hintName(ref.sectionName, names));
    return { gateways: gatewaysOf(usedPorts), flaw };
  }
  const numbers = ref.sectionName === undefined ? undefined : new Set(named.map(({ port }) => port));
  const gateways = gatewaysOf(usedPorts, numbers);
  const holder = findPolicy(world, namespace, ref);
  return holder === undefined || holder === policy ? { gateways } : { gateways, flaw: toLost(ref, holder, path) };
}

/** Of some ports, or of all. */
function gatewaysOf(
  ports: ReadonlyMap<number, ReadonlySet<GatewayPlan>> | undefined,
  numbers?: ReadonlySet<number>,
): readonly GatewayPlan[] {
  const chosen = [...(ports ?? [])].filter(([number]) => numbers === undefined || numbers.has(number));
  return chosen.flatMap(([, gateways]) => [...gateways]);
}

function toMissing(path: string, message: string, hint: { readonly hint?: string }): Flaw {
  return { reason: "TargetNotFound", code: "unresolved-reference", path, message, ...hint };
}

function toForeignTarget({ group, kind }: BackendTLSPolicyTargetRef, path: string): Flaw {
  return {
    reason: "TargetNotFound",
    code: "unsupported-value",
    path: group === "" ? `${path}.kind` : `${path}.group`,
    message: `the policy applies to Services, not to a ${kind}${group === "" ? "" : ` of ${group}`}`,
  };
}

function toLost(
  { name, sectionName }: BackendTLSPolicyTargetRef,
  holder: WorldObject<"BackendTLSPolicy">,
  path: string,
): Flaw {
  const what = sectionName === undefined ? `the Service ${name}` : `the port ${sectionName} of the Service ${name}`;
  const message = `the BackendTLSPolicy ${holder.name}, which is older or first by name, has ${what}`;
  return { reason: CONFLICTED, code: "conflict", path, message };
}

function toExcess(ancestors: readonly GatewayPlan[]): Finding {
  const message = `${ancestors.length} Gateways use its targets, and its status has room for ${MOST_ANCESTORS}`;
  return { code: "limit-exceeded", path: "spec.targetRefs", message };
}
