/** What GatewayParameters come to: those of the class and those of the Gateway in one, and the defaults of what neither says. */
import type { ParametersSpec } from "../translate/gateway-api/gateway-parameters.ts";

/**
 * Fields of the Gateway's parameters win over those of its class, one by one. A budget counts as one field, for its two exclude
 * each other; so do a number of replicas and autoscaling, which end what the class has of the other.
 */
export function mergeParameters(ofClass: ParametersSpec = {}, ofGateway: ParametersSpec = {}): ParametersSpec {
  const isFixed = ofGateway.deployment?.replicas !== undefined;
  const autoscaling = mergeFields(isFixed ? undefined : ofClass.autoscaling, ofGateway.autoscaling);
  const { replicas, ...others } = mergeFields(ofClass.deployment, ofGateway.deployment) ?? {};
  return present({
    deployment: autoscaling === undefined && replicas !== undefined ? { replicas, ...others } : others,
    service: mergeFields(ofClass.service, ofGateway.service),
    autoscaling,
    disruptionBudget: ofGateway.disruptionBudget ?? ofClass.disruptionBudget,
  });
}

/** Without the fields that are undefined. */
function present<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  // What is left out is what the type leaves out.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function mergeFields<T extends object>(below: T | undefined, above: T | undefined): T | undefined {
  return below === undefined || above === undefined ? (above ?? below) : { ...below, ...above };
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Whole seconds of a duration (GEP-2257), rounded up; the schema lets nothing else through. */
export function toSeconds(duration: string): number {
  let total = 0;
  for (const [, count = "0", unit = "s"] of duration.matchAll(/(\d+)(ms|h|m|s)/g))
    total += Number(count) * (MS_PER_UNIT[unit] ?? 0);
  return Math.ceil(total / 1000);
}
