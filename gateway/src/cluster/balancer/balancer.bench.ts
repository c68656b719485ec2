/** What choosing an endpoint costs. */
import type { Balancer as Config } from "@sallyport/model/traffic";
import { bench } from "@sallyport/testkit/bench";
import type { BalancedEndpoint } from "./balancer.ts";
import { createBalancer } from "./registry.ts";
import { TableShelf } from "./table-shelf.ts";

class Endpoint implements BalancedEndpoint {
  readonly label: string;
  readonly weight: number;
  readonly #requests: number;

  constructor(n: number, weight: number, requests: number) {
    this.label = `10.0.0.${n}:80`;
    this.weight = weight;
    this.#requests = requests;
  }

  active(): number {
    return this.#requests;
  }
}

/** Time stands still: tables are there when update() returns. */
const AT_ONCE = { now: () => 0, schedule: () => undefined };

const CONFIGS: readonly Config[] = [
  { kind: "least-request" },
  { kind: "least-request", choices: 5 },
  { kind: "round-robin" },
  { kind: "random" },
  { kind: "ring-hash", keys: [], minimumSize: 1024, maximumSize: 8_388_608 },
  { kind: "maglev", keys: [], tableSize: 65_537 },
];

for (const config of CONFIGS) {
  for (const weights of ["equal", "different"] as const) {
    const balancer = createBalancer<Endpoint>(config, new TableShelf(AT_ONCE));
    const endpoints = Array.from(
      { length: 20 },
      (_, n) => new Endpoint(n, weights === "equal" ? 1 : 1 + (n % 5), n % 7),
    );
    balancer.update(endpoints, Math.random);
    const choices = config.kind === "least-request" ? ` of ${config.choices ?? 2}` : "";
    bench(`${config.kind}${choices}, 20 endpoints of ${weights} weight`, (iterations) => {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += balancer.first(Math.random, i)?.weight ?? 0;
      return sum;
    });
  }
}
