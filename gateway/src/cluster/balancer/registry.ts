/** Every kind of balancer by its name in the model. */
import type { Cluster } from "@sallyport/model/cluster";
import { assertNever } from "@sallyport/model/result";
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { LeastRequestBalancer } from "./least-request.ts";
import { RandomBalancer } from "./random.ts";
import { RoundRobinBalancer } from "./round-robin.ts";

/** A balancer of this kind, without endpoints yet. */
export function createBalancer<T extends BalancedEndpoint>(kind: Cluster["balancer"]["kind"]): Balancer<T> {
  switch (kind) {
    case "least-request":
      return new LeastRequestBalancer();
    case "round-robin":
      return new RoundRobinBalancer();
    case "ring-hash":
    case "maglev":
    case "random":
      return new RandomBalancer();
    default:
      return assertNever(kind);
  }
}
