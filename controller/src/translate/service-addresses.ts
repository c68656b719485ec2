/** Where a Service is reached, as those see it who are to send traffic there. */
import type { WorldObject } from "../world/world.ts";

/** An address of a Service, in the order in which the Service has them. */
export type ServiceAddress =
  | { readonly kind: "ip"; readonly value: string }
  | { readonly kind: "hostname"; readonly value: string };

/** Of a load balancer what that gave; of other types the cluster's own addresses. Empty as long as there are none. */
export function findServiceAddresses({ object: { spec, status } }: WorldObject<"Service">): readonly ServiceAddress[] {
  if (spec.type !== "LoadBalancer") return toClusterAddresses(spec).map((value) => ({ kind: "ip", value }));
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "", hostname = "" }): ServiceAddress[] => {
    if (ip !== "") return [{ kind: "ip", value: ip }];
    return hostname === "" ? [] : [{ kind: "hostname", value: hostname }];
  });
}

/** A headless Service has `None`. */
function toClusterAddresses({
  clusterIP = "",
  clusterIPs = [clusterIP],
}: WorldObject<"Service">["object"]["spec"]): string[] {
  return clusterIPs.filter((address) => address !== "" && address !== "None");
}
