/** Statuses of traffic policies: what becomes of each for every Gateway and Ingress it concerns, whichever family these are of. */
import type { World } from "../../world/world.ts";
import { type Flaw, hintName, hintObject } from "../flaw.ts";
import { findHolder, tellPolicy, type TargetRef } from "../policy/attachment.ts";
import { type AncestorVerdict, toConflict, toPolicyTranslation } from "../policy/policy-status.ts";
import type { Translation } from "../translator.ts";
import { type FamilyTraffic, type PolicyTarget, toMissingTarget } from "./family.ts";
import { judgeTraffic, type TrafficPolicy } from "./judge.ts";
import { findTrafficPolicies, type TrafficPolicies } from "./policies.ts";

/** Statuses and problems of all traffic policies. */
export function translateTrafficPolicies(
  world: World,
  controllerName: string,
  families: readonly FamilyTraffic[],
): Translation {
  const policies = findTrafficPolicies(world);
  const context: JudgeContext = { world, policies, families };
  const translations = [...world.list("BackendTrafficPolicy"), ...world.list("XBackendTrafficPolicy")].map((policy) =>
    toPolicyTranslation(policy, { controllerName, verdicts: judgePolicy(context, policy), findings: [] }),
  );
  return {
    resources: [],
    statuses: translations.flatMap(({ statuses }) => statuses),
    problems: translations.flatMap(({ problems }) => problems),
  };
}

interface JudgeContext {
  readonly world: World;
  readonly policies: TrafficPolicies;
  readonly families: readonly FamilyTraffic[];
}

function judgePolicy(context: JudgeContext, policy: TrafficPolicy): AncestorVerdict[] {
  const { namespace, object } = policy;
  const { flaws } = judgeTraffic(policy);
  const refs: readonly TargetRef[] = object.spec.targetRefs;
  const targets = refs.flatMap((ref, index) =>
    judgeTarget(context, policy, { namespace, ref, path: `spec.targetRefs[${index}]` }),
  );
  const broken =
    flaws.length === 0 ? targets : targets.map((target) => ({ ...target, flaws: [...flaws, ...target.flaws] }));
  const fates = context.families.flatMap((family) => family.fates.get(tellPolicy(policy)) ?? []);
  // Whatever has its fields from a policy is concerned by a target of it.
  return [...broken, ...fates.map((each) => ({ ...each, flaws: [] }))];
}

function judgeTarget(
  { world, policies, families }: JudgeContext,
  policy: TrafficPolicy,
  target: PolicyTarget,
): AncestorVerdict[] {
  const isOwn = policy.kind === "BackendTrafficPolicy";
  // Policies of the Gateway API may be another controller's: what is not used here is not ours to judge.
  const missing = isOwn ? findMissing(world, families, target) : undefined;
  if (missing !== undefined) {
    return [{ ref: { ...target.ref, namespace: target.namespace }, flaws: [missing], fates: [] }];
  }
  const { namespace, ref, path } = target;
  const index = isOwn ? policies.own : policies.x;
  const holder = findHolder<TrafficPolicy>(index, namespace, ref);
  const flaws = holder === undefined || holder === policy ? [] : [toConflict(path, ref, holder)];
  const found = families.map((family) => family.findTarget(target));
  const ancestors = found.flatMap((verdict) => (verdict.kind === "found" ? verdict.ancestors : []));
  return ancestors.map((ancestor) => ({ ref: ancestor, flaws, fates: [] }));
}

function findMissing(world: World, families: readonly FamilyTraffic[], target: PolicyTarget): Flaw | undefined {
  if (target.ref.group === "" && target.ref.kind === "Service") return findMissingService(world, target);
  const verdicts = families.map((family) => family.findTarget(target));
  return verdicts.flatMap((verdict) => (verdict.kind === "missing" ? [verdict.flaw] : []))[0];
}

function findMissingService(world: World, { namespace, ref, path }: PolicyTarget): Flaw | undefined {
  const { name, sectionName = "" } = ref;
  const service = world.get("Service", namespace, name);
  if (service === undefined) {
    const message = `there is no Service ${name} in the namespace ${namespace}`;
    return toMissingTarget(`${path}.name`, message, hintObject(name, world.list("Service", namespace)));
  }
  const names = (service.object.spec.ports ?? []).flatMap((port) => port.name ?? []);
  if (sectionName === "" || names.includes(sectionName)) return undefined;
  const message = `the Service ${namespace}/${name} has no port named ${sectionName}`;
  return toMissingTarget(`${path}.sectionName`, message, hintName(sectionName, names));
}
