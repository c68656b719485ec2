/** What choosing an endpoint costs. */
import { bench } from "@sallyport/testkit/bench";
import type { BalancedEndpoint } from "./balancer.ts";
import { createBalancer } from "./registry.ts";

class Endpoint implements BalancedEndpoint {
  readonly weight: number;
  readonly #requests: number;

  constructor(weight: number, requests: number) {
    this.weight = weight;
    this.#requests = requests;
  }

  active(): number {
    return this.#requests;
  }
}

for (const kind of ["least-request", "round-robin", "random"] as const) {
  for (const weights of ["equal", "different"] as const) {
    const balancer = createBalancer<Endpoint>(kind);
    const endpoints = Array.from({ length: 20 }, (_, n) => new Endpoint(weights === "equal" ? 1 : 1 + (n % 5), n % 7));
    balancer.update(endpoints, Math.random);
    bench(`${kind}, 20 endpoints of ${weights} weight`, (iterations) => {
      let sum = 0;
      for (let i = 0; i < iterations; i++) sum += balancer.first(Math.random)?.weight ?? 0;
      return sum;
    });
  }
}
