/** Every kind of balancer by its name in the model. */
import { assertNever } from "@sallyport/model/result";
import type { Balancer as BalancerConfig } from "@sallyport/model/traffic";
import type { BalancedEndpoint, Balancer } from "./balancer.ts";
import { HashingBalancer } from "./hashing.ts";
import { LeastRequestBalancer } from "./least-request.ts";
import { RandomBalancer } from "./random.ts";
import { RoundRobinBalancer } from "./round-robin.ts";
import type { TableShelf } from "./table-shelf.ts";

/** A balancer as configured, without endpoints yet. `tables`: those of its worker. */
export function createBalancer<T extends BalancedEndpoint>(config: BalancerConfig, tables: TableShelf): Balancer<T> {
  switch (config.kind) {
    case "least-request":
      return new LeastRequestBalancer(config.choices ?? 2);
    case "round-robin":
      return new RoundRobinBalancer();
    case "random":
      return new RandomBalancer();
    case "ring-hash":
    case "maglev":
      return new HashingBalancer(config, tables);
    default:
      return assertNever(config);
  }
}
