/** Which Gateways use which Services by their routes: a policy of a Service answers to each of them. */
import { parseClusterKey } from "../service-port.ts";
import type { GatewayPlan } from "./gateway-plan.ts";

/** What a route says of the Services it uses. */
export interface ServiceUse {
  readonly gateways: ReadonlySet<GatewayPlan>;
  /** Keys (`namespace/service:port`) of Service ports. */
  readonly backendServices: ReadonlySet<string>;
}

/** Gateways by port number, by `namespace/service`. */
export type UsedServices = ReadonlyMap<string, ReadonlyMap<number, ReadonlySet<GatewayPlan>>>;

/** Indexes what all routes say. */
export function indexUses(uses: Iterable<ServiceUse>): UsedServices {
  const services = new Map<string, Map<number, Set<GatewayPlan>>>();
  for (const { gateways, backendServices } of uses) {
    for (const ref of [...backendServices].map(parseClusterKey)) {
      if (ref === undefined) continue;
      const key = `${ref.namespace}/${ref.name}`;
      const ports = services.get(key) ?? new Map<number, Set<GatewayPlan>>();
      services.set(key, ports);
      const users = ports.get(ref.port) ?? new Set<GatewayPlan>();
      ports.set(ref.port, users);
      for (const gateway of gateways) users.add(gateway);
    }
  }
  return services;
}
