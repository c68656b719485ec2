/** What changes the number of proxies, and what keeps it from falling: autoscaler and disruption budget. */
import type { ParametersSpec } from "../translate/gateway-api/gateway-parameters.ts";
import { toManifest, toPodSelector, type ProxyIdentity } from "./identity.ts";
import { toApiVersion, type Manifest } from "./manifest.ts";

/** Percent of the CPU that is requested; above it proxies are added. */
const CPU_TARGET = 70;

/** The HorizontalPodAutoscaler (autoscaling/v2), where there shall be one. */
export function toAutoscaler(
  identity: ProxyIdentity,
  { autoscaling }: ParametersSpec,
  controllerName: string,
): Manifest | undefined {
  if (autoscaling === undefined) return undefined;
  const { minReplicas = 1, maxReplicas, targetCPUUtilizationPercentage, behavior } = autoscaling;
  const target = { type: "Utilization", averageUtilization: targetCPUUtilizationPercentage ?? CPU_TARGET };
  const spec = {
    scaleTargetRef: { apiVersion: toApiVersion("Deployment"), kind: "Deployment", name: identity.name },
    minReplicas,
    maxReplicas,
    metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
    ...(behavior === undefined ? {} : { behavior }),
  };
  return toManifest("HorizontalPodAutoscaler", identity, { spec }, { controllerName });
}

/** The PodDisruptionBudget (policy/v1), where there shall be one. Pods that are not ready may always go: they serve nobody. */
export function toDisruptionBudget(
  identity: ProxyIdentity,
  { disruptionBudget }: ParametersSpec,
  controllerName: string,
): Manifest | undefined {
  if (disruptionBudget === undefined) return undefined;
  const spec = {
    ...disruptionBudget,
    selector: { matchLabels: toPodSelector(identity) },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
  return toManifest("PodDisruptionBudget", identity, { spec }, { controllerName });
}
