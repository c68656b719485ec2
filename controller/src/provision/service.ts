/** The Services that lead to the proxies of a group. */
import { isIPv6 } from "node:net";
import type { ParametersSpec } from "../translate/gateway-api/gateway-parameters.ts";
import { toManifest, toPodSelector, type ProxyIdentity } from "./identity.ts";
import type { Manifest } from "./manifest.ts";
import type { ServedPort } from "./ports.ts";

/** A Service of a group: its name, and the address it asks for (empty: any). */
export interface WantedService {
  readonly name: string;
  readonly address: string;
}

/**
 * One Service. Its ports carry no appProtocol: load balancers of clouds derive from it how they probe (Azure sends `GET /` to what is
 * called http), and what listeners serve answers that as it likes.
 */
export function toService(
  identity: ProxyIdentity,
  { name, address }: WantedService,
  ports: readonly ServedPort[],
  { parameters, controllerName }: { readonly parameters: ParametersSpec; readonly controllerName: string },
): Manifest {
  const { type = "LoadBalancer", labels, annotations, ...rest } = parameters.service ?? {};
  const spec = {
    type,
    selector: toPodSelector(identity),
    ports,
    ...rest,
    ...toAddressFields(address, type, rest.ipFamilyPolicy),
  };
  return toManifest("Service", identity, { spec }, { name, labels, annotations, controllerName });
}

function toAddressFields(address: string, type: string, policy: string | undefined): Readonly<Record<string, unknown>> {
  if (address === "" || type !== "LoadBalancer") return {};
  const isDual = policy !== undefined && policy !== "SingleStack";
  // A Service of one family gets the cluster's first one unless it says which.
  return { loadBalancerIP: address, ...(isIPv6(address) && !isDual ? { ipFamilies: ["IPv6"] } : {}) };
}
